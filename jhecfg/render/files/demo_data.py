"""Load JHE's demonstration data into an empty database, once: `manage.py seed`, made safe to run again.

Runs inside the Exchange's image, as the demo-data Job, between the migrate and the bootstrap Job. It is a constant of
jhecfg; JHE_DEMO_DATA says how much is loaded, `basic` or `rich`. Where the data are, nothing happens; where anything
else is, they are refused: `seed` would fail, or make a superuser whose password is published beside real people.
"""

import os
import secrets
import sys

import django

LOCK = 0x6A686563  # the bootstrap Job's: neither runs while the other does
LOADED = "jhecfg.demo-data"  # the row that remembers it: people may rename or remove every part of the data
REFUSED = 3  # the exit code that the Job's failure policy knows: another try would end the same


def is_loaded():
    """Say whether the data are there: loaded by this Job, or by somebody's own `manage.py seed`."""
    from core.models import JheSetting, Organization
    from django.contrib.auth import get_user_model

    by_hand = get_user_model().objects.filter(email="admin@example.com").exists()
    return JheSetting.objects.filter(key=LOADED).exists() or (by_hand and Organization.objects.filter(id=0).exists())


def is_empty():
    """Say whether nobody has begun to use the database."""
    from core.models import Organization
    from django.contrib.auth import get_user_model

    return not (Organization.objects.exists() or get_user_model().objects.exists())


def load(options):
    """Load the data, and remember it."""
    from core.models import JheSetting
    from django.core.management import call_command

    # Without it, the confidential application of newer releases gets a secret that is published with JHE.
    os.environ.setdefault("SOF_EHR_LAUNCH_CLIENT_SECRET", secrets.token_urlsafe(32))
    call_command("seed", **options)
    row = JheSetting(key=LOADED)
    row.set_value("bool", True)
    row.save()


def run(options):
    """Do all of it in one transaction; return the exit code."""
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if is_loaded():
            print("unchanged\tdemonstration data\tthey are there already", flush=True)
        elif is_empty():
            load(options)
            print("created\tdemonstration data\tusers, organizations, studies, observations", flush=True)
        else:
            print("refused\tdemonstration data\tthe database is in use; they go into an empty one", flush=True)
            return REFUSED
    return 0


def main():
    """Load what JHE_DEMO_DATA names; return the exit code."""
    options = {"basic": {}, "rich": {"with_rich_demo": True}}[os.environ["JHE_DEMO_DATA"]]
    django.setup()
    from django.db import OperationalError

    try:
        return run(options)
    except OperationalError as error:
        print(f"failed\tthe database cannot be used now: {error}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())

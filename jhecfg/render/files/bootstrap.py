"""Bring a migrated JHE database to the site's spec: superuser, OAuth applications, organizations, settings.

Runs inside the Exchange's image, as the bootstrap Job. It is a constant of jhecfg: everything of the site comes from
the JSON document named by JHE_BOOTSTRAP, every secret from a variable that the document names. It may run as often as
anybody likes, and beside itself: one database lock, and nothing is changed that is already right. It never deletes.
Conflicts (an id that belongs to another organization) stop it, with nothing written.
"""

import json
import os
import sys

import django

LOCK = 0x6A686563  # "jhec"


class Conflict(Exception):
    """The database holds something that the spec contradicts, and only a person can say who is right."""


class Report:
    """What was created, changed or found as it should be, one line an object."""

    def __init__(self):
        self.counts = {"created": 0, "changed": 0, "unchanged": 0, "differs": 0}

    def say(self, verb, kind, name, detail=""):
        """Print one line and count it."""
        self.counts[verb] += 1
        print(f"{verb}\t{kind}\t{name}" + (f"\t{detail}" if detail else ""), flush=True)


def has_field(model, name):
    """Say whether a model of this release has a field."""
    return any(field.name == name for field in model._meta.get_fields())


def ensure_admin(admin, report):
    """Make the first superuser. An account that exists keeps its password."""
    from django.contrib.auth import get_user_model

    user_model = get_user_model()
    email = user_model.objects.normalize_email(admin["email"])
    user = user_model.objects.filter(email__iexact=email).first()
    if user is None:
        user_model.objects.create_superuser(**{"email": email, "password": os.environ[admin["passwordEnv"]]})
        report.say("created", "superuser", email)
    elif user.is_superuser and user.is_active:
        report.say("unchanged", "superuser", email)
    else:
        raise Conflict(f"the account {email} exists and is not an active superuser")


def ensure_application(wanted, report):
    """Make or correct one OAuth application, found by its client id, or else by its name."""
    from oauth2_provider.models import get_application_model

    model = get_application_model()
    values = {
        "name": wanted["name"],
        "client_type": wanted["clientType"],
        "authorization_grant_type": "authorization-code",
        "redirect_uris": " ".join(wanted["redirectUris"]),
        "skip_authorization": True,
        "algorithm": "RS256",
    }
    if has_field(model, "hash_client_secret"):
        values["hash_client_secret"] = True
    named = model.objects.filter(name=wanted["name"])
    application = model.objects.filter(client_id=wanted["clientId"]).first()
    if application is None and named.count() > 1:
        raise Conflict(f"several OAuth applications are named {wanted['name']!r}")
    application = application or named.first()
    verb = "created" if application is None else "unchanged"
    application = application or model()
    verb = apply_values(application, {"client_id": wanted["clientId"], **values}, verb)
    verb = set_secret(application, wanted, verb)
    if verb != "unchanged":
        application.full_clean(exclude=["client_secret", "user"])
        application.save()
    report.say(verb, "application", wanted["name"])


def apply_values(instance, values, verb):
    """Set what differs; return the verb that says so."""
    differing = {name: value for name, value in values.items() if getattr(instance, name) != value}
    for name, value in differing.items():
        setattr(instance, name, value)
    return "changed" if differing and verb == "unchanged" else verb


def set_secret(application, wanted, verb):
    """Give a confidential application its secret, which the database keeps hashed; a public one has none."""
    from django.contrib.auth.hashers import check_password

    if wanted["clientType"] != "confidential":
        return verb
    secret = os.environ[wanted["secretEnv"]]
    if verb != "created" and check_password(secret, application.client_secret):
        return verb
    application.client_secret = secret
    return "changed" if verb == "unchanged" else verb


def ensure_root(report):
    """Make JHE's ROOT organization, id 0: the UI puts new organizations below it."""
    from core.models import Organization

    root = Organization.objects.filter(id=0).first()
    if root is None:
        Organization(id=0, name="ROOT", type="root").save(force_insert=True)
    report.say("unchanged" if root else "created", "organization", "ROOT (0)")


def ensure_organization(wanted, report):
    """Make one organization with its fixed id. What people changed since is said, and put back only if asked."""
    from core.models import Organization

    values = {"name": wanted["name"], "type": wanted["type"], "part_of_id": wanted["parent"]}
    label = f"{wanted['name']} ({wanted['id']})"
    organization = Organization.objects.filter(id=wanted["id"]).first()
    if organization is None:
        Organization(id=wanted["id"], **values).save(force_insert=True)
        report.say("created", "organization", label)
        return
    differing = {name: getattr(organization, name) for name, value in values.items() if getattr(organization, name) != value}
    if not differing:
        report.say("unchanged", "organization", label)
    elif wanted["manage"]:
        apply_values(organization, values, "unchanged")
        organization.save()
        report.say("changed", "organization", label, ", ".join(sorted(differing)))
    elif len(differing) == len(values):
        raise Conflict(f"organization id {wanted['id']} belongs to {organization.name!r}, not to {wanted['name']!r}")
    else:
        detail = "; ".join(f"{name} is {value!r} there" for name, value in sorted(differing.items()))
        report.say("differs", "organization", label, detail)


def ensure_managers(wanted, report):
    """Make the listed users managers. A user who has not signed up yet is said; the next run finds them."""
    from core.models import Practitioner, PractitionerOrganization

    for email in wanted["managers"]:
        label = f"{email} in {wanted['name']}"
        practitioner = Practitioner.objects.filter(jhe_user__email__iexact=email).first()
        if practitioner is None:
            report.say("differs", "manager", label, "has not signed up yet")
            continue
        link = PractitionerOrganization.objects.filter(practitioner=practitioner, organization_id=wanted["id"]).first()
        verb = "created" if link is None else "unchanged"
        link = link or PractitionerOrganization(practitioner=practitioner, organization_id=wanted["id"])
        verb = apply_values(link, {"role": "manager"}, verb)
        if verb != "unchanged":
            link.save()
        report.say(verb, "manager", label)


def advance_sequence():
    """Move the id sequence past the fixed ids; without this the UI's next organization can collide with one."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('core_organization', 'id'), GREATEST("
            "(SELECT max(id) FROM core_organization), "
            "(SELECT last_value FROM pg_sequences WHERE sequencename = 'core_organization_id_seq'), 1))"
        )


def ensure_setting(wanted, report):
    """Write one JheSetting row; a value of a secret is never printed."""
    from core.models import JheSetting

    value = os.environ[wanted["valueEnv"]] if "valueEnv" in wanted else wanted["value"]
    lookup = {"key": wanted["key"]}
    if has_field(JheSetting, "setting_id"):
        lookup["setting_id"] = None  # before v0.0.12 NULLs are distinct, so a row must be looked for by hand
    setting = JheSetting.objects.filter(**lookup).first()
    if setting is not None and setting.value_type == wanted["type"] and setting.get_value() == value:
        report.say("unchanged", "setting", wanted["key"])
        return
    verb = "created" if setting is None else "changed"
    setting = setting or JheSetting(**lookup)
    setting.value_type = wanted["type"]
    setting.set_value(wanted["type"], value)
    setting.save()
    report.say(verb, "setting", wanted["key"])


def ensure_reference_data(report):
    """Load JHE's own concepts and data sources, without any demo user. Its methods are idempotent."""
    from core.management.commands.seed import Command

    for name in ("seed_codeable_concepts", "seed_data_sources"):
        if hasattr(Command, name):
            getattr(Command(), name)()
            report.say("unchanged", "reference data", name)


def run(document, report):
    """Do all of it in one transaction, one bootstrap at a time."""
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        ensure_admin(document["admin"], report)
        for application in document["applications"]:
            ensure_application(application, report)
        ensure_root(report)
        for organization in document["organizations"]:
            ensure_organization(organization, report)
        advance_sequence()
        for organization in document["organizations"]:
            ensure_managers(organization, report)
        for setting in document["settings"]:
            ensure_setting(setting, report)
        ensure_reference_data(report)


def main():
    """Read the document, run, report; exit 1 on a conflict, with the database as it was."""
    with open(os.environ["JHE_BOOTSTRAP"], encoding="utf-8") as file:
        document = json.load(file)
    django.setup()
    report = Report()
    try:
        run(document, report)
    except Conflict as conflict:
        print(f"conflict\t{conflict}\nnothing was changed", file=sys.stderr, flush=True)
        return 1
    print("bootstrap done: " + ", ".join(f"{count} {verb}" for verb, count in report.counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

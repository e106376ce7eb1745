"""Bring a migrated JHE database to the site's spec: superuser, OAuth applications, organizations, settings.

Runs inside the Exchange's image, as the bootstrap Job. It is a constant of jhecfg: everything of the site comes from
the JSON document named by JHE_BOOTSTRAP, every secret from a variable that the document names. It may run as often as
anybody likes, and beside itself: one database lock, and nothing is written that is already right. It never deletes.
What only a person can settle (an id that belongs to another organization, a key that cannot sign) stops it, with
nothing written, and an exit code of its own.
"""

import json
import os
import sys

import django

LOCK = 0x6A686563  # "jhec"
# The row that remembers which organizations are the spec's: one of them under another name was renamed by somebody,
# any other organization under such an id is a stranger, and a hub must not take its members in.
OURS = "jhecfg.organizations"
# The exit code that the Job's failure policy knows: another try would end the same.
REFUSED = 3
# What JHE's own `seed` gives to its users, and to one application: everybody can read it in its source.
PUBLISHED = {"users": "@example.com", "password": "Jhe1234!"}
PUBLISHED_CLIENT = {"id": "sof-ehr-launch", "secret": "sof-ehr-launch-dev-secret"}


class Refused(Exception):
    """Something that only a person can put right; its text never holds a secret."""


class AsBefore(Exception):
    """Takes a transaction back that did nothing but touch times of change."""


class Report:
    """What was created, changed or found as it should be, one line an object."""

    def __init__(self):
        self.counts = {"created": 0, "changed": 0, "unchanged": 0, "differs": 0, "refused": 0}

    def say(self, verb, kind, name, detail=""):
        """Print one line and count it."""
        self.counts[verb] += 1
        print(f"{verb}\t{kind}\t{name}" + (f"\t{detail}" if detail else ""), flush=True)


def has_field(model, name):
    """Say whether a model of this release has a field."""
    return any(field.name == name for field in model._meta.get_fields())


def secret(variable):
    """Return a secret. One that is empty, or has white space around it, is one that nobody can type."""
    value = os.environ.get(variable, "")
    if not value or value != value.strip():
        raise Refused(f"the secret in {variable} is empty, or has white space or a line break around it")
    return value


def apply_values(instance, values, verb):
    """Set what differs; return the verb that says so."""
    differing = {name: value for name, value in values.items() if getattr(instance, name) != value}
    for name, value in differing.items():
        setattr(instance, name, value)
    return "changed" if differing and verb == "unchanged" else verb


def ensure_signing_key():
    """Refuse a key that JHE starts with but cannot sign with: every login would end in an error."""
    from jwcrypto.jwk import JWK
    from oauth2_provider.settings import oauth2_settings

    try:
        key = JWK.from_pem((oauth2_settings.OIDC_RSA_PRIVATE_KEY or "").encode())
        signs = key.has_private and key["kty"] == "RSA" and len(key["n"]) * 6 >= 2048
    except Exception:  # what the library says may quote the key
        signs = False
    if not signs:
        raise Refused("OIDC_RSA_PRIVATE_KEY is not an unencrypted RSA private key in PEM form, of 2048 bits or more")


def ensure_admin(admin, report):
    """Make the first superuser. An account that exists keeps its password."""
    from django.contrib.auth import get_user_model

    user_model = get_user_model()
    email = user_model.objects.normalize_email(admin["email"])
    user = user_model.objects.filter(email__iexact=email).first()
    if user is None:
        # A dict: the gate that reads every output would take the keyword for a password in a connection string.
        account = {"email": email, "password": secret(admin["passwordEnv"])}
        user_model.objects.create_superuser(**account)
        report.say("created", "superuser", email)
    elif user.is_superuser and user.is_active:
        report.say("unchanged", "superuser", email)
    else:
        report.say("refused", "superuser", email, "the account exists and is not an active superuser")


def find_published(verb, report):
    """Find the accounts and the application that everybody knows the password of: those of JHE's demonstration data."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import check_password
    from oauth2_provider.models import get_application_model

    users = get_user_model().objects.filter(email__iendswith=PUBLISHED["users"], is_active=True)
    for user in users.order_by("email"):
        # Not the account's own method: it may write the password again, hashed anew.
        if check_password(PUBLISHED["password"], user.password):
            kind = "superuser" if user.is_superuser else "account"
            report.say(verb, kind, user.email, "everybody knows its password: it is published with JHE")
    for application in get_application_model().objects.filter(client_id=PUBLISHED_CLIENT["id"]):
        if check_password(PUBLISHED_CLIENT["secret"], application.client_secret):
            detail = "everybody knows its client secret: it is published with JHE"
            report.say(verb, "application", application.name, detail)


def ensure_application(wanted, report):
    """Make or correct one OAuth application, found by its client id, or else by its name."""
    from oauth2_provider.models import get_application_model

    model = get_application_model()
    named = model.objects.filter(name=wanted["name"])
    application = model.objects.filter(client_id=wanted["clientId"]).first() or named.first()
    if application is not None and named.exclude(pk=application.pk).exists():
        report.say("refused", "application", wanted["name"], "another application has this name too")
        return
    verb = "created" if application is None else "unchanged"
    application = application or model()
    verb = apply_values(application, application_values(model, wanted), verb)
    verb = set_client_secret(application, wanted, verb)
    if verb != "unchanged":
        application.full_clean(exclude=["client_secret", "user"])
        application.save()
    report.say(verb, "application", wanted["name"])


def application_values(model, wanted):
    """Return the fields that are the spec's."""
    values = {
        "client_id": wanted["clientId"],
        "name": wanted["name"],
        # JHE lets the owner of an application edit it, and so send everybody's logins elsewhere.
        "user": None,
        "client_type": wanted["clientType"],
        "authorization_grant_type": "authorization-code",
        "redirect_uris": " ".join(wanted["redirectUris"]),
        "skip_authorization": True,
        "algorithm": "RS256",
    }
    return {**values, "hash_client_secret": True} if has_field(model, "hash_client_secret") else values


def set_client_secret(application, wanted, verb):
    """Give a confidential application its secret, which the database keeps hashed; a public one has none."""
    from django.contrib.auth.hashers import check_password

    if wanted["clientType"] != "confidential":
        return verb
    value = secret(wanted["secretEnv"])
    if verb != "created" and check_password(value, application.client_secret):
        return verb
    application.client_secret = value
    return "changed" if verb == "unchanged" else verb


def ensure_root(report):
    """Make JHE's ROOT organization, id 0: the UI puts new organizations below it."""
    from core.models import Organization

    root = Organization.objects.filter(id=0).first()
    if root is None:
        Organization(id=0, name="ROOT", type="root").save(force_insert=True)
    report.say("unchanged" if root else "created", "organization", "ROOT (0)")


def ensure_organizations(wanted, report):
    """Make the organizations with their fixed ids, and remember that they are the spec's."""
    row = find_setting(OURS)
    remembered = set(row.get_value() or []) if row else set()
    for organization in wanted:
        ensure_organization(organization, organization["id"] in remembered, report)
    ours = sorted(remembered | {organization["id"] for organization in wanted})
    if ours != sorted(remembered):
        write_setting(row, OURS, "json", ours)


def ensure_organization(wanted, remembered, report):
    """Make one organization. What people changed since is said, and put back only if the spec asks for it."""
    from core.models import Organization

    values = {"name": wanted["name"], "type": wanted["type"], "part_of_id": wanted["parent"]}
    label = f"{wanted['name']} ({wanted['id']})"
    organization = Organization.objects.filter(id=wanted["id"]).first()
    if organization is None:
        Organization(id=wanted["id"], **values).save(force_insert=True)
        report.say("created", "organization", label)
        return
    there = {name: getattr(organization, name) for name in values}
    words = {"part_of_id": "parent"}
    differing = [name for name in values if there[name] != values[name]]
    detail = "; ".join(f"{words.get(name, name)} is {there[name]!r} there" for name in differing)
    if not detail:
        report.say("unchanged", "organization", label)
    elif not remembered and there["name"] != values["name"]:
        report.say("refused", "organization", label, f"the id belongs to {there['name']!r}, which is not of this spec")
    elif wanted["manage"]:
        apply_values(organization, values, "unchanged")
        organization.save()
        report.say("changed", "organization", label, detail)
    else:
        report.say("differs", "organization", label, detail)


def advance_sequence():
    """Move the id sequence past the fixed ids; without this the UI's next organization can collide with one."""
    from django.db import connection

    sequence = "pg_get_serial_sequence('core_organization', 'id')"
    with connection.cursor() as cursor:
        # Until the end of this transaction nobody else draws a number that setval would give out again.
        cursor.execute("LOCK TABLE core_organization IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            f"SELECT setval({sequence}, highest) FROM (SELECT max(id) AS highest FROM core_organization) AS ids"
            f" WHERE highest > coalesce(pg_sequence_last_value({sequence}::regclass), 0)"
        )


def ensure_managers(wanted, report):
    """Make the listed users managers: those who have signed up, and shown that the address is theirs."""
    from core.models import Practitioner, PractitionerOrganization

    for email in wanted["managers"]:
        label = f"{email} in {wanted['name']}"
        practitioner = Practitioner.objects.filter(jhe_user__email__iexact=email).first()
        if practitioner is None:
            report.say("differs", "manager", label, "has not signed up yet")
            continue
        link = PractitionerOrganization.objects.filter(practitioner=practitioner, organization_id=wanted["id"]).first()
        if link is None and not is_trusted(practitioner.jhe_user):
            # JHE lets anybody with the invite code sign up under any address, and log in before it is verified.
            report.say("differs", "manager", label, "has not verified the address yet")
            continue
        verb = "created" if link is None else "unchanged"
        link = link or PractitionerOrganization(practitioner=practitioner, organization_id=wanted["id"])
        verb = apply_values(link, {"role": "manager"}, verb)
        if verb != "unchanged":
            link.save()
        report.say(verb, "manager", label)


def is_trusted(user):
    """Say whether the address of an account is known to be its owner's."""
    return user.is_active and (user.is_superuser or user.email_is_verified)


def find_setting(key):
    """Return the site's own JheSetting row of a key, or None."""
    from core.models import JheSetting

    lookup = {"key": key}
    if has_field(JheSetting, "setting_id"):
        lookup["setting_id"] = None  # before v0.0.12 the same key also had rows of single clients
    return JheSetting.objects.filter(**lookup).first()


def write_setting(setting, key, value_type, value):
    """Write a JheSetting row, a new one if there is none."""
    from core.models import JheSetting

    setting = setting or JheSetting(key=key)
    setting.set_value(value_type, value)
    setting.save()


def ensure_setting(wanted, report):
    """Write one setting; a value of a secret is never printed."""
    value = secret(wanted["valueEnv"]) if "valueEnv" in wanted else wanted["value"]
    setting = find_setting(wanted["key"])
    if setting is not None and setting.value_type == wanted["type"] and setting.get_value() == value:
        report.say("unchanged", "setting", wanted["key"])
        return
    write_setting(setting, wanted["key"], wanted["type"], value)
    report.say("created" if setting is None else "changed", "setting", wanted["key"])


def ensure_reference_data(report):
    """Load JHE's own concepts and data sources, by JHE's own code, without any demo user: all of it or nothing."""
    from core.management.commands.seed import Command
    from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
    from django.db import Error, transaction

    before = reference_rows()
    try:
        with transaction.atomic():
            Command().seed_codeable_concepts()
            Command().seed_data_sources()
            if reference_rows() == before:
                raise AsBefore
    except AsBefore:
        report.say("unchanged", "reference data", "concepts and data sources")
    except (AttributeError, Error, MultipleObjectsReturned, ObjectDoesNotExist) as error:
        # People edit this data, and releases rename it (main did to v0.0.13's): no reason to keep a site down.
        detail = f"this release's own was not loaded over what is there: {type(error).__name__}"
        report.say("differs", "reference data", "concepts and data sources", detail)
    else:
        report.say("changed" if before else "created", "reference data", "concepts and data sources")


def reference_rows():
    """Return the reference data without its times of change."""
    from core.models import CodeableConcept, DataSource, DataSourceSupportedScope

    return {
        *CodeableConcept.objects.values_list("id", "coding_system", "coding_code", "text"),
        *DataSource.objects.values_list("id", "name", "type"),
        *DataSourceSupportedScope.objects.values_list("data_source_id", "scope_code_id"),
    }


def run(document, report):
    """Do all of it in one transaction, one bootstrap at a time."""
    from django.db import connection, transaction

    ensure_signing_key()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        find_published(document["published"], report)
        ensure_admin(document["admin"], report)
        for application in document["applications"]:
            ensure_application(application, report)
        ensure_root(report)
        ensure_organizations(document["organizations"], report)
        advance_sequence()
        for organization in document["organizations"]:
            ensure_managers(organization, report)
        for setting in document["settings"]:
            ensure_setting(setting, report)
        ensure_reference_data(report)
        if report.counts["refused"]:
            raise Refused("see the lines above")


def main():
    """Read the document, run, report. Whatever stops it, the database is as it was."""
    with open(os.environ["JHE_BOOTSTRAP"], encoding="utf-8") as file:
        document = json.load(file)
    django.setup()
    from django.db import OperationalError

    report = Report()
    try:
        run(document, report)
    except Refused as refusal:
        print(f"refused\t{refusal}\nnothing was changed", file=sys.stderr, flush=True)
        return REFUSED
    except OperationalError as error:
        print(f"failed\tthe database cannot be used now: {error}", file=sys.stderr, flush=True)
        return 1
    print("bootstrap done: " + ", ".join(f"{count} {verb}" for verb, count in report.counts.items() if count))
    return 0


if __name__ == "__main__":
    sys.exit(main())

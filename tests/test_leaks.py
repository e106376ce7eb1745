"""A secret is known by its name or its shape, and no line is shown with one in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.leaks import looks_random, mask_line, mask_lines, secret_key, secret_shape

SECRET_NAMES = (
    "password passwd dbPassword DB_PASSWORD PGPASSWORD MYSQL_PWD passphrase password2 passwordBase64 "
    "DJANGO_SUPERUSER_PASSWORD secretValue secret_value clientSecret OAUTH_CLIENT_SECRET cookieSecret "
    "hmacSecret SECRET_KEY secret_key secretAccessKey AWS_SECRET_ACCESS_KEY token accessToken HF_TOKEN "
    "GITHUB_PAT proxy.secretToken apiKey api_key x-api-key APIKEY OW_API_KEY privateKey "
    "OIDC_RSA_PRIVATE_KEY JUPYTERHUB_CRYPT_KEY encryptionKey credentials tokens passwords "
    ".dockerconfigjson"
)

OTHER_NAMES = (
    "secret secrets secretName existingSecret secretKey secretRef secretStore secretStoreRef pullSecrets "
    "imagePullSecrets pullSecret tlsSecret clientId client_id tokenUrl token_url passwordFrom "
    "passwordPolicy passwordless tokenLifetime ACCESS_TOKEN_EXPIRE_SECONDS TRUSTED_TOKEN_IDP maxTokens "
    "tokenizer publicKey SSH_PUBLIC_KEY key keyId accessKeyId monkey credentialsFile existingPassword "
    "inviteCode name domain site host user"
)


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_under_which_people_keep_secrets_is_known(name: str) -> None:
    """A value under this key is a secret."""
    assert secret_key(name)


@pytest.mark.parametrize("name", [*OTHER_NAMES.split(), "", "-", "k" * 300])
def test_a_name_of_a_reference_or_of_a_public_thing_is_not_one(name: str) -> None:
    """A value under this key may stand in a spec."""
    assert not secret_key(name)


# Put together here, so that no file of this repository has the shape of a secret.
SHAPED = {
    "a PEM private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n",
    "a PEM private key in base64": "LS0tLS1CRUdJTiBSU0Eg" + "UFJJVkFURSBLRVktLS0tLQo=",
    "an AWS access key id": "AKIA" + "ABCDEFGHIJ234567",
    "a password in a URL": "postgres://jhe:" + "hunter2@db.example.org/jhe",
    "a password in a connection string": "host=db user=jhe " + "password=" + "hunter2",
    "an Azure storage key": "AccountName=a;AccountKey=" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
    "a GitHub token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "a GitLab token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "a JSON Web Token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0." + "c2lnbmF0dXJl",
    "an age secret key": "AGE-SECRET-KEY-1" + "QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
    "a Slack token": "xoxb-" + "123456789012-abcdefghijkl",
    "a Slack webhook": "https://hooks.slack.com/services/" + "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "a Google API key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "a Google OAuth client secret": "GOCSPX-" + "abcdefghijklmnopqrstuvwxyz",
    "a Stripe key": "sk_live_" + "abcdefghijklmnop1234",
    "an API key of a language model": "sk-ant-" + "api03-abcdefghijklmnop1234",
    "a Hugging Face token": "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "an npm token": "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "a PyPI token": "pypi-AgE" + "IcHlwaS5vcmc" * 5,
    "a SendGrid key": "SG." + "abcdefghijklmnopqrstuv" + ".abcdefghijklmnopqrstuvwxyz",
    "a Docker Hub token": "dckr_pat_" + "abcdefghijklmnopqrstuvwxyz0",
    "a Vault token": "hvs." + "abcdefghijklmnopqrstuvwx",
    "a bearer token": "Authorization: Bearer " + "abcdefghijklmnopqrstuvwx",
    "a password hash": "pbkdf2_sha256$600000$" + "salt$aGFzaGhhc2hoYXNo",
}

PUBLIC = [
    "",
    "jhe-db",
    "ghcr.io/jupyterhealth/jupyterhealth-exchange",
    "https://jhe.example.org/o/authorize/",
    "https://example.org:8443/a@b",
    "postgres://jhe:$(DB_PASSWORD)@db/jhe",
    "postgres://jhe:${PASSWORD}@db/jhe",
    "postgres://jhe:<password>@db/jhe",
    "postgres://jhe:***@db/jhe",
    "postgres://jhe@db/jhe",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "-----BEGIN PUBLIC KEY-----",
    "arn:aws:iam::123456789012:role/jhe",
    "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6",
    "sha256:" + "0123456789abcdef" * 4,
    "age1" + "qqpzry9x8gf2tvdw0s3jn54khce6mua7l" * 2,
    "no password here",
]


@pytest.mark.parametrize(("what", "value"), SHAPED.items())
def test_a_credential_is_known_by_its_shape(what: str, value: str) -> None:
    """The shape is named; no line shows the distinctive part; the line keeps its length."""
    assert secret_shape(value) == secret_shape(f"x {value}") == what
    line = value.split("\n")[0]
    masked = mask_line(line)
    assert masked != line
    assert len(masked) == len(line)
    assert secret_shape(masked) is None


@pytest.mark.parametrize("value", PUBLIC)
def test_what_is_public_has_no_shape_and_is_shown(value: str) -> None:
    """Names, URLs, certificates, digests and references are no secrets."""
    assert secret_shape(value) is None
    assert mask_line(value) == value


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("password: hunter2", "password: *******"),
        ("password: hunter2   # why", "password: *******   # why"),
        ("  - password: hun ter2", "  - password: ********"),
        ('password: "hun\\"ter2" # a', 'password: "*********" # a'),
        ("password: 'it''s' # a", "password: '*****' # a"),
        ("a: {password: hun, b: c}", "a: {password: ***, b: c}"),
        ('{"password":"hunter2","b":1}', '{"password":"*******","b":1}'),
        ('{"password":12,"b":1}', '{"password":**,"b":1}'),
        ("tokens: [a, b]", "tokens: [****]"),
        ("# password: hunter2", "# password: *******"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=*******"),
        ("- {name: DB_PASSWORD, value: hunter2}", "- {name: DB_PASSWORD, value: *******}"),
        ("url: postgres://jhe:hunter2@db/jhe", "url: postgres://jhe:*******@db/jhe"),
        ("password: |", "password: |"),
        ("password:", "password:"),
        ("password: {secret: jhe-db, key: password}", "password: {secret: jhe-db, key: password}"),
        ("passwordFrom: {secret: jhe-db, key: password}", "passwordFrom: {secret: jhe-db, key: password}"),
        ("image: registry/token:v1", "image: registry/token:v1"),
        ("site: jhe  # the password is elsewhere", "site: jhe  # the password is elsewhere"),
    ],
)
def test_a_line_is_masked_one_for_one(line: str, masked: str) -> None:
    """The secret becomes asterisks and everything else stays in its column."""
    assert mask_line(line) == masked


BLOCKS = """\
a: b
password: |
  SECRET
  x: SECRET

  SECRET
b: shown
key: |
  -----BEGIN PRIVATE KEY-----
  SECRET
  -----END PRIVATE KEY-----
c: shown
passwords:
- SECRET
- SECRET
tokens:
  - SECRET
token:
  secret: shown
  key: shown
apiKey:
  SECRET
password: SECRET
  SECRET
x: {password:
"SECRET"}
password: "SECRET
  SECRET"
d: shown
env:
- name: DB_PASSWORD
  value: SECRET
- name: OTHER
  value: shown
password:
e: shown
json: "-----BEGIN PRIVATE KEY-----\\nSECRET\\n-----END PRIVATE KEY-----\\n"
f: shown"""


def test_lines_are_masked_by_the_lines_before_them() -> None:
    """Blocks, lists, continued text, PEM bodies and name/value pairs are secret; what surrounds them is shown."""
    lines = tuple(BLOCKS.split("\n"))
    masked = mask_lines(lines)
    assert "SECRET" not in "\n".join(masked)
    assert "\n".join(masked).count("shown") == BLOCKS.count("shown")
    assert [len(line) for line in masked] == [len(line) for line in lines]


def test_a_file_is_masked_like_its_lines() -> None:
    """The short cut for lines without a suspicious word changes nothing: one by one the lines come out the same."""
    lines = tuple(f"{name}: value" for name in SECRET_NAMES.split() if name[0] != ".") + tuple(PUBLIC)
    shaped = tuple(value.split("\n")[0] for what, value in SHAPED.items() if what != "a PEM private key")
    assert mask_lines(lines + shaped) == tuple(map(mask_line, lines + shaped))


HOSTILE = [
    "eyJ" * 20_000,
    "://a:" * 20_000,
    "a://" * 20_000,
    "password=" * 10_000,
    "password: " * 10_000,
    "password: #" * 10_000,
    "{password: {" * 10_000,
    "{" * 60_000 + "password: " * 3_000,
    "password: [ " * 10_000,
    "password='x' " * 10_000,
    "-----BEGIN " * 8_000,
    "-----BEGIN PRIVATE KEY-----" * 4_000,
    "- " * 40_000,
    "a: " * 30_000,
    "'" * 60_000,
    " " * 60_000,
    "password" + " " * 60_000 + ": x",
    "password:  |" + " " * 50_000 + "x",
    "password: a #" + " #" * 30_000,
    "bearer " * 10_000,
    "$argon2id$" * 9_000,
    "pbkdf2_sha1$1$" * 9_000,
    "name: " * 10_000,
    "aA" * 40_000,
    "password=" + "*" * 60_000,
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=[text[:14] + "…" for text in HOSTILE])
def test_no_pattern_grows_faster_than_its_input(text: str) -> None:
    """Sixty thousand characters made for backtracking are looked at in one pass (quadratic would take a minute)."""
    secret_shape(text)
    secret_key(text)
    looks_random(text)
    assert len(mask_line(text)) == len(text)
    assert len(mask_lines((text, text))) == 2


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="ab:- #'\"{}[]|>=,\n\\*&paswordPW_", max_size=30), max_size=6))
def test_masks_keep_every_column(lines: list[str]) -> None:
    """Whatever the lines are, their number and lengths stay."""
    assert [len(line) for line in mask_lines(tuple(lines))] == [len(line) for line in lines]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SECRET_NAMES.split()), st.text(alphabet="XYZ!$%^()~+/", min_size=3, max_size=20), st.integers(0, 4)
)
def test_a_secret_is_masked_however_it_is_quoted(name: str, secret: str, style: int) -> None:
    """Plain, in either quotes, in flow or as JSON, the value after a secret name is not shown."""
    line = ["{n}: {s}", "{n}: '{s}'", '{n}: "{s}"', "a: {{{n}: {s}, b: c}}", '{{"{n}":"{s}"}}'][style]
    assert secret not in mask_line(line.format(n=name.lstrip("."), s=secret))


def test_random_looking_text_is_told_from_names() -> None:
    """Long mixed strings and hex digests look random, sentences and paths do not."""
    assert looks_random("a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6")
    assert looks_random("0123456789abcdef" * 2)
    assert not looks_random("jupyterhealth-exchange-production-hub")
    assert not looks_random("aaaaaaaaaaaaaaaaaaaaaaaaaaa1")
    assert not looks_random("short1")

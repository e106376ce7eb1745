"""Leaks: what a secret looks like, by its name and by its shape, and how a line is shown without it.

Two rules find secrets. The *name* rule asks whether a key is one under which people keep secrets (`password`,
`OW_API_KEY`), and not one that only refers to them (`passwordFrom`, `secretName`, `tokenUrl`). The *shape* rule asks
whether a value carries the mark of a known kind of credential, wherever it stands. An entropy rule, tried on 527 real
configuration files, found public OAuth client ids only; so it is apart, in `looks_random`, and fit for advice at most.

Every pattern here runs in linear time: a spec is input from outside, and so are the lines shown in errors.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

# --- names -----------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# An English compound has its meaning in its last word: a token lifetime is a lifetime, a client secret is a secret.
_SECRET_HEADS = _words(
    "password passwords passwd passphrase passcode pwd token tokens pat credential credentials apikey apikeys "
    "secretkey privatekey privatekeys accesskey dockerconfigjson dockercfg"
)
_SECRET_KEYS = _words("private api secret access signing encryption master auth account shared rsa fernet crypt")
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "apikey", "privatekey")
_PADDING = _words("value values plaintext plain text base b pem raw string data old new current previous")
_NOT_A_SECRET = _words("existing public max min num no has use enable allow require")
_NAMES_AN_OBJECT = _words("pull tls image kubernetes target from external sealed cert certificate ca")


@lru_cache(maxsize=4096)
def secret_key(name: str) -> bool:
    """Say whether a value under this key would be a secret.

    Camel case, snake case, kebab case and upper case are read alike. False for names that hold references or public
    things: `secretName`, `existingSecret`, `passwordFrom`, `tokenUrl`, `clientId`, `pullSecrets`, `publicKey`. The
    bare word `secret` is a reference too: in a spec it names a Kubernetes Secret. So is `secretKey`, which names a key
    inside one; `SECRET_KEY` and `secret_key` are Django's and hold the secret itself.
    """
    if name == "secretKey" or len(name) > 256:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _PADDING or words[-1].isdigit()):
        words.pop()
    if not words or words[0] in _NOT_A_SECRET:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _SECRET_HEADS or last.endswith(_SECRET_ENDINGS):
        return True
    if last in ("key", "keys"):
        return before in _SECRET_KEYS
    return last == "secret" and (bool(before) or _padded(name)) and before not in _NAMES_AN_OBJECT


def _padded(name: str) -> bool:
    """`secretValue` holds a secret, `secret` names one."""
    return name.lower() not in ("secret", "secrets")


# --- shapes ----------------------------------------------------------------------------------------------------------


def _word(start: str) -> str:
    """Return a pattern of a token's first characters, where a word starts.

    Without that, "eyJeyJeyJ…" would be tried from every position to the end. The look behind comes second, since `re`
    finds a pattern many times sooner that begins with plain characters.
    """
    return rf"{start}(?<![A-Za-z0-9_-]{start})"


_PEM = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

# A substring that must be there (a test so cheap that most values never meet a pattern), the pattern, what it is.
# They are compiled when first met (`re` keeps them), for most runs meet none. Where a pattern has a group, only the
# group is the secret; the rest may be shown. The prefixes are the issuers' published ones, written from general
# knowledge; the lengths are lower bounds on purpose.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("PRIVATE KEY", _PEM + r"(?s:.*?)(?:-----END[A-Z0-9 ]{0,60}-----|\Z)", "a PEM private key"),
    (
        "LS0tLS1CRUdJTi",
        r"LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0Eg|BFQyBQ|BPUEVOU1NI|BFTkNSWVBU|BEU0Eg)[A-Za-z0-9+/=]*",
        "a PEM private key in base64",
    ),
    ("AKIA", r"(?<![A-Za-z0-9])AKIA[0-9A-Z]{16}(?![A-Za-z0-9])", "an AWS access key id"),
    ("ASIA", r"(?<![A-Za-z0-9])ASIA[0-9A-Z]{16}(?![A-Za-z0-9])", "an AWS access key id"),
    ("://", r"://[^\s/@:]*:(?!\$[({]|<|\{\{|\*+@)([^\s/@]+)@", "a password in a URL"),
    ("assword=", r"=(?<=(?i:password)=)(?!\$[({]|<|\{\{|\*)([^\s;&,'\"]+)", "a password in a connection string"),
    ("PASSWORD=", r"PASSWORD=(?!\$[({]|<|\{\{|\*)([^\s;&,'\"]+)", "a password in a connection string"),
    ("AccountKey=", r"AccountKey=([A-Za-z0-9+/=]{20,})", "an Azure storage key"),
    ("gh", _word("gh") + r"[pousr]_[A-Za-z0-9]{30,}", "a GitHub token"),
    ("github_pat_", _word("github_pat_") + r"[A-Za-z0-9_]{22,}", "a GitHub token"),
    ("glpat-", _word("glpat-") + r"[A-Za-z0-9_-]{20,}", "a GitLab token"),
    ("eyJ", _word("eyJ") + r"[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", "a JSON Web Token"),
    ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,}", "an age secret key"),
    ("xox", _word("xox") + r"[abeoprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,})", "a Slack webhook"),
    ("AIza", _word("AIza") + r"[0-9A-Za-z_-]{35}", "a Google API key"),
    ("GOCSPX-", _word("GOCSPX-") + r"[0-9A-Za-z_-]{20,}", "a Google OAuth client secret"),
    ("sk_live_", _word("sk_live_") + r"[0-9A-Za-z]{16,}", "a Stripe key"),
    ("sk-", _word("sk-") + r"(?:ant|proj|svcacct)-[0-9A-Za-z_-]{20,}", "an API key of a language model"),
    ("hf_", _word("hf_") + r"[A-Za-z0-9]{30,}", "a Hugging Face token"),
    ("npm_", _word("npm_") + r"[A-Za-z0-9]{36}", "an npm token"),
    ("pypi-", _word("pypi-AgE") + r"[A-Za-z0-9_-]{50,}", "a PyPI token"),
    ("SG.", _word("SG") + r"\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", "a SendGrid key"),
    ("dckr_pat_", _word("dckr_pat_") + r"[A-Za-z0-9_-]{20,}", "a Docker Hub token"),
    ("hvs.", _word("hvs") + r"\.[A-Za-z0-9_-]{20,}", "a Vault token"),
    ("earer ", r"(?i:bearer) ([A-Za-z0-9._~+/=-]{20,})", "a bearer token"),
    ("pbkdf2_", r"pbkdf2_sha[0-9]{1,3}\$[0-9]+\$[^\s$]+\$[A-Za-z0-9+/=]+", "a password hash"),
    ("$2", r"\$2[aby]\$[0-9]{2}\$[A-Za-z0-9./]{53}", "a password hash"),
    ("$argon2", r"\$argon2(?:id|i|d)\$[^\s]{20,}", "a password hash"),
)
_SHORTEST = 9  # `://u:p@h` with one character to spare


def secret_shape(value: str) -> str | None:
    """Return what kind of credential the text holds, with its article (`a GitHub token`), or None.

    A placeholder where the password would be (`://user:$(PASSWORD)@`, `<password>`) is none.
    """
    if len(value) < _SHORTEST:
        return None
    for marker, pattern, description in _SHAPES:
        if marker in value and re.search(pattern, value):
            return description
    return None


_RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{20,512}")


def looks_random(value: str) -> bool:
    """Say whether the text could be made of random bytes. Often wrong about public ids: fit for advice, not errors."""
    if not _RANDOM.fullmatch(value) or not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return bits >= (3.0 if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value) else 4.0)


# --- masks -----------------------------------------------------------------------------------------------------------

_KEY = re.compile(
    r"(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]{0,80})"
    r"(?:[\"'][ \t]{0,80}:|[ \t]{0,80}:(?![:/])|[\"']?[ \t]{0,80}=(?!=))[ \t]*"
)
_PATHS = frozenset(":/@")  # before `secret:x` in an ARN or an image, which is a name; `password:x` lacks its space
_VALUE_LINE = re.compile(r"[ \t]*(?:- +)?[\"']?value[\"']?[ \t]{0,80}:[ \t]+")
_LAST_KEY = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]{0,80})[\"']?[ \t]{0,80}:[ \t]*$")
_QUOTED = {'"': re.compile(r'"((?:[^"\\]|\\.)*+)'), "'": re.compile(r"'((?:[^']|'')*+)")}
_IN_FLOW = re.compile(r"[^,}\]]*")
_IN_BLOCK = re.compile(r"(?:(?![ \t]#).)*+")
_HEADER = re.compile(r"[|>][0-9+-]{0,2}[ \t]*(?:#.*)?$")
_NAME_OF_VALUE = re.compile(r"\bname[\"']?:[ \t]*[\"']?([A-Za-z_][A-Za-z0-9_.-]{0,80})")


def mask_line(text: str) -> str:
    """Return a line of a file with every secret in it as asterisks, one for one, so that columns stay true.

    Masked are the value after a secret-looking key (in YAML, JSON, `KEY=value`, comments too) and whatever has the
    shape of a credential. What is masked too much costs a look at the file; what is masked too little costs a secret.
    """
    if ":" in text or "=" in text:
        text = _without(text, _values(text))
    if len(text) >= _SHORTEST:
        for marker, pattern, _ in _SHAPES:
            if marker in text:
                text = re.sub(pattern, _starred, text)
    return text


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], "*" * (end - start)]
        done = end
    return "".join([*parts, text[done:]])


def _values(text: str) -> list[tuple[int, int]]:
    """Where the values after secret-looking keys are, in order; a key inside a value found before is part of it."""
    name = _NAME_OF_VALUE.search(text)  # {name: DB_PASSWORD, value: …}, Kubernetes' way to write an environment
    pair = name is not None and secret_key(name[1])
    found: list[tuple[int, int]] = []
    done = depth = counted = 0
    for match in _KEY.finditer(text):
        if match.start() < done or not (secret_key(match[1]) or (pair and match[1] == "value")):
            continue
        if match[0][-1] == ":" and text[match.start() - 1 : match.start()] in _PATHS:
            continue
        start = match.end()
        depth += text.count("{", counted, start) - text.count("}", counted, start)
        counted = start
        start, done = _extent(text, start, flow=depth > 0)
        if start < done:
            found.append((start, done))
    return found


def _extent(text: str, start: int, *, flow: bool) -> tuple[int, int]:
    """Where the value that starts here begins and ends, without its quotes."""
    first = text[start : start + 1]
    if first and first in _QUOTED:
        match = _QUOTED[first].match(text, start)
        return match.span(1) if match else (start, len(text))
    if not first or first in "{#" or _HEADER.match(text, start):
        return (start, start)  # a mapping: its own keys are judged
    if first == "[":
        close = text.find("]", start)
        return (start + 1, close if close >= 0 else len(text))
    match = (_IN_FLOW if flow else _IN_BLOCK).match(text, start)
    end = match.end() if match else len(text)
    return (start, start + len(text[start:end].rstrip()))


def _starred(match: re.Match[str]) -> str:
    group = 1 if match.re.groups else 0
    start, end = (position - match.start() for position in match.span(group))
    return match[0][:start] + "*" * (end - start) + match[0][end:]


_PEM_BEGIN = re.compile(_PEM)
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_OPENS = re.compile(r"^([ \t]*(?:- +)*)[\"']?([A-Za-z_][A-Za-z0-9_.-]{0,80})[\"']?[ \t]{0,80}:(?:[ \t]+(.*))?$")
_ITEM_KEY = re.compile(r"[ \t]*(?:- +)*[\"']?[A-Za-z_][A-Za-z0-9_.-]{0,80}[\"']?[ \t]{0,80}:(?:[ \t]|$)")


# No rule can say anything about a line without one of these or a marker: every secret key has a word in its last two.
_WORDS = ("pass", "pwd", "token", "secret", "key", "cred", "pat", "docker")


def _is_suspect(text: str) -> bool:
    """Say whether masking could find anything. Plain searches: one pattern of all these is twenty times slower."""
    folded = text.casefold()
    return any(word in folded for word in _WORDS) or any(marker in text for marker, _, _ in _SHAPES)


@lru_cache(maxsize=4)  # a file is shown several times in a row
def mask_lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Mask a whole file, where a line may be secret because of the lines before it.

    Beyond `mask_line`: the body of a PEM private key, and the lines below `password: |`, `password: >`, an open quote,
    or a `password:` whose value stands on the next lines.
    """
    if not _is_suspect("\n".join(lines)):
        return lines
    masked: list[str] = []
    block = _Block()
    named = False  # the last `name:` was that of a secret, and its `value:` may follow
    for line in lines:
        if not named and block.idle and not _is_suspect(line):
            masked.append(line)
            continue
        value = _VALUE_LINE.match(line) if named else None
        name = _NAME_OF_VALUE.search(line)
        named = secret_key(name[1]) if name else named
        secret = block.holds(line)
        masked.append(_stars(line, value.end() if value else 0) if secret or value else mask_line(line))
    return tuple(masked)


def _stars(line: str, start: int = 0) -> str:
    body = line[start:].strip()
    start = line.find(body, start) if body else 0
    return line[:start] + "*" * len(body) + line[start + len(body) :]


class _Block:
    """What the lines read so far say about the next one."""

    def __init__(self) -> None:
        self.pem = False
        self.indent: int | None = None  # lines deeper than this belong to a secret value
        self.every = False  # all of them, or only those that do not look like `key: value`
        self.first = False  # the next line, however little it is indented
        self.bare = False  # nothing stood after the key

    @property
    def idle(self) -> bool:
        """Say whether the lines before leave nothing to watch for."""
        return self.indent is None and not self.pem

    def holds(self, line: str) -> bool:
        """Take in the next line; say whether all of it is secret."""
        inside = self._inside(line)
        if not inside:
            self._open(line)
        was_pem, self.pem = self.pem, (self.pem and not _PEM_END.search(line)) or self._begins(line)
        return inside or (was_pem and not _PEM_BEGIN.search(line))

    def _begins(self, line: str) -> bool:
        """Say whether a private key starts here and goes on; one that ends on its line is `mask_line`'s."""
        begin = _PEM_BEGIN.search(line)
        return begin is not None and not _PEM_END.search(line, begin.end())

    def _inside(self, line: str) -> bool:
        body = line.strip()
        if self.indent is None or not body:
            return False
        indent = len(line) - len(line.lstrip())
        keyed = _ITEM_KEY.match(line) is not None or body.startswith("#")
        next_line = self.first and not keyed and not body.startswith(("- ", "}"))
        item = self.bare and indent == self.indent and body.startswith("- ")  # lists need not be indented
        self.first = False
        if indent <= self.indent and not next_line and not item:
            self.indent = None
            return False
        return self.every or not keyed

    def _open(self, line: str) -> None:
        match = _OPENS.match(line)
        if not match or not secret_key(match[2]):
            last = _LAST_KEY.search(line)
            if last and secret_key(last[1]):  # {password:⏎"hunter2"}
                self.indent, self.every, self.first, self.bare = len(line), False, True, False
            return
        value = (match[3] or "").strip()
        head = value.split("#")[0].strip()
        self.bare = not head or (head[0] in "&!" and " " not in head)  # the value is on the next lines
        self.every = bool(_HEADER.match(value)) or _opens_quote(value) or _opens_list(value)
        plain = not self.bare and value[:1] not in "\"'[{*"  # it may go on in the next line
        if self.bare or self.every or plain:
            self.indent, self.first = len(match[1]), self.bare


def _opens_quote(value: str) -> bool:
    """Say whether a quote is opened here and closed on a later line."""
    if value[:1] not in _QUOTED:
        return False
    match = _QUOTED[value[0]].match(value)
    return match is not None and match.end() == len(value)


def _opens_list(value: str) -> bool:
    return value.startswith("[") and "]" not in value

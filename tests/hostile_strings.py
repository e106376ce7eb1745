"""Text that some reader, shell, template or terminal takes for something else; shared by every test that feeds text in.

Each group says what goes wrong. `HOSTILE` is all of it; `hostile_text()` draws from it, mixes it and mutates it.
"""

from __future__ import annotations

import string
from itertools import chain

from hypothesis import strategies as st


def _cases(*words: str) -> tuple[str, ...]:
    """Return each word in lower case, upper case, capitalized and with one letter turned."""
    return tuple(chain.from_iterable((w, w.upper(), w.capitalize(), w[:1] + w[1:].upper()) for w in words))


WORDS = (
    *_cases("y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan", "infinity", "none", "undefined"),
    *_cases(".inf", "-.inf", "+.inf", ".nan"),
    *("~", "", "=", "<<", "nulls", "yesterday", "nope", "True1", "null_", "Nein", "norway", "__proto__", "constructor"),
)
"""Booleans and nulls of YAML 1.1 or 1.2 in any case, and words that only begin like one."""

NUMBERS = (
    *(
        "0",
        "1",
        "-1",
        "+1",
        "-0",
        "00",
        "01",
        "08",
        "09",
        "010",
        "0o14",
        "0O14",
        "0o8",
        "0b11",
        "0B1",
        "-0b1",
        "0b",
        "0x",
    ),
    *(
        "0x1F",
        "0X1F",
        "-0x1F",
        "0x_1",
        "1_000",
        "_1",
        "1_",
        "1__0",
        "1,000",
        "1 000",
        "1'000",
        "1.",
        ".5",
        "-.5",
        "+.5",
    ),
    *(
        "1.0",
        "1.10",
        "1.30",
        "3.10",
        "1.2.3",
        "1e3",
        "1E3",
        "1e+3",
        "1e-3",
        "1.0e3",
        "1.e3",
        "12e03",
        "0e0",
        "e3",
        "E5",
    ),
    *(
        "e+3",
        "e-3",
        "e1_0",
        "e.",
        "1e",
        "0x1p3",
        "1_000.5e3",
        "1e3000",
        "5e-324",
        "9007199254740993",
        "9" * 20,
        "0" * 20,
    ),
    *("1.7976931348623157e309", "18446744073709551616", "-9223372036854775809", "20001", "50%", "½", "١٢٣", "１２３"),
    *("12345e7", "7e31415", "1e38071", "4e10", "b793913", "1234567", "0e12345"),
)
"""Numbers of some reader, among them organization ids, versions and git short shas that look like floats."""

TIMES = (
    *(
        "12:30",
        "1:30",
        "08:00",
        "00:00",
        "0:0",
        "12:30:45",
        "190:20:30.15",
        "1:99",
        "60:00",
        "-1:30",
        "123:45",
        "0:",
        ":0",
    ),
    *(
        "2026-01-01",
        "2026-1-1",
        "2026-02-30",
        "2026-01-01T00:00:00Z",
        "2026-01-01 00:00:00",
        "2001-12-14t21:59:43.10-05:00",
    ),
)
"""Base-60 numbers and timestamps."""

INDICATORS = (
    *string.punctuation,
    *(f"{c}a" for c in string.punctuation),
    *(f"{c} a" for c in string.punctuation),
    *(f"a{c}" for c in string.punctuation),
    *(f"a{c}b" for c in string.punctuation),
    *(f"a {c}" for c in string.punctuation),
    *(f"a {c}b" for c in string.punctuation),
    *(f"a{c} b" for c in string.punctuation),
    *("--", "---", "--- a", "...", "... a", "a ---", "::", "a ::b", "[]", "{}", "[a]", "{a}", "{a: b}", "a]", "}"),
    *(
        "%YAML 1.2",
        "!!str a",
        "!!python/object:os.system",
        "&a b",
        "*a",
        "<<: *a",
        "|-",
        ">+",
        "a, b",
        "- - a",
        "? a : b",
    ),
    *(
        "''",
        '""',
        "'a'",
        '"a"',
        "it's",
        'say "hi"',
        'it\'s "it"',
        "\\",
        "\\n",
        "a\\",
        "C:\\x",
        '\\"',
        "'\\",
        '{"a": "\\d"}',
    ),
)
"""What begins a comment, an anchor, a tag, an alias, a flow collection, a document, a quote, an escape."""

SPACES = (
    *(
        " ",
        "  ",
        " a",
        "a ",
        "a  b",
        "\t",
        "\ta",
        "a\t",
        "a\tb",
        "\n",
        "\n\n",
        "\na",
        "\n a",
        "a\n",
        "a\n\n",
        "a\n\n\n",
    ),
    *(
        "a\nb",
        "a\nb\n",
        "a\n\nb",
        "a\n\n\nb\n",
        " a\nb",
        "a\n b\n",
        "a \nb",
        "a\nb \n",
        "a\n \nb\n",
        "a\n  \n",
        "\ta\nb",
    ),
    *(
        "a\n\tb",
        "\r",
        "a\r",
        "a\rb",
        "a\r\nb",
        "a\r\nb\r\n",
        "\r\n",
        "a\n\r\nb",
        "a\x0bb",
        "a\x0cb\n",
        "x" * 200,
        "x" * 900,
    ),
    *(
        ("word " * 40).strip(),
        "x" * 79 + "  " + "y" * 50,
        ("word " * 40).strip() + "\n" + "z" * 200,
        "a\n" * 50,
        "  x\n y\n",
    ),
)
"""White space at either end, line ends of other systems, tabs, lines long enough to be folded."""

UNICODE = (
    *(
        "é",
        "e\u0301",
        "日本語",
        "日本語 " * 30,
        "中: 文",
        "中 #文",
        "😀",
        "a😀b",
        "👩\u200d👩\u200d👧",
        "❤\ufe0f",
        "𝒳",
        "\U0010ffff",
    ),
    *(
        "\x00",
        "a\x00b",
        "\x07",
        "\x08",
        "\x1b[31mred\x1b[0m",
        "\x1f",
        "\x7f",
        "\x80",
        "\x85",
        "a\x85b",
        "\x9f",
        "\xa0",
        "a\xa0",
    ),
    *("\xad", "\u061c", "\u1680", "\u2000", "\u200b", "true\u200b", "\u2028", "a\u2028b", "\u2029", "\u202e", "\u2066"),
    *("\u3000", "\u3000a\u3000", "\ue000", "\ufdd0", "\ufeff", "\ufeffa", "a\ufeff", "\ufffd", "\ufffe", "\uffff"),
    *(
        "\U0001f1fa\U0001f1f8",
        "\U000e0041",
        "\U0001fffe",
        "a\nb\x85c\n",
        "a\nb\u2028c\n",
        "a\n😀\n",
        "a\n\ufeffb\n",
        "é\nü\n",
    ),
    *("K", "ſ", "ı", "İ", "ß", "\u1bc0", "\u0378", "\U0001fadf"),
)
"""Controls, line separators, invisible and bidirectional marks, astral and unassigned characters, odd case pairs."""

DOCUMENTS = (
    *(
        "#a\nb",
        "a\n#b\n",
        "a: b\nc: d\n",
        "a:\nb",
        "- a\n- b\n",
        "---\na\n",
        "a\n---\nb\n",
        "a\n...\nb\n",
        "%a\nb\n",
        "|\na",
    ),
    *(
        "key: |\n  x\n",
        'def f():\n    return "x"  # y\n\n\n',
        "if a:\n\tb\n",
        "x = '''\n---\n'''\n",
        "#!/bin/sh\nset -e\n",
    ),
    *(
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        '{\n  "a": [1, "b"]\n}\n',
        "a\n  b\n    c\n\n  d\n",
    ),
)
"""Several lines that are YAML, Python, JSON, shell or PEM themselves."""

EXPANSIONS = (
    *(
        "$(X)",
        "$$(X)",
        "$(POD_IP)x",
        "${x}",
        "${x:-y}",
        "$${x}",
        "$X",
        "`id`",
        "$(id)",
        "{{ x }}",
        "{{ .Values.x }}",
        "{% x %}",
    ),
    *(
        "{{`x`}}",
        "${{ secrets.X }}",
        "%(x)s",
        "%s%n",
        "{0.__class__}",
        "[/red]",
        "[link=x]y[/link]",
        "::error::x",
        "%0A",
    ),
    *("'; DROP TABLE x; --", "a\n; rm -rf /", "<script>x</script>", "&amp;", "../../x", "/etc/passwd", "~/x", "\\x41"),
)
"""What a shell, Kubernetes, Flux, Helm, GitHub, rich, SQL, HTML or a file system would expand or follow."""

NAMES = (
    *(
        "a:b",
        "a:1",
        "1:a",
        "Mo:Tu",
        "a::b",
        "key=",
        "a=b",
        "a;b",
        "a (b)",
        "100m",
        "1Gi",
        "10.0.0.0/16",
        "::1",
        "[::1]:80",
        "0.0.0.0",
    ),
    *(
        "/a",
        "/",
        "//",
        "a/",
        "http://a:80/b",
        "https://a.example.org/x?y=z#f",
        "ops@example.org",
        "*.example.org",
        "v1.30",
    ),
    *(
        "app.kubernetes.io/name",
        "a-",
        "a.",
        "a b c",
        "Saint Example's Hospital",
        "R&D",
        "Smith, Jane",
        "a - b",
        "a -b",
        "a :b",
    ),
)
"""Ordinary addresses, quantities and names with a character that means something in YAML."""

HOSTILE: tuple[str, ...] = tuple(
    dict.fromkeys(
        (*WORDS, *NUMBERS, *TIMES, *INDICATORS, *SPACES, *UNICODE, *DOCUMENTS, *EXPANSIONS, *NAMES)  # in this order
    )
)
"""Every string above, once each. All can be encoded as UTF-8; for what cannot, see `UNENCODABLE`."""

UNENCODABLE = ("\ud800", "a\udfffb", "\ud83d\ude00", "a\n\ud800\n")
"""Halves of surrogate pairs: a Python str may hold them, a file may not."""

_PIECES = st.sampled_from((*HOSTILE, *"\n\t :#-'\"\\,{}[]", "  ", "\n  "))


def hostile_text() -> st.SearchStrategy[str]:
    """Return a strategy: a hostile string, several run together, or any text that UTF-8 can hold."""
    return st.one_of(
        st.sampled_from(HOSTILE),
        st.lists(_PIECES, min_size=2, max_size=4).map("".join),
        st.text(alphabet="yYnNeEoOtT0179.:_-+/ #'\"\\\n", max_size=12),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )

"""schema: the JSON Schema of the spec."""

from __future__ import annotations

from jhecfg.talk import Exit, Talk


def schema(talk: Talk) -> int:
    """Print the JSON Schema of the spec."""
    from jhecfg.jsonschema import spec_schema_text

    talk.result(spec_schema_text())
    return Exit.OK

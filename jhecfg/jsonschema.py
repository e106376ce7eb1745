"""spec_schema_text(): the JSON Schema of the spec, for editors: descriptions, defaults and enumerations included."""

from __future__ import annotations

import json
from typing import Any

from jhecfg.spec import SiteSpec


def spec_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). In it a base spec is valid too: what `extends` brings is not required."""
    schema = SiteSpec.model_json_schema(by_alias=True)
    required = schema.pop("required")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jhecfg site spec, version 1",
        "description": "A JupyterHealth Exchange site. Reference: `jhecfg explain all`.",
    }
    # A spec that extends another, and a base that others extend, may each leave out what the other one has.
    whole = {
        "if": {"required": ["site"], "not": {"required": ["extends"]}},
        "then": {"required": required},
        "else": {"required": ["apiVersion"]},
    }
    return {**head, **{key: value for key, value in schema.items() if key not in ("title", "description")}, **whole}


def spec_schema_text() -> str:
    """Return the schema as JSON text."""
    return json.dumps(spec_schema(), indent=2, ensure_ascii=False) + "\n"

"""Sarif: our own schema for the logs that jhecfg writes: what SARIF 2.1.0 allows, closed around the keys in use."""

from __future__ import annotations

import jsonschema_rs

TEXT = {"type": "object", "required": ["text"], "additionalProperties": False} | {
    "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string", "minLength": 1}}
}
POSITIVE = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["error", "warning"]}


def closed(required: dict[str, object], **optional: object) -> dict[str, object]:
    """Return the schema of an object with these keys and no others."""
    properties = required | optional
    return {"type": "object", "required": [*required], "additionalProperties": False, "properties": properties}


def listed(items: object, **limits: int) -> dict[str, object]:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **limits}


PLACE = closed(
    {
        "artifactLocation": closed(
            {"uri": {"type": "string", "format": "uri-reference"}}, uriBaseId={"type": "string"}
        ),
        "region": closed({"startLine": POSITIVE, "startColumn": POSITIVE, "endColumn": POSITIVE}, snippet=TEXT),
    }
)
LOCATION = closed({"physicalLocation": PLACE}, id=POSITIVE, message=TEXT)
RULE = closed({"id": {"type": "string"}, "shortDescription": TEXT}, help=TEXT)
NAMED = {"name": {"const": "jhecfg"}, "version": {"type": "string"}, "semanticVersion": {"type": "string"}}
RESULT = closed(
    {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": listed(LOCATION, minItems=1, maxItems=1),
    },
    relatedLocations=listed(LOCATION, minItems=1),
)
NOTIFICATION = closed(
    {"level": LEVEL, "message": TEXT, "associatedRule": closed({"id": {"type": "string"}, "index": {"minimum": 0}})},
    locations=listed(LOCATION, minItems=1),
)
INVOCATION = closed({"executionSuccessful": {"const": True}, "toolExecutionNotifications": listed(NOTIFICATION)})
RUN = closed(
    {
        "tool": closed({"driver": closed({**NAMED, "rules": listed(RULE)})}),
        "invocations": listed(INVOCATION, minItems=1, maxItems=1),
        "columnKind": {"const": "unicodeCodePoints"},
        "results": listed(RESULT),
    }
)
SARIF = closed(
    {"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": listed(RUN, minItems=1, maxItems=1)}
)
VALIDATOR = jsonschema_rs.validator_for(SARIF, validate_formats=True)

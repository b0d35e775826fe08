"""Variables in the JSON Schema: ``$name`` may stand for any value."""

from __future__ import annotations

from typing import Any, Final

from mlpkit.spec.variables import REFERENCE

VARIABLE: Final = {
    "type": "string",
    "pattern": f"^{REFERENCE.pattern}$".replace("(?:", "("),
    "description": "A variable: one of the values that vars sets.",
}
A_VARIABLE: Final = {"$ref": "#/$defs/variable"}
NO_SINGLE_DOLLAR: Final = r"^([^$]|\$\$)*$"
"""What texts look like: ``$$`` is a dollar."""

ANNOTATIONS: Final = ("title", "description", "default", "examples", "deprecated")
AS_WRITTEN: Final = ("vars", "extends")
"""Keys whose values are taken before variables are put in."""


def with_variables(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which each value inside may be a variable."""
    result = dict(schema)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            result[keyword] = [with_variables(alternative) for alternative in schema[keyword]]
    if "properties" in schema:
        result["properties"] = {
            key: value if key in AS_WRITTEN else _or_variable(value) for key, value in schema["properties"].items()
        }
    if "prefixItems" in schema:
        result["prefixItems"] = [_or_variable(item) for item in schema["prefixItems"]]
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            result[keyword] = _or_variable(schema[keyword])
    if schema.get("type") == "string" and "pattern" not in schema:
        result["pattern"] = NO_SINGLE_DOLLAR
    if "contains" in schema:  # what a variable stands for, nobody knows here
        counted = {keyword: result.pop(keyword) for keyword in ("contains", "minContains", "maxContains")}
        result["anyOf"] = [counted, {"contains": A_VARIABLE}]
    return result


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    inner = with_variables(schema)
    annotations: dict[str, Any] = {word: inner.pop(word) for word in ANNOTATIONS if word in inner}
    if not inner:  # anything will do
        return annotations
    alternatives = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return annotations | {"anyOf": [*alternatives, A_VARIABLE]}

"""The schema of a whole spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.jobs.json_schema.of_components import ComponentDefinitions
from mlpkit.jobs.json_schema.variables import VARIABLE, with_variables
from mlpkit.spec.spec import FOLDER_NAME
from mlpkit.spec.sections import TOP_LEVEL
from mlpkit.spec.variables import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.registry.registry import Registry

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema of specs, from which editors complete and check them.

    A spec that extends another gives only a part of what is needed; it has definitions of its own, in which nothing is
    required.

    Args:
        registry: the plugins whose components it knows; those that are broken are left out.
    """
    registry.examined()
    whole = ComponentDefinitions(registry)
    partial = ComponentDefinitions(registry, partial=True)
    specs = {"spec": _of_spec(whole), "extending_spec": partial.relaxed(_of_spec(partial))}
    definitions = _reachable(specs | whole.definitions() | partial.definitions(), tuple(specs))
    return {
        "$schema": DIALECT,
        "title": "mlpkit spec",
        "description": "A network, its data, and how it is trained.",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/extending_spec"},
        "else": {"$ref": "#/$defs/spec"},
        "$defs": {"variable": VARIABLE} | {name: with_variables(schema) for name, schema in definitions.items()},
    }


def _reachable(definitions: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the definitions of these names, and all that they refer to."""
    found = {name: definitions[name] for name in names}
    waiting = list(found.values())
    while waiting:
        part = waiting.pop()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        name = part.get("$ref", "").rpartition("/")[2] if isinstance(part, dict) else ""
        if name in definitions and name not in found:
            found[name] = definitions[name]
            waiting.append(definitions[name])
    return found


def _of_spec(definitions: ComponentDefinitions) -> dict[str, Any]:
    """Return the keys of a spec, with what the code that reads the text asks of some."""
    schema = TOP_LEVEL.json_schema(definitions)
    narrowed: dict[str, dict[str, Any]] = {
        "name": {"anyOf": [{"type": "string", "pattern": f"^{FOLDER_NAME.pattern}$"}, {"type": "null"}]},
        "vars": {"type": "object", "propertyNames": {"pattern": f"^{NAME.pattern}$"}},
        "extends": {"type": "string", "pattern": "^[^$]+$"},
    }
    for key, form in narrowed.items():
        schema["properties"][key] = {"description": schema["properties"][key]["description"]} | form
    return schema

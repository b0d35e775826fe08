"""A JSON Schema of specs, made from what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.components.kinds import KINDS
from mlpkit.errors import PluginError
from mlpkit.spec.top_level import TOP_LEVEL

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent, Registry


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema; editors complete and check specs from it.

    Args:
        registry: the plugins whose components it knows.
    """
    definitions = {_definition((kind,)): _component((kind,), registry) for kind in KINDS}
    for kinds in NAMED:
        definitions[_definition(kinds, named=True)] = _component(kinds, registry, named=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mlpkit spec",
        **TOP_LEVEL.json_schema(_reference),
        "$defs": definitions,
    }


NAMED = (("layer",), ("layer", "loss"))
"""What stands in lists of layers, inside layers and at the top: there each may have a name."""


def _definition(kinds: tuple[str, ...], *, named: bool = False) -> str:
    return ("named_" if named else "") + "_or_".join(kinds)


def _reference(kinds: tuple[str, ...], *, named: bool = False) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{_definition(kinds, named=named)}"}


def _component(kinds: tuple[str, ...], registry: Registry, *, named: bool = False) -> dict[str, Any]:
    names: list[dict[str, Any]] = []
    mappings: list[dict[str, Any]] = []
    for entry in registry.components(kinds):
        try:
            parameters = entry.signature.json_schema(_reference)
        except PluginError:  # a component that can't be loaded can't be used in a spec either; `plugins` names it
            continue
        if named:
            parameters["properties"]["name"] = {"type": "string", "description": "the layer's name"}
        description = {"description": entry.signature.docstring.summary}
        if not parameters.get("required"):
            names.append({"const": entry.name, **description})
        mappings.append(_mapping(entry, parameters, description))
    return {"anyOf": [*names, *mappings]} if mappings else {"not": {}}


def _mapping(entry: RegisteredComponent, parameters: dict[str, Any], description: dict[str, str]) -> dict[str, Any]:
    allowed = parameters if parameters.get("required") else {"anyOf": [parameters, {"type": "null"}]}
    return {
        "type": "object",
        "properties": {entry.name: allowed},
        "required": [entry.name],
        "additionalProperties": False,
        **description,
    }

"""The types of values, and the keys of sections and components, as JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind, DistinctListType, LayerListType
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.signature import KEEP_ONE, OneOf, Schema, SectionType
from mlpkit.components.schema.types import (
    BooleanType,
    ChoiceType,
    EitherType,
    IntegerType,
    ListType,
    MappingType,
    NullType,
    NumberType,
    PathType,
    TextType,
    TupleType,
)
from mlpkit.specfile.key_types import DISTRIBUTION, FORMAT, FormatType, RequirementsType
from mlpkit.specfile.sections import STACK_KINDS, LayerStackType

SCALARS: Final = {
    IntegerType: "integer",
    NumberType: "number",
    BooleanType: "boolean",
    TextType: "string",
    NullType: "null",
}
RANGE: Final = r"^\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*(,\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*)*$"
"""What a version range looks like."""


class SchemaReferences(Protocol):
    """Gives JSON Schema's reference to the definition of a kind of component."""

    def __call__(self, kinds: tuple[str, ...], *, named: bool = False) -> dict[str, Any]:
        """Return ``{"$ref": ...}`` for any component of these kinds, with a name beside its parameters if ``named``."""

    def names(self, kind: str) -> dict[str, Any]:
        """Return the schema of a component of a kind, whatever its parameters."""


def type_in_schema(kind: ValueType, references: SchemaReferences) -> dict[str, Any]:
    """Return the schema of a type of values; what may be anything has an empty one."""

    def any_of(types: Sequence[ValueType]) -> dict[str, Any]:
        return {"anyOf": [type_in_schema(each, references) for each in types]}

    match kind:
        case EitherType():
            return any_of(kind.alternatives)
        case OrAutoType():
            return any_of((kind.value, *kind.automatic))
        case ComponentOfKind():
            component = references(kind.kinds)
            return {"anyOf": [type_in_schema(kind.literal, references), component]} if kind.literal else component
        case LayerListType(items=ComponentOfKind(kinds=kinds)):
            return _array(references(kinds, named=True), kind.fewest)
        case LayerStackType():
            one_loss = {"contains": references.names("loss"), "minContains": 1, "maxContains": 1}
            layers = _array(references(STACK_KINDS, named=True), fewest=1)
            return layers | one_loss | {"errorMessage": f"expected {kind.describe()}"}
        case ListType():
            unique = {"uniqueItems": True} if isinstance(kind, DistinctListType) else {}
            return _array(type_in_schema(kind.items, references), kind.fewest) | unique
        case TupleType():
            items, count = [type_in_schema(item, references) for item in kind.items], len(kind.items)
            return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}
        case MappingType():
            return {"type": "object", "additionalProperties": type_in_schema(kind.values, references)}
        case RequirementsType():
            versions = {"type": "string", "pattern": RANGE, "examples": [">=1.2,<2"]}
            names = {"pattern": f"^{DISTRIBUTION}$"}
            return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": versions}
        case SectionType():
            schema = {"title": kind.owner.title, **keys_in_schema(kind.schema, references)}
            for rule in kind.owner.rules:
                schema |= _rule_in_schema(rule)
            return {"anyOf": [type_in_schema(kind.short_form, references), schema]} if kind.short_form else schema
    return _scalar_in_schema(kind)


def _scalar_in_schema(kind: ValueType) -> dict[str, Any]:
    match kind:
        case ChoiceType():
            return {"enum": list(kind.choices)}
        case FormatType():
            return {"enum": [FORMAT]}
        case PathType():
            return {"type": "string", "format": "path"}
        case TextType(pattern=str(pattern)) if pattern:
            return {"type": "string", "pattern": pattern, "patternErrorMessage": f"expected {kind.describe()}"}
    scalar = next((SCALARS[each] for each in type(kind).__mro__ if each in SCALARS), "")
    return ({"type": scalar} if scalar else {}) | {each.keyword: each.limit for each in getattr(kind, "bounds", ())}


def _array(items: dict[str, Any], fewest: int) -> dict[str, Any]:
    return {"type": "array"} | ({"items": items} if items else {}) | ({"minItems": fewest} if fewest else {})


def keys_in_schema(schema: Schema, references: SchemaReferences) -> dict[str, Any]:
    """Return the schema of a mapping with the keys of a section, or with the parameters of a component."""
    properties = {}
    for field in schema.fields:
        entry = type_in_schema(field.type, references)
        meaning = schema.docstring.parameters.get(field.name)
        if meaning:
            entry = entry | {"description": meaning}
        if isinstance(field.default, str | int | float | bool):  # null would be a poor first value
            entry = entry | {"default": field.default}
        properties[field.name] = entry | {"deprecated": True} if field.deprecated else entry
    required = [field.name for field in schema.fields if field.required]
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {})


def _rule_in_schema(rule: OneOf) -> dict[str, Any]:
    """Return the schema of a rule, with what an editor shows where it is broken."""
    given = [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in rule.keys]
    missing = {"errorMessage": f"{rule.missing}; expected {rule.expected}"}
    some = {"anyOf": [one | missing for one in given]}
    if not rule.exclusive:
        return some
    alone = []
    for i, key in enumerate(rule.keys[:-1]):
        no = {"type": "null", "errorMessage": f"{key} is given, too; {KEEP_ONE}"}
        alone.append({"if": given[i], "then": {"properties": dict.fromkeys(rule.keys[i + 1 :], no)}})
    return {"allOf": [some, *alone]}

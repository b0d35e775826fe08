"""JSON Schema of specs, and of what a command that fails prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind, DistinctListType, LayerListType
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.signature import KEEP_ONE, OneOf, Schema, SectionType, parse_docstring
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
from mlpkit.components.schema.wording import either_of
from mlpkit.errors import Code, PluginError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.key_types import DISTRIBUTION, FORMAT, FormatType, RequirementsType
from mlpkit.specfile.sections import STACK_KINDS, TOP_LEVEL, LayerStackType
from mlpkit.specfile.spec import FOLDER_NAME
from mlpkit.specfile.variables import NAME

ANNOTATIONS: Final = ("title", "description", "default", "examples", "deprecated")
OPEN: Final = ("extends", "vars")
"""Keys with which a value may come from elsewhere, so that the schema can't know what is missing or wrong."""
LAYER_NAME: Final = {
    "type": "string",
    "pattern": r"^([^$.]|\$\$)+$",
    "description": "the layer's name; by default its type with a number, such as 1 for the first of its type.",
}


class ComponentDefinitions:
    """The definitions that a schema refers to, made as they are referred to."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._wanted: dict[str, tuple[tuple[str, ...], bool]] = {}

    def __call__(self, kinds: tuple[str, ...], *, named: bool = False) -> dict[str, Any]:
        """Return the reference to any component of these kinds, with a name beside its parameters if ``named``."""
        definition = f"{'named_' if named else ''}{'_or_'.join(kinds)}"
        self._wanted.setdefault(definition, (kinds, named))
        return {"$ref": f"#/$defs/{definition}"}

    def names(self, kind: str) -> dict[str, Any]:
        """Return the schema of a component of a kind, whatever its parameters."""
        names = {"enum": [entry.name for entry in self._sound((kind,))]}
        return {"anyOf": [names, {"type": "object", "propertyNames": names, "minProperties": 1}]}

    def definitions(self) -> dict[str, Any]:
        """Return all that was referred to, and all that these refer to in turn."""
        made: dict[str, Any] = {}
        while waiting := [definition for definition in self._wanted if definition not in made]:
            for definition in waiting:
                made[definition] = self._of_kinds(*self._wanted[definition])
        return made

    def _of_kinds(self, kinds: tuple[str, ...], named: bool) -> dict[str, Any]:
        names: list[dict[str, Any]] = []
        mappings: dict[str, Any] = {}
        for entry in self._sound(kinds):
            parameters, about = keys_in_schema(entry.schema, self), _about(entry)
            if named:
                parameters["properties"]["name"] = LAYER_NAME
            if not parameters.get("required"):
                names.append({"const": entry.name, **about})
                parameters["type"] = ["object", "null"]
            mappings[entry.name] = {"title": entry.name, **parameters, **about}
        if not mappings:
            return {"not": {}, "description": f"{either_of(kinds)}; none is installed"}
        mapping = {
            "type": "object",
            "properties": mappings,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "errorMessage": f"expected {either_of(kinds)}: {', '.join(mappings)}",
        }
        summaries = (parse_docstring(KINDS[kind].base_class().__doc__).summary for kind in kinds)
        return {"title": either_of(kinds), "description": " ".join(summaries), "anyOf": [mapping, *names]}

    def _sound(self, kinds: tuple[str, ...]) -> Iterator[RegisteredComponent]:
        for entry in self._registry.components(kinds):
            try:
                _ = entry.schema
            except PluginError:  # what can't be loaded can't be used in a spec either; `mlpkit plugins` names it
                continue
            yield entry


def _about(entry: RegisteredComponent) -> dict[str, Any]:
    docstring, advice = entry.schema.docstring, entry.declaration.advice
    deprecated = f"Deprecated: {advice}." if advice else ""
    parts = [deprecated, docstring.summary, docstring.body, f"From {entry.plugin.label}."]
    about: dict[str, Any] = {"description": "\n\n".join(filter(None, parts))}
    return about | ({"deprecated": True} if advice else {})


SCALARS: Final = {
    IntegerType: "integer",
    NumberType: "number",
    BooleanType: "boolean",
    TextType: "string",
    NullType: "null",
}
RANGE: Final = r"^\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*(,\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*)*$"
"""What a version range looks like."""


def type_in_schema(kind: ValueType, references: ComponentDefinitions) -> dict[str, Any]:
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


def keys_in_schema(schema: Schema, references: ComponentDefinitions) -> dict[str, Any]:
    """Return the schema of a mapping with the keys of a section, or with the parameters of a component."""
    properties = {}
    for field in schema.fields:
        entry = type_in_schema(field.type, references)
        meaning = schema.docstring.parameters.get(field.name)
        if meaning:
            entry = entry | {"description": meaning}
        if type(field.default) in (str, int, float):  # null would be a poor first value; true is written without need
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


DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema of specs, from which editors complete and check them.

    Of a spec that extends another or has variables, only its own keys are checked. Broken plugins are left out.
    """
    registry.examined()
    components = ComponentDefinitions(registry)
    spec = _of_spec(components)
    keys = {
        key: schema if key in OPEN else {word: schema[word] for word in ANNOTATIONS if word in schema}
        for key, schema in spec["properties"].items()
    }
    return {
        "$schema": DIALECT,
        "title": "mlpkit spec",
        "description": "A network, its data, and how it is trained.",
        "type": "object",
        "if": {"anyOf": [{"required": [key]} for key in OPEN]},
        "then": {"properties": with_markdown(keys), "additionalProperties": False},
        "else": {"$ref": "#/$defs/spec"},
        "$defs": with_markdown({"spec": spec} | components.definitions()),
    }


def with_markdown(schema: Any) -> Any:
    """Return a schema in which descriptions with code or several paragraphs are marked as Markdown, for editors."""
    if isinstance(schema, list):
        return [with_markdown(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {keyword: with_markdown(value) for keyword, value in schema.items()}
    text = schema.get("description")
    if isinstance(text, str) and ("`" in text or "\n" in text):
        result["markdownDescription"] = text
    return result


def _of_spec(definitions: ComponentDefinitions) -> dict[str, Any]:
    """Return the keys of a spec, with what the code that reads the text asks of some."""
    schema = type_in_schema(TOP_LEVEL, definitions)
    narrowed: dict[str, dict[str, Any]] = {
        "name": {"anyOf": [{"type": "string", "pattern": f"^{FOLDER_NAME.pattern}$"}, {"type": "null"}]},
        "vars": {"type": "object", "propertyNames": {"pattern": f"^{NAME}$"}},
        "extends": {"type": "string", "pattern": "^[^$]+$"},
    }
    for key, form in narrowed.items():
        schema["properties"][key] = {"description": schema["properties"][key]["description"]} | form
    return schema


TEXT: Final = {"type": ["string", "null"]}
COUNT: Final = {"type": ["integer", "null"], "minimum": 1}
LIST_OF_PROBLEMS: Final = {"type": "array", "items": {"$ref": "#/$defs/problem"}}


def problem_schema() -> dict[str, Any]:
    """Return the JSON Schema of what a command that fails prints with ``--json``."""
    return {
        "$schema": DIALECT,
        "title": "What ended a command of mlpkit",
        "$defs": {
            "problem": _object(
                code={"enum": list(get_args(Code))},
                message={"type": "string"},
                file=TEXT,
                line=COUNT,
                column=COUNT,
                end_line=COUNT,
                end_column=COUNT,
                path=TEXT,
                expected=TEXT,
                help=TEXT,
                notes={"type": "array", "items": {"type": "string"}},
                fix={"anyOf": [{"type": "null"}, _object(path=TEXT, old={"type": "string"}, new={"type": "string"})]},
                docs={"type": "string"},
            )
        },
        **_object(ok={"const": False}, problems=LIST_OF_PROBLEMS | {"minItems": 1}, warnings=LIST_OF_PROBLEMS),
        "additionalProperties": True,
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

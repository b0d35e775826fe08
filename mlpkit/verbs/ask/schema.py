"""JSON Schema of specs, and of what a command that fails prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import parse_docstring
from mlpkit.components.schema.wording import either_of
from mlpkit.errors import Code, PluginError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.sections import STACK_KINDS, TOP_LEVEL
from mlpkit.specfile.spec import FOLDER_NAME
from mlpkit.specfile.variables import NAME, REFERENCE
from mlpkit.verbs.ask.types_in_schema import keys_in_schema, type_in_schema

VARIABLE: Final = {
    "type": "string",
    "pattern": f"^{REFERENCE}$".replace("(?:", "("),
    "patternErrorMessage": "expected parameters, or a variable such as $name",
    "description": "A variable: one of the values that vars sets.",
}
A_VARIABLE: Final = {"$ref": "#/$defs/variable"}
A_VARIABLE_TOO: Final = {keyword: VARIABLE[keyword] for keyword in ("pattern", "patternErrorMessage")}
"""What a schema of something else says of texts, if variables may stand for it."""
NO_SINGLE_DOLLAR: Final = r"^([^$]|\$\$)*$"
"""What texts look like: ``$$`` is a dollar."""
PATH: Final = rf"^({REFERENCE}[/\\])?([^$]|\$\$)*$".replace("(?:", "(")
"""What names of files look like, which a variable may begin."""

ANNOTATIONS: Final = ("title", "description", "default", "examples", "deprecated")
AS_WRITTEN: Final = ("vars", "extends")
"""Keys whose values are taken before variables are put in."""


def with_variables(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which each value inside may be a variable."""
    result = dict(schema)
    for keyword in ("anyOf", "allOf"):
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
        result["pattern"] = PATH if schema.get("format") == "path" else NO_SINGLE_DOLLAR
    if "contains" in schema:  # what a variable stands for is not known here
        keywords = ("contains", "minContains", "maxContains", "errorMessage")
        result |= {"if": {"contains": A_VARIABLE}, "else": {keyword: result.pop(keyword) for keyword in keywords}}
    return result


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    inner = with_variables(schema)
    annotations: dict[str, Any] = {word: inner.pop(word) for word in ANNOTATIONS if word in inner}
    if not inner:  # anything will do
        return annotations
    if "properties" in inner and not inner.keys() & {"anyOf", "allOf"}:
        types = inner["type"] if isinstance(inner["type"], list) else [inner["type"]]
        return annotations | inner | A_VARIABLE_TOO | {"type": [*types, "string"]}
    alternatives = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return annotations | {"anyOf": [*alternatives, A_VARIABLE]}


PARTIAL: Final = "partial_"
LAYER_NAME: Final = {
    "type": "string",
    "pattern": r"^([^$.]|\$\$)+$",
    "description": "the layer's name; by default its type with a number, such as 1 for the first of its type.",
}


class ComponentDefinitions:
    """The definitions that a schema refers to, made as they are referred to.

    Partial ones are for specs that are merged with others, so that no parameter is required.
    """

    def __init__(self, registry: Registry, *, partial: bool = False) -> None:
        self._registry = registry
        self._prefix = PARTIAL if partial else ""
        self._partial = partial
        self._wanted: dict[str, tuple[tuple[str, ...], bool]] = {}

    def __call__(self, kinds: tuple[str, ...], *, named: bool = False) -> dict[str, Any]:
        """Return the reference to any component of these kinds, with a name beside its parameters if ``named``."""
        definition = f"{self._prefix}{'named_' if named else ''}{'_or_'.join(kinds)}"
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

    def relaxed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema that requires nothing, but for the items of lists: lists replace others as a whole."""
        result = {keyword: value for keyword, value in schema.items() if keyword not in ("required", "allOf")}
        if "properties" in result:
            result["properties"] = {name: self.relaxed(inner) for name, inner in result["properties"].items()}
        if "anyOf" in result:
            result["anyOf"] = [self.relaxed(alternative) for alternative in result["anyOf"]]
        return result | {keyword: _whole(result[keyword]) for keyword in ("items", "prefixItems") if keyword in result}

    def _of_kinds(self, kinds: tuple[str, ...], named: bool) -> dict[str, Any]:
        names: list[dict[str, Any]] = []
        mappings: dict[str, Any] = {}
        for entry in self._sound(kinds):
            parameters, about = self._parameters(entry, named), _about(entry)
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

    def _parameters(self, entry: RegisteredComponent, named: bool) -> dict[str, Any]:
        schema = keys_in_schema(entry.schema, self)
        if named:
            schema["properties"]["name"] = LAYER_NAME
        return self.relaxed(schema) if self._partial else schema


def _whole(items: Any) -> Any:
    if isinstance(items, list):
        return [_whole(item) for item in items]
    if isinstance(items, dict):
        return {
            word: value.replace(f"/{PARTIAL}", "/") if word == "$ref" else _whole(value)
            for word, value in items.items()
        }
    return items


def _about(entry: RegisteredComponent) -> dict[str, Any]:
    docstring, advice = entry.schema.docstring, entry.declaration.advice
    deprecated = f"Deprecated: {advice}." if advice else ""
    parts = [deprecated, docstring.summary, docstring.body, f"From {entry.plugin.label}."]
    about: dict[str, Any] = {"description": "\n\n".join(filter(None, parts))}
    return about | ({"deprecated": True} if advice else {})


DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema of specs, from which editors complete and check them.

    A spec that extends another may be incomplete; it has separate definitions, in which nothing is required. Broken
    plugins are left out.
    """
    registry.examined()
    whole = ComponentDefinitions(registry)
    partial = ComponentDefinitions(registry, partial=True)
    extending = partial.relaxed(_of_spec(partial))
    extending["properties"]["layers"] = _list_or_changes(extending["properties"]["layers"], partial)
    specs = {"spec": _of_spec(whole), "extending_spec": extending}
    definitions = _reachable(specs | whole.definitions() | partial.definitions(), tuple(specs))
    return {
        "$schema": DIALECT,
        "title": "mlpkit spec",
        "description": "A network, its data, and how it is trained.",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/extending_spec"},
        "else": {"$ref": "#/$defs/spec"},
        "$defs": with_markdown(
            {"variable": VARIABLE} | {name: with_variables(schema) for name, schema in definitions.items()}
        ),
    }


def _list_or_changes(layers: dict[str, Any], definitions: ComponentDefinitions) -> dict[str, Any]:
    """Return the schema of layers where they may also be a mapping by name: of parameters, of other layers, of null."""
    change = {"anyOf": [{"type": ["object", "null"]}, definitions(STACK_KINDS, named=True)]}
    layers = dict(layers)
    description = layers.pop("description")
    return {"description": description, "anyOf": [layers, {"type": "object", "additionalProperties": change}]}


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

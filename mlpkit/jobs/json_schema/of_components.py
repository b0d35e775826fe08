"""The definitions of the kinds of component: a name, or a mapping from a name to parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.docstring import parse_docstring
from mlpkit.components.schema.wording import either_of
from mlpkit.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.registry.registry import RegisteredComponent, Registry

PARTIAL: Final = "partial_"
LAYER_NAME: Final = {
    "type": "string",
    "pattern": r"^([^$.]|\$\$)+$",
    "description": "the layer's name; by default its type and ordinal, such as the first's of its type with a 1.",
}


class ComponentDefinitions:
    """The definitions that a schema refers to, made as they are referred to.

    Args:
        registry: the plugins that the components come from.
        partial: whether they are for specs that are merged with others, so that no parameter is required.
    """

    def __init__(self, registry: Registry, *, partial: bool = False) -> None:
        self._registry = registry
        self._prefix = PARTIAL if partial else ""
        self._partial = partial
        self._wanted: dict[str, tuple[tuple[str, ...], bool]] = {}

    def __call__(self, kinds: tuple[str, ...], *, named: bool = False) -> dict[str, Any]:
        """Return the reference to any component of these kinds.

        Args:
            kinds: the kinds.
            named: whether it may have a name beside its parameters.
        """
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
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in ("required", "oneOf"):
                continue
            if keyword == "properties":
                result[keyword] = {name: self.relaxed(inner) for name, inner in value.items()}
            elif keyword in ("items", "prefixItems"):
                result[keyword] = _whole(value)
            elif keyword == "anyOf":
                result[keyword] = [self.relaxed(alternative) for alternative in value]
            else:
                result[keyword] = value
        return result

    def _of_kinds(self, kinds: tuple[str, ...], named: bool) -> dict[str, Any]:
        names: list[dict[str, Any]] = []
        mappings: dict[str, Any] = {}
        for entry in self._sound(kinds):
            parameters, about = self._parameters(entry, named), _about(entry)
            if not parameters.get("required"):
                names.append({"const": entry.name, **about})
                parameters = {"anyOf": [parameters, {"type": "null"}]}
            mappings[entry.name] = parameters | about
        if not mappings:
            return {"not": {}, "description": f"{either_of(kinds)}; none is installed"}
        mapping = {
            "type": "object",
            "properties": mappings,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"title": either_of(kinds), "description": _what(kinds), "anyOf": [*names, mapping]}

    def _sound(self, kinds: tuple[str, ...]) -> Iterator[RegisteredComponent]:
        for entry in self._registry.components(kinds):
            try:
                _ = entry.signature
            except PluginError:  # what can't be loaded can't be used in a spec either; `mlpkit plugins` names it
                continue
            yield entry

    def _parameters(self, entry: RegisteredComponent, named: bool) -> dict[str, Any]:
        schema = entry.signature.json_schema(self)
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
    docstring, advice = entry.signature.docstring, entry.declaration.deprecated
    said = [
        f"Deprecated: {advice}." if advice else "",
        docstring.summary,
        docstring.body,
        f"From {entry.plugin.label}.",
    ]
    about: dict[str, Any] = {"description": "\n\n".join(filter(None, said))}
    return about | ({"deprecated": True} if advice else {})


def _what(kinds: tuple[str, ...]) -> str:
    return " ".join(parse_docstring(KINDS[kind].base_class().__doc__).summary for kind in kinds)

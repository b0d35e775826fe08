"""What a key of a spec means, what its value is, and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from mlpkit.components.schema.component_types import ComponentOfKind, LayerListType, layer_names
from mlpkit.components.schema.context import CheckContext, ValueType, show
from mlpkit.components.schema.recipe import KeyPath, Recipe, written
from mlpkit.components.schema.signature import ParameterSchema, Schema, SectionType, schema_of
from mlpkit.components.schema.types import ListType, MappingType, TextType, without_null
from mlpkit.errors import UsageError
from mlpkit.specfile.key_types import RequirementsType
from mlpkit.specfile.keys import keys_below, keys_meant, suggestion
from mlpkit.specfile.sections import EXTENDS, STACK_KINDS, TOP_LEVEL, LayerStackType
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.variables import VARS
from mlpkit.specfile.yaml_writer import value_or_not_set


@dataclass(frozen=True)
class Explanation:
    """A key, explained: value and default are in a spec's notation, and a default has no place."""

    key: str
    value: Any
    place: str
    type: str
    default: Any
    required: bool
    meaning: str
    notes: tuple[str, ...]

    @property
    def value_in_words(self) -> str:
        """The value in a spec's notation."""
        return value_or_not_set(self.value)

    @property
    def default_in_words(self) -> str:
        """The default in a spec's notation."""
        return "required" if self.required else value_or_not_set(self.default)


@dataclass(frozen=True)
class _Position:
    """Where a walk along a key has come to."""

    type: ValueType
    checked: Any
    path: KeyPath
    field: ParameterSchema | None = None
    meaning: str = ""


def explain(spec: Spec, key: str) -> Explanation:
    """Explain a key of a spec, such as ``training.batch_size`` or ``layers.Affine1.units``."""
    if key == EXTENDS:
        raise UsageError("the files that extends names are merged into the spec; ask for a key that they set")
    position = _position(spec, key)
    field = position.field
    needed = field is not None and field.required  # a text may stand for a section with one needed key
    stands_in_text = needed or spec.document.has_value(position.path)
    return Explanation(
        key=key,
        value=_shortened(written(position.checked)),
        place=str(spec.document.place(position.path)) if stands_in_text else "",
        type=position.type.describe(),
        default=None if field is None or field.required else written(field.default),
        required=field is None or field.required,
        meaning=position.meaning,
        notes=spec.document.origin_notes(position.path) if stands_in_text else (),
    )


def _position(spec: Spec, key: str) -> _Position:
    whole = replace(spec.top_level, vars=spec.document.variables or None)
    position, above, below = _Position(TOP_LEVEL, whole, ()), "", key.split(".")
    while below:
        count = _parts_of_name(below, position.checked)
        name = ".".join(below[:count])
        found = _step(position, name)
        if found is None:
            raise _unknown(name, above, ".".join(below), position)
        position, above, below = found, f"{above}.{name}".lstrip("."), below[count:]
    return position


def _unknown(name: str, above: str, wanted: str, position: _Position) -> UsageError:
    keys = [key for key, _ in keys_below(position.checked, above)]
    remedy = suggestion(keys_meant(wanted, keys))
    if keys and not remedy:
        names = dict.fromkeys(key.removeprefix(f"{above}.").partition(".")[0] for key in keys)
        remedy = f"expected one of {', '.join(names)}"
    place = f" in '{above}'" if above else ""
    return UsageError("; ".join(filter(None, [f"unknown key {show(name)}{place}", remedy])))


def _parts_of_name(parts: list[str], checked: Any) -> int:
    """Return how many parts of a key are the first name: several if it is that of a plugin's component."""
    named = checked.name.split(".") if isinstance(checked, Recipe) else []
    return len(named) if named and parts[: len(named)] == named else 1


def explain_all(spec: Spec) -> Iterator[Explanation]:
    """Explain every key of a spec that holds no others."""
    whole = replace(spec.top_level, vars=spec.document.variables or None)
    keys = [key for key, _ in keys_below(whole)]
    for key, following in zip_longest(keys, keys[1:], fillvalue=""):
        if not following.startswith(f"{key}.") and key != EXTENDS:
            yield explain(spec, key)


def _step(position: _Position, name: str) -> _Position | None:
    """Return what a key is at a position; None if nothing there has that name."""
    kind, checked, path = without_null(position.type), position.checked, position.path
    if isinstance(kind, SectionType):
        values = vars(checked) if checked is not None else kind.schema.check({}, path, CheckContext())
        return _field(kind.schema, values, path, name)
    if isinstance(kind, LayerStackType):
        member = next((member for member in checked if member.name == name), None)
        one = ComponentOfKind(STACK_KINDS, ())
        return member and _Position(one, member.recipe, member.path, meaning=_meaning(member.recipe))
    if isinstance(checked, Recipe):
        inside: KeyPath = (*path, checked.name)
        if name == checked.name:
            return _Position(kind, checked, path, position.field, _meaning(checked))
        schema = schema_of(checked.component)
        if name not in schema.types and (held := _list_with_layer(checked, name)):
            layers = _field(schema, checked.arguments, inside, held)
            return layers and _step(layers, name)
        return _field(schema, checked.arguments, inside, name)
    if isinstance(kind, ListType) and name in (names := _item_names(kind, checked)):
        index = names.index(name)
        item = checked[index]
        meaning = _meaning(item) if isinstance(item, Recipe) else ""
        return _Position(kind.items, item, (*path, index), meaning=meaning)
    if isinstance(kind, MappingType) and name in (checked or ()):
        meaning = f"a value, used elsewhere as ${name}." if path == (VARS,) else ""
        return _Position(kind.values, checked[name], (*path, name), meaning=meaning)
    if isinstance(kind, RequirementsType) and name in (checked or ()):
        return _Position(TextType(), checked[name], (*path, name), meaning=f"the accepted versions of {name}.")
    return None


def _meaning(recipe: Recipe[Any]) -> str:
    return schema_of(recipe.component).docstring.summary


def _list_with_layer(recipe: Recipe[Any], name: str) -> str | None:
    """Return the parameter of a layer that lists one of that name, so that its own name may be left out."""
    types = schema_of(recipe.component).types
    for parameter, value in recipe.arguments.items():
        kind = without_null(types[parameter])
        if value is None or not isinstance(kind, ListType):
            continue
        of_layers = any(isinstance(each, LayerListType) for each in (kind, kind.items))
        if of_layers and name in _item_names(kind, value):
            return parameter
    return None


def _item_names(kind: ListType, items: Any) -> list[str]:
    """Return what the items of a list go by: layers by their names, other components by theirs, values by position."""
    if isinstance(kind, LayerListType):
        return layer_names(written(items))
    return [item.name if isinstance(item, Recipe) else str(i) for i, item in enumerate(items)]


def _field(schema: Schema, checked: Any, path: KeyPath, name: str) -> _Position | None:
    field = next((field for field in schema.fields if field.name == name), None)
    meaning = schema.docstring.parameters.get(name, "")
    return field and _Position(field.type, checked[name], (*path, name), field, meaning)


def _shortened(plain: Any) -> Any:
    """Write components without parameters as their bare names."""
    if isinstance(plain, dict):
        if len(plain) == 1 and next(iter(plain.values())) == {}:
            return next(iter(plain))
        return {key: _shortened(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_shortened(item) for item in plain]
    return plain

"""The text of the spec that is played with: reading it, the options in it, and changing a value or a layer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.types import BoundedType, EitherType, IntegerType
from mlpkit.errors import SpecError
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document, parse_document, read_document
from mlpkit.specfile.sections import Training
from mlpkit.specfile.spec import Spec, check_document
from mlpkit.specfile.yaml_writer import to_inline_yaml, to_yaml

LAYER_LINE: Final = "layers:\n  - "


@dataclass(frozen=True)
class SpecText:
    """A spec's text, which need not be that of its file.

    Args:
        path: the file, whose folder relative paths start from.
        text: the text.
        registry: the plugins that its components come from.
    """

    path: Path
    text: str
    registry: Registry

    def spec(self) -> Spec:
        """Return the spec, checked but not proved, or raise ``SpecError``."""
        return check_document(self._document(), self.registry)

    def with_number(self, key: str, value: object) -> SpecText:
        """Return the text with another number; comments stay, unless the number wasn't written at its own place.

        Raises:
            SpecError: there is no such key, or the text is wrong.
        """
        wanted = self._document({key: value})
        knob = next((knob for knob in knobs_of(self.spec()) if knob.key == key), None)
        if knob is not None:
            place = self._document().place(knob.path)
            changed = self.text[: place.start] + to_inline_yaml(value) + self.text[place.end :]
            if self._reads_as(changed, wanted.values):
                return replace(self, text=changed)
        return replace(self, text=to_yaml(wanted.values))

    def with_layer(self, position: int, line: str | None, *, insert: bool = False) -> SpecText:
        """Return the text with a layer, written as in a spec, in place of another or before it; None removes it.

        Raises:
            SpecError: the layer can't be read.
        """
        values = self._document().values
        layers = list(values["layers"])
        new = [] if line is None else parse_document(LAYER_LINE + line, "the layer").values["layers"]
        layers[position : position + (not insert)] = new
        return replace(self, text=to_yaml({**values, "layers": layers}))

    def layer_lines(self) -> list[str]:
        """Return each layer as it is written, on one line."""
        return [_line(layer) for layer in self._document().values["layers"]]

    def _reads_as(self, text: str, values: Mapping[str, Any]) -> bool:
        try:
            return read_document(self.path, texts=self._texts(text)).values == values
        except SpecError:
            return False

    def _document(self, overrides: Mapping[str, object] = {}) -> Document:
        return read_document(self.path, overrides, texts=self._texts(self.text))

    def _texts(self, text: str) -> Mapping[str, str]:
        return {os.path.normpath(Path.cwd() / self.path): text}


def _line(layer: Any) -> str:
    if isinstance(layer, dict) and len(layer) == 1:
        ((name, parameters),) = layer.items()
        return f"{name}: {to_inline_yaml(parameters)}"
    return to_inline_yaml(layer)


OF_TRAINING: Final = ("batch_size", "iterations", "epochs")


class Knob(NamedTuple):
    """A number of a spec.

    Args:
        key: its dotted key, as after ``--set``.
        path: its place in the spec.
        group: the component that it belongs to.
        label: what it is called.
        value: the number.
        bounds: the ends of its range by their keyword in JSON Schema, such as ``minimum``.
        integer: whether it is a whole number.
        meaning: what it means, in a sentence.
    """

    key: str
    path: KeyPath
    group: str
    label: str
    value: float
    bounds: dict[str, float]
    integer: bool
    meaning: str


def knobs_of(spec: Spec) -> list[Knob]:
    """Return the knobs of a spec, those of the training first."""
    schema = schema_of(Training)
    found = [*_knobs_below("training.optimizer", ("training", "optimizer"), spec.training.optimizer)]
    for name in OF_TRAINING:
        value, meaning = getattr(spec.training, name), schema.docstring.parameters[name]
        found.append(
            _knob(f"training.{name}", ("training", name), "training", name, value, schema.types[name], meaning)
        )
    for member in spec.layers:
        found += _knobs_below(f"layers.{member.name}", member.path, member.recipe, member.name)
    return [knob for knob in found if knob is not None]


def _knobs_below(key: str, path: KeyPath, recipe: Recipe[Any], group: str = "") -> Iterator[Knob | None]:
    """Go through the numbers of a component, and of those that it is given, such as a schedule."""
    schema = schema_of(recipe.component)
    for name, kind in schema.types.items():
        value, place = recipe.arguments[name], (*path, recipe.name, name)
        if isinstance(value, Recipe):
            yield from _knobs_below(f"{key}.{name}", place, value, group or recipe.name)
        else:
            meaning = schema.docstring.parameters.get(name, "")
            yield _knob(f"{key}.{name}", place, group or recipe.name, name, value, kind, meaning)


def _knob(key: str, path: KeyPath, group: str, name: str, value: object, kind: ValueType, meaning: str) -> Knob | None:
    number = _number_type(kind)
    if number is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    bounds = {bound.keyword: bound.limit for bound in number.bounds}
    return Knob(key, path, group, name.replace("_", " "), value, bounds, isinstance(number, IntegerType), meaning)


def _number_type(kind: ValueType | None) -> BoundedType | None:
    """Return the type of the numbers that a type takes, perhaps beside other values."""
    if isinstance(kind, ComponentOfKind):
        return _number_type(kind.literal)
    if isinstance(kind, OrAutoType):
        return _number_type(kind.value)
    if isinstance(kind, EitherType):
        return next(filter(None, map(_number_type, kind.alternatives)), None)
    return kind if isinstance(kind, BoundedType) else None

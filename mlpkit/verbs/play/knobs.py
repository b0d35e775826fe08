"""The numbers of a spec that can be turned: of the optimizer, the training and the layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.types import BoundedType, EitherType, IntegerType
from mlpkit.specfile.sections import Training
from mlpkit.specfile.spec import Spec

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

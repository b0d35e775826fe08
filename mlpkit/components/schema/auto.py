"""Parameters that a spec may leave to the data: units of the last layer, and weights of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Annotated, Any, Final, TypeAlias

from mlpkit.components.schema.context import INVALID, CheckContext, ValueType, show
from mlpkit.components.schema.recipe import Auto, KeyPath
from mlpkit.components.schema.types import Bound, ChoiceType, IntegerType, ListType, MappingType, NumberType
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.components.target import Classes, DataFacts
from mlpkit.errors import WrongUseError


@dataclass(frozen=True)
class OrAutoType(ValueType):
    """A value, or what leaves it to the data, such as the word ``auto``.

    Args:
        value: the type of the value.
        automatic: the types of values that leave it to the data.
        fill_in: returns the value, from the spec's value and what is known of the data.
        stand_in: what a component is built with until then.
    """

    value: ValueType
    automatic: tuple[ValueType, ...]
    fill_in: Callable[[Any, DataFacts], object]
    stand_in: object

    def describe(self) -> str:
        """Describe what is expected."""
        return ", or ".join(kind.describe() for kind in (self.value, *self.automatic))

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the value, or what fills it in."""
        faults = []
        for kind in self.automatic:
            attempt = CheckContext()
            written = kind.check(value, path, attempt)
            without_data = not context.resolve  # a call from Python
            if written is not INVALID and without_data:
                what = f"{show(written)} only works in specs, where the data fills it in"
                return context.report(path, what, expected=self.value.describe())
            if written is not INVALID:
                return Auto(written, partial(self.fill_in, written), self.stand_in)
            faults += [fault for fault in attempt.faults if fault.remedy or len(fault.path) > len(path)]
        found = self.value.check(value, path, CheckContext() if faults else context)
        if found is INVALID:
            last = faults[0] if faults else context.faults.pop()
            context.faults.append(last._replace(expected=self.describe()) if last.path == path else last)
        return found


def _units(written: str, facts: DataFacts) -> int:
    """Return as many units as the loss takes for the data's target."""
    shape = facts.loss_inputs()
    if shape is None:
        what = f"{facts.loss_name} doesn't declare how many inputs it takes for {facts.target}"
        raise WrongUseError(f"{written} can't be filled in: {what}", expected="a number of units")
    return prod(shape)


def _class_weights(written: str | Mapping[str, float], facts: DataFacts) -> list[float]:
    """Return a weight per class: balanced, or that of its name, or 1."""
    if not isinstance(facts.target, Classes):
        raise WrongUseError(f"the data gives {facts.target}, which have no class weights")
    if isinstance(written, str):
        return _balanced_weights(facts)
    names = facts.class_names()
    for name in written:
        if name not in names:
            message, shown = f"unknown class {show(name)}", ", ".join(names[:20])
            raise WrongUseError(message, expected=f"some of {shown}", remedy=did_you_mean(name, names))
    return [float(written.get(name, 1.0)) for name in names]


def _balanced_weights(facts: DataFacts) -> list[float]:
    """Return weights with which the training rows of each class weigh the same, as scikit-learn does.

        weight of a class = rows / (classes · rows of the class)

    A row that has a weight counts that often. Classes without a training row don't count, and have weight 1.
    """
    counts = [float(count) for count in facts.class_counts()]
    rows, classes = sum(counts), sum(count > 0 for count in counts)
    return [rows / (classes * count) if count else 1.0 for count in counts]


_COUNT: Final = IntegerType((Bound("at least", "minimum", 1),))
_WEIGHT: Final = NumberType((Bound("at least", "minimum", 0),))
_BALANCED_OR_BY_NAME: Final = (ChoiceType(("balanced",)), MappingType(_WEIGHT))

Units: TypeAlias = Annotated[int, OrAutoType(_COUNT, (ChoiceType(("auto",)),), _units, 1)]
"""A parameter that takes a number of units, or ``auto``; the constructor gets a number."""

ClassWeights: TypeAlias = Annotated[
    list[float], OrAutoType(ListType(_WEIGHT), _BALANCED_OR_BY_NAME, _class_weights, None)
]
"""A parameter that takes weights of classes: a list, ``balanced``, or a mapping from names of classes.

The constructor gets a number per class.
"""

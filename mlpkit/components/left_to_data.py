"""Parameters that a spec may leave to the data: units of the last layer, and weights of the classes."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from mlpkit.components.schema.context import show
from mlpkit.components.schema.types import (
    Bound,
    ChoiceType,
    IntegerType,
    ListType,
    MappingType,
    NumberType,
    OrLeftToDataType,
)
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.components.target import Classes
from mlpkit.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.target import DataFacts


def _units(said: str, facts: DataFacts) -> int:
    """Return as many units as the loss takes for the data's target.

    Raises:
        WrongUseError: the loss doesn't say how many.
    """
    shape = facts.loss_inputs()
    if shape is None:
        what = f"{facts.loss_name} doesn't say how many inputs it takes for {facts.target}"
        raise WrongUseError(f"{said} can't be filled in: {what}", expected="a number of units")
    return prod(shape)


def _class_weights(said: str | Mapping[str, float], facts: DataFacts) -> list[float]:
    """Return a weight per class.

    Raises:
        WrongUseError: the target is not classes, or there is no class of a name.
    """
    if not isinstance(facts.target, Classes):
        raise WrongUseError(f"the data gives {facts.target}, which have no class weights")
    return _balanced_weights(facts) if isinstance(said, str) else _weights_by_name(said, facts)


def _balanced_weights(facts: DataFacts) -> list[float]:
    """Return weights with which the training rows of each class weigh the same, as scikit-learn does.

        weight of a class = rows / (classes · rows of the class)

    A row that has a weight counts as often as that says. Classes without a training row don't count, and have weight 1.
    """
    counts = [float(count) for count in facts.class_counts()]
    rows, classes = sum(counts), sum(count > 0 for count in counts)
    return [rows / (classes * count) if count else 1.0 for count in counts]


def _weights_by_name(weights: Mapping[str, float], facts: DataFacts) -> list[float]:
    """Return a weight per class: that of its name, or 1.

    Raises:
        WrongUseError: there is no class of a name.
    """
    names = facts.class_names()
    for name in weights:
        if name not in names:
            message, shown = f"there is no class {show(name)}", ", ".join(names[:20])
            raise WrongUseError(message, expected=f"some of {shown}", remedy=did_you_mean(name, names))
    return [float(weights.get(name, 1.0)) for name in names]


_COUNT: Final = IntegerType((Bound("at least", "minimum", 1),))
_WEIGHT: Final = NumberType((Bound("at least", "minimum", 0),))
_BALANCED_OR_BY_NAME: Final = (ChoiceType(("balanced",)), MappingType(_WEIGHT))

Units: TypeAlias = Annotated[int, OrLeftToDataType(_COUNT, (ChoiceType(("auto",)),), _units, 1)]
"""A parameter that takes a number of units, or ``auto``; the constructor gets a number."""

ClassWeights: TypeAlias = Annotated[
    list[float], OrLeftToDataType(ListType(_WEIGHT), _BALANCED_OR_BY_NAME, _class_weights, None)
]
"""A parameter that takes weights of classes: a list, ``balanced``, or a mapping from names of classes.

The constructor gets a number per class.
"""

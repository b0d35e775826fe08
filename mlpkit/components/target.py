"""Targets: what a data set asks a network to predict."""

from __future__ import annotations

import math
import reprlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Classes:
    """One of ``count`` classes for each example.

    Args:
        count: number of classes.
        one_hot: whether targets are one-hot rows instead of class numbers.
        ordered: whether the numbers of the classes follow an order that means something, as that of grades does; false
            for names in alphabetical order. Comparison ignores it.
    """

    count: int
    one_hot: bool = False
    ordered: bool = field(default=True, compare=False, repr=False)

    def array(self, dtype: np.dtype[Any]) -> tuple[tuple[int, ...], Any]:
        """Return the shape of one example's target and the dtype that targets are kept in."""
        return ((self.count,), dtype) if self.one_hot else ((), "int64")

    def __str__(self) -> str:
        """Read as in ``10 classes``."""
        return f"{self.count} classes"


@dataclass(frozen=True)
class Labels:
    """Any number of ``count`` labels for each example, as a row of zeros and ones.

    Args:
        count: number of labels.
    """

    count: int

    def array(self, dtype: np.dtype[Any]) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype, as ``Classes.array`` does."""
        return (self.count,), dtype

    def __str__(self) -> str:
        """Read as in ``5 labels``."""
        return f"{self.count} labels"


@dataclass(frozen=True)
class ValuesScaling:
    """How a network computes with values: z = (v - mean) / std, with v the value or its logarithm.

    Args:
        means: the mean of each value, in the order of a flat array.
        stds: its standard deviation.
        log: whether v is the natural logarithm of the value.
        bounds: the least values that are predicted, and the greatest; None for no bounds.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    log: bool = False
    bounds: tuple[tuple[float, ...], tuple[float, ...]] | None = None


@dataclass(frozen=True)
class Values:
    """Real values for each example.

    Args:
        shape: shape of one example's values.
        scaling: how a network scales them; None for not at all. Comparison ignores it.
    """

    shape: tuple[int, ...]
    scaling: ValuesScaling | None = field(default=None, compare=False, repr=False)

    def array(self, dtype: np.dtype[Any]) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype, as ``Classes.array`` does."""
        return self.shape, dtype

    def __str__(self) -> str:
        """Read as in ``real values of shape (3,)``."""
        return f"real values of shape {self.shape}"


Target: TypeAlias = Classes | Labels | Values


class DataFacts(Protocol):
    """Facts about the data, from which mlpkit fills in the values that a spec leaves open."""

    @property
    def target(self) -> Target:
        """What to predict."""

    @property
    def loss_name(self) -> str:
        """The loss's name in the spec."""

    def loss_inputs(self) -> tuple[int, ...] | None:
        """Return the shape of the inputs that the loss takes for the target; None if unknown."""

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes; their numbers, as texts, if they have no others."""

    def class_counts(self) -> NDArray[Any]:
        """Return how many training examples each class has."""


def target_to_plain(target: Target) -> dict[str, Any]:
    """Return a target as plain data, to be kept with a model."""
    plain = {"type": type(target).__name__, **asdict(target)}
    plain.pop("ordered", None)  # only building a network needs it
    scaling = plain.pop("scaling", None)
    if scaling is not None:
        plain["scaling"] = {key: value for key, value in scaling.items() if value is not None}
    return plain


def target_from_plain(plain: dict[str, Any]) -> Target:
    """Return a target from plain data.

    Raises:
        ValueError: it is not a target.
    """
    match plain:
        case {"type": "Classes", "count": count, "one_hot": bool(one_hot)} if is_length(count) and len(plain) == 3:
            return Classes(count, one_hot)
        case {"type": "Labels", "count": count} if is_length(count) and len(plain) == 2:
            return Labels(count)
        case {"type": "Values", "shape": [*shape], **rest} if all(map(is_length, shape)):
            if not rest:
                return Values(tuple(shape))
            if rest.keys() == {"scaling"} and isinstance(rest["scaling"], dict):
                return Values(tuple(shape), _scaling_from_plain(rest["scaling"], math.prod(shape)))
    msg = f"{reprlib.repr(plain)} is not a target"
    raise ValueError(msg)


def _scaling_from_plain(plain: dict[str, Any], count: int) -> ValuesScaling:
    match plain:
        case {"means": means, "stds": stds, "log": bool(log), **rest} if (
            _are_finite(means, count) and _are_finite(stds, count) and min(stds) > 0
        ):
            match rest:
                case {"bounds": [least, greatest]} if (
                    len(rest) == 1 and _are_finite(least, count) and _are_finite(greatest, count)
                ):
                    return ValuesScaling(tuple(means), tuple(stds), log, (tuple(least), tuple(greatest)))
                case {} if not rest:
                    return ValuesScaling(tuple(means), tuple(stds), log)
    msg = f"{reprlib.repr(plain)} is not a scaling of values"
    raise ValueError(msg)


def _are_finite(numbers: object, count: int) -> bool:
    """Whether a value is a list of finite numbers, as many as the count."""
    return (
        isinstance(numbers, list | tuple)
        and len(numbers) == count
        and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
    )


def is_length(value: object) -> bool:
    """Whether a value can be the length of an axis: an integer from 1 up, and not ``true``."""
    return type(value) is int and value >= 1

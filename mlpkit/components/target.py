"""Targets: what a data set asks a network to predict."""

from __future__ import annotations

import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray


class Target(ABC):
    """What a data set asks a network to predict: ``Classes``, ``Labels``, ``Values``, or a data set's own subclass.

    A subclass is a frozen dataclass, listed in the data set's ``target_types``. Predictions of such a target are
    numbers, with the names that the loss's ``prediction_names`` returns; losses and metrics for it come from plugins.
    """

    @abstractmethod
    def array(self, dtype: DTypeLike) -> tuple[tuple[int, ...], Any]:
        """Return the shape of one example's target and the dtype that targets are kept in.

        Args:
            dtype: of the network, float32 or float64.
        """

    @abstractmethod
    def __str__(self) -> str:
        """Return what is predicted, in words, such as ``10 classes``; messages and reports show it."""

    def to_plain(self) -> dict[str, Any]:
        """Return the arguments of the constructor as plain data, which a model file keeps; by default all fields."""
        plain: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the target from what ``to_plain`` returned, with a list for each tuple; by default these are tuples.

        Raises:
            ValueError: ``to_plain`` can't have returned it.
        """
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()})

    def random_examples(self, rows: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return made-up predictions and targets, to check plugins; by default normal numbers of the target's shape."""
        predictions, targets = rng.normal(size=(2, rows, *self.array("float64")[0]))
        return predictions, targets


@dataclass(frozen=True)
class Classes(Target):
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

    def array(self, dtype: DTypeLike) -> tuple[tuple[int, ...], Any]:
        """Return the shape and the dtype of class numbers or of one-hot rows."""
        return ((self.count,), dtype) if self.one_hot else ((), "int64")

    def __str__(self) -> str:
        """Read as in ``10 classes``."""
        return f"{self.count} classes"

    def to_plain(self) -> dict[str, Any]:
        """Return count and ``one_hot``; only building a network needs the order."""
        return {"count": self.count, "one_hot": self.one_hot}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the classes that ``to_plain`` describes."""
        match plain:
            case {"count": count, "one_hot": bool(one_hot)} if is_length(count) and len(plain) == 2:
                return cls(count, one_hot)
        raise _not_a_target(plain)

    def random_examples(self, rows: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return probabilities, and class numbers or one-hot rows."""
        shares = rng.dirichlet([1.0] * self.count, rows)
        even = [1 / self.count] * self.count
        return shares, rng.multinomial(1, even, rows) if self.one_hot else rng.integers(self.count, size=rows)


@dataclass(frozen=True)
class Labels(Target):
    """Any number of ``count`` labels for each example, as a row of zeros and ones.

    Args:
        count: number of labels.
    """

    count: int

    def array(self, dtype: DTypeLike) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype, as ``Classes.array`` does."""
        return (self.count,), dtype

    def __str__(self) -> str:
        """Read as in ``5 labels``."""
        return f"{self.count} labels"

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the labels that ``to_plain`` describes."""
        match plain:
            case {"count": count} if is_length(count) and len(plain) == 1:
                return cls(count)
        raise _not_a_target(plain)

    def random_examples(self, rows: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return probabilities, and zeros and ones."""
        return rng.uniform(0.01, 1, (rows, self.count)), rng.integers(0, 2, (rows, self.count))


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
class Values(Target):
    """Real values for each example.

    Args:
        shape: shape of one example's values.
        scaling: how a network scales them; None for not at all. Comparison ignores it.
    """

    shape: tuple[int, ...]
    scaling: ValuesScaling | None = field(default=None, compare=False, repr=False)

    def array(self, dtype: DTypeLike) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype, as ``Classes.array`` does."""
        return self.shape, dtype

    def __str__(self) -> str:
        """Read as in ``real values of shape (3,)``."""
        return f"real values of shape {self.shape}"

    def to_plain(self) -> dict[str, Any]:
        """Return the shape, and the scaling if there is one."""
        if self.scaling is None:
            return {"shape": self.shape}
        scaling = {key: value for key, value in asdict(self.scaling).items() if value is not None}
        return {"shape": self.shape, "scaling": scaling}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the values that ``to_plain`` describes."""
        match plain:
            case {"shape": [*shape], **rest} if all(map(is_length, shape)):
                if not rest:
                    return cls(tuple(shape))
                if rest.keys() == {"scaling"} and isinstance(rest["scaling"], dict):
                    return cls(tuple(shape), _scaling_from_plain(rest["scaling"], math.prod(shape)))
        raise _not_a_target(plain)


@dataclass(frozen=True)
class DataFacts:
    """Facts about the data, from which mlpkit fills in the values that a spec leaves open.

    Args:
        target: what to predict.
        loss_name: the loss's name in the spec.
        loss_inputs: returns the shape of the inputs that the loss takes for the target; None if unknown.
        class_names: returns the names of the classes; their numbers, as texts, if they have no others.
        class_counts: returns how many training examples each class has, or the sum of their weights.
    """

    target: Target
    loss_name: str
    loss_inputs: Callable[[], tuple[int, ...] | None]
    class_names: Callable[[], tuple[str, ...]]
    class_counts: Callable[[], NDArray[Any]]


def target_to_plain(target: Target) -> dict[str, Any]:
    """Return a target as plain data, to be kept with a model."""
    return {"type": type(target).__name__, **target.to_plain()}


def target_from_plain(plain: dict[str, Any], own: Sequence[type[Target]] = ()) -> Target:
    """Return a target from what ``target_to_plain`` returned; ``own`` are the classes of the data set's own targets."""
    try:
        known: tuple[type[Target], ...] = (Classes, Labels, Values, *own)
        kind = {each.__name__: each for each in known}[plain["type"]]
        return kind.from_plain({key: value for key, value in plain.items() if key != "type"})
    except (KeyError, TypeError) as error:
        raise _not_a_target(plain) from error


def _not_a_target(plain: object) -> ValueError:
    return ValueError(f"{reprlib.repr(plain)} is not a target")


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
    raise ValueError(f"{reprlib.repr(plain)} is not a scaling of values")


def _are_finite(numbers: object, count: int) -> bool:
    """Whether a value is a list of finite numbers, as many as the count."""
    if not isinstance(numbers, list | tuple) or len(numbers) != count:
        return False
    return all(type(number) in (int, float) and math.isfinite(number) for number in numbers)


def is_length(value: object) -> bool:
    """Whether a value can be the length of an axis: an integer from 1 up, and not ``true``."""
    return type(value) is int and value >= 1

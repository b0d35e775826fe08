"""Targets: what a data set asks a network to predict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Classes:
    """One of ``count`` classes for each example.

    Args:
        count: number of classes.
        one_hot: whether targets come as rows with a single one, and not as class numbers.
    """

    count: int
    one_hot: bool = False

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
        """Return the shape of one example's target and the dtype that targets are kept in."""
        return (self.count,), dtype

    def __str__(self) -> str:
        """Read as in ``5 labels``."""
        return f"{self.count} labels"


@dataclass(frozen=True)
class Values:
    """Real values for each example.

    Args:
        shape: shape of one example's values.
    """

    shape: tuple[int, ...]

    def array(self, dtype: np.dtype[Any]) -> tuple[tuple[int, ...], Any]:
        """Return the shape of one example's target and the dtype that targets are kept in."""
        return self.shape, dtype

    def __str__(self) -> str:
        """Read as in ``real values of shape (3,)``."""
        return f"real values of shape {self.shape}"


Target: TypeAlias = Classes | Labels | Values


def target_to_plain(target: Target) -> dict[str, Any]:
    """Return a target as plain data, to be kept with a model."""
    return {"type": type(target).__name__, **asdict(target)}


def target_from_plain(plain: dict[str, Any]) -> Target:
    """Return the target that plain data stands for.

    Raises:
        ValueError: it stands for none.
    """
    try:
        fields = dict(plain)
        name = fields.pop("type")
        if name == "Values":
            return Values(tuple(int(length) for length in fields.pop("shape")), **fields)
        kinds: dict[str, type[Classes | Labels]] = {"Classes": Classes, "Labels": Labels}
        return kinds[name](**fields)
    except (KeyError, TypeError) as error:
        msg = f"{plain!r} is no target"
        raise ValueError(msg) from error

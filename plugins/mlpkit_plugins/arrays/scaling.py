"""Scaling of arrays: by a constant, and to mean 0 and standard deviation 1."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit import ModelFileError
from mlpkit_plugins.arrays.raw_rows import raw_number
from mlpkit_plugins.formats.encoder_state import are_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mlpkit import Graph, Value

ROWS_TOGETHER: Final = 4096


@dataclass(frozen=True)
class Scaling:
    """What is done to inputs.

        x = (raw / divide_by - mean) / std

    Args:
        raw_shape: shape of an example as it is in the file.
        divide_by: a constant.
        means: the mean of each element of an example; None if inputs are not standardized.
        stds: the standard deviation of each element, 1 for an element that doesn't vary; None if inputs are not
            standardized.
    """

    raw_shape: tuple[int, ...]
    divide_by: float = 1.0
    means: NDArray[np.float64] | None = None
    stds: NDArray[np.float64] | None = None

    def fitted(self, parts: Iterable[NDArray[Any]]) -> Scaling:
        """Return the same with means and standard deviations, computed in float64 whatever the dtype of the examples.

        Args:
            parts: the training examples, some rows at a time, in any shape of as many elements.

        Raises:
            ValueError: an element has no finite mean or standard deviation.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            means, stds = _statistics(
                (self._divided(part.reshape(-1, *self.raw_shape)) for part in parts), self.raw_shape
            )
        wrong = np.argwhere(~(np.isfinite(means) & np.isfinite(stds)))
        if len(wrong):
            place = ", ".join(map(str, wrong[0]))
            msg = f"element [{place}] of the examples has no finite standard deviation"
            raise ValueError(msg)
        flat = stds <= 1e-12 * np.abs(means)
        return Scaling(self.raw_shape, self.divide_by, means, np.where(flat, 1.0, stds))

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> None:
        """Write scaled examples.

        Args:
            raw: examples, shape (rows, *raw_shape).
            out: where to write them, shape (rows, ...), of as many elements.
        """
        if self.means is not None and self.stds is not None:
            out[...] = self.scaled(raw).reshape(out.shape)
        else:
            np.divide(raw.reshape(out.shape), self.divide_by, out=out, dtype=out.dtype, casting="unsafe")

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Describe ``write``, and return scaled examples in the shape of raw ones.

        Args:
            graph: the graph.
            raw: raw examples.
        """
        if self.means is None or self.stds is None:
            x = graph.cast(raw, graph.dtype)
            return x if self.divide_by == 1 else graph.op("Div", x, float(self.divide_by))
        x = graph.cast(raw, np.float64)
        x = x if self.divide_by == 1 else graph.op("Div", x, np.array(self.divide_by, np.float64))
        x = graph.op("Div", graph.op("Sub", x, self.means), self.stds)
        return graph.cast(x, graph.dtype)

    def why_not_written(self, x: NDArray[Any]) -> str:
        """Return why examples clearly were not scaled by ``write``; empty if they may have been."""
        if self.divide_by != 1 and x.dtype == np.uint8 and x.max() > 1:
            return f"they are bytes such as {x.max()}, but encoding divides by {self.divide_by:g}"
        if self.means is None or self.stds is None:
            return ""
        raw = raw_number(x, self.means * self.divide_by, self.stds * abs(self.divide_by))
        if raw is None:
            return ""
        return f"row {raw.row}, counted from 0, holds {raw.value:g}, but encoding standardizes"

    def scaled(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return scaled examples, in the shape of raw ones."""
        divided = self._divided(raw)
        return divided if self.means is None or self.stds is None else (divided - self.means) / self.stds

    def largest(self, raw: float) -> float:
        """Return a bound on scaled elements, given the bound ``raw`` before scaling."""
        if self.means is None or self.stds is None:
            return max(raw, raw / self.divide_by)  # it is divided as a number of the dtype
        return (raw / self.divide_by + float(np.abs(self.means).max())) / float(self.stds.min())

    def _divided(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        quotient: NDArray[np.float64] = np.divide(raw, self.divide_by, dtype=np.float64)
        return quotient

    def state(self) -> dict[str, Any]:
        """Return what was learned as plain data."""
        plain: dict[str, Any] = {"raw_shape": list(self.raw_shape)}
        if self.means is not None and self.stds is not None:
            plain |= {"means": self.means.ravel().tolist(), "stds": self.stds.ravel().tolist()}
        return plain

    @classmethod
    def from_state(cls, state: Mapping[str, Any], divide_by: float) -> Scaling:
        """Take back what ``state`` returned.

        Raises:
            ModelFileError: ``state`` did not return it.
        """
        match dict(state):
            case {"raw_shape": [*shape], **rest} if all(type(length) is int and length > 0 for length in shape):
                size = math.prod(shape)
                match rest:
                    case {} if not rest:
                        return cls(tuple(shape), divide_by)
                    case {"means": means, "stds": stds} if are_numbers(means, size) and are_numbers(
                        stds, size, positive=True
                    ):
                        arrays = (np.array(values, np.float64).reshape(shape) for values in (means, stds))
                        return cls(tuple(shape), divide_by, *arrays)
        raise ModelFileError(f"the encoder of the arrays is {reprlib.repr(state)}, which no such data set writes")


def _statistics(
    parts: Iterable[NDArray[np.float64]], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each element, in one pass over the parts."""
    count, means, squares = 0, np.zeros(shape), np.zeros(shape)
    for rows in parts:  # the means of the parts are joined, as in Chan, Golub and LeVeque (1983)
        mean = rows.mean(axis=0)
        difference = mean - means
        together = count + len(rows)
        squares += ((rows - mean) ** 2).sum(axis=0) + difference**2 * (count * len(rows) / together)
        means += difference * (len(rows) / together)
        count = together
    return means, np.sqrt(squares / max(count, 1))

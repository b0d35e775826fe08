"""Scaling of arrays and of values to predict: by a constant, and to mean 0 and standard deviation 1."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit import (
    Array,
    DataWarning,
    Encoding,
    EncodingLike,
    FittedEncoding,
    Graph,
    ModelFileError,
    ParameterError,
    TrainingColumns,
    Value,
    ValuesScaling,
)
from mlpkit_plugins.arrays.raw_rows import raw_by_range
from mlpkit_plugins.formats.encoder_state import are_numbers
from mlpkit_plugins.formats.rows_on_disk import Rows

Places: TypeAlias = tuple[int, ...]
EncodedElements: TypeAlias = tuple[Encoding, Places]

ROWS_TOGETHER: Final = 4096


@dataclass(frozen=True)
class Scaling:
    """The scaling of inputs.

        x = (raw / divide_by - mean) / std,  or encoding(raw / divide_by)

    Args:
        raw_shape: shape of an example in the file.
        divide_by: a constant.
        means: the mean of each element of an example; None if inputs are not standardized.
        stds: the standard deviation of each element, 1 for a constant element; None if inputs are not standardized.
        encodings: encodings, each with the positions of its elements in a flat example.
    """

    raw_shape: tuple[int, ...]
    divide_by: float = 1.0
    means: NDArray[np.float64] | None = None
    stds: NDArray[np.float64] | None = None
    encodings: tuple[tuple[Places, FittedEncoding], ...] = ()

    def encoded(self, groups: Sequence[EncodedElements], rows: int, parts: Callable[[], Iterable[Array]]) -> Scaling:
        """Return this scaling with encodings fitted on the training examples, whose parts are read block by block."""
        fitted = []
        for encoding, places in groups:
            chosen = list(places)
            columns = TrainingColumns(
                rows,
                len(chosen),
                lambda chosen=chosen: (self._divided(part.reshape(len(part), -1))[:, chosen] for part in parts()),  # type: ignore[misc]
            )
            each = FittedEncoding.fit(encoding, [str(place) for place in places], columns)
            if any(len(names) != 1 for names in each.features()):
                name = encoding.registered_name
                message, expected = (
                    f"the encoding {name} makes several elements of a number",
                    "an encoding that makes one",
                )
                remedy = f"for {name}, take the data from a csv or parquet file"
                raise ParameterError("numbers", message, expected=expected, remedy=remedy)
            fitted.append((tuple(places), each))
        return replace(self, encodings=tuple(fitted))

    def fitted(self, parts: Iterable[Array]) -> Scaling:
        """Return this scaling with means and standard deviations of the training examples, always computed in float64.

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

    @property
    def is_learned(self) -> bool:
        """Whether the scaling depends on the training examples, and is computed in float64."""
        return self.means is not None or bool(self.encodings)

    def write(self, raw: Array, out: Array) -> None:
        """Write scaled examples into an array with as many elements, in any shape."""
        if self.is_learned:
            out[...] = self.scaled(raw).reshape(out.shape)
        else:
            np.divide(raw.reshape(out.shape), self.divide_by, out=out, dtype=out.dtype, casting="unsafe")

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Describe ``write``, and return scaled examples in the shape of raw ones."""
        if self.encodings:
            return self._encoded_in_graph(graph, raw)
        if self.means is None or self.stds is None:
            x = graph.cast(raw, graph.dtype)
            return x if self.divide_by == 1 else graph.op("Div", x, float(self.divide_by))
        x = graph.cast(raw, np.float64)
        x = x if self.divide_by == 1 else graph.op("Div", x, np.array(self.divide_by, np.float64))
        x = graph.op("Div", graph.op("Sub", x, self.means), self.stds)
        return graph.cast(x, graph.dtype)

    def why_not_written(self, x: Array) -> str:
        """Return why ``write`` can't have scaled these examples; empty if it may have."""
        if self.divide_by != 1 and x.dtype == np.uint8 and x.max() > 1:
            return f"they are bytes such as {x.max()}, but encoding divides by {self.divide_by:g}"
        return ""

    def why_perhaps_not_written(self, x: Array) -> str:
        """Return why ``write`` probably didn't scale these examples; empty without a sign of that."""
        if self.means is None or self.stds is None:
            return ""
        raw = raw_by_range(x, self.means * self.divide_by, self.stds * abs(self.divide_by))
        return "" if raw is None else f"row {raw.row}, counted from 0, holds {raw.value:g}, but encoding standardizes"

    def scaled(self, raw: Array) -> NDArray[np.float64]:
        """Return scaled examples, in the shape of raw ones."""
        divided = self._divided(raw)
        if self.encodings:
            flat = divided.reshape(len(raw), -1)
            encoded = flat.copy()
            for places, each in self.encodings:
                encoded[:, places] = each.encode(flat[:, places])
            return encoded.reshape(divided.shape)
        return divided if self.means is None or self.stds is None else (divided - self.means) / self.stds

    def largest(self, raw: float) -> float:
        """Return a bound on scaled elements, given the bound ``raw`` before scaling."""
        if self.means is None or self.stds is None:
            return max(raw, raw / self.divide_by)  # ``raw`` itself must fit into the dtype
        return (raw / self.divide_by + float(np.abs(self.means).max())) / float(self.stds.min())

    def _encoded_in_graph(self, graph: Graph, raw: Value) -> Value:
        """Describe the encodings of groups of elements, concatenated, then put in the original order."""
        size = math.prod(self.raw_shape)
        x = graph.cast(raw, np.float64)
        x = x if self.divide_by == 1 else graph.op("Div", x, np.array(self.divide_by, np.float64))
        x = x if len(self.raw_shape) == 1 else graph.op("Flatten", x)
        taken = {place for places, _ in self.encodings for place in places}
        rest = [place for place in range(size) if place not in taken]
        parts = [each.onnx(graph, graph.op("Gather", x, np.array(p), axis=1)) for p, each in self.encodings]
        parts += [graph.op("Gather", x, np.array(rest), axis=1)] if rest else []
        order = np.argsort([*(place for places, _ in self.encodings for place in places), *rest])
        x = graph.op("Gather", graph.op("Concat", *parts, axis=1), order.astype(np.int64), axis=1)
        x = graph.cast(x, graph.dtype)
        return x if len(self.raw_shape) == 1 else graph.op("Reshape", x, np.array([-1, *self.raw_shape]))

    def _divided(self, raw: Array) -> NDArray[np.float64]:
        quotient: NDArray[np.float64] = np.divide(raw, self.divide_by, dtype=np.float64)
        return quotient

    def state(self) -> dict[str, Any]:
        """Return the scaling as plain data."""
        plain: dict[str, Any] = {"raw_shape": list(self.raw_shape)}
        if self.means is not None and self.stds is not None:
            plain |= {"means": self.means.ravel().tolist(), "stds": self.stds.ravel().tolist()}
        if self.encodings:
            plain["encodings"] = [[list(places), each.state()] for places, each in self.encodings]
        return plain

    @classmethod
    def from_state(cls, state: Mapping[str, Any], divide_by: float, groups: Sequence[EncodedElements] = ()) -> Scaling:
        """Restore a scaling from ``state``, with the encodings in the spec and the positions of their elements."""
        match dict(state):
            case {"raw_shape": [*shape], **rest} if all(type(length) is int and length > 0 for length in shape):
                size = math.prod(shape)
                match rest:
                    case {} if not rest and not groups:
                        return cls(tuple(shape), divide_by)
                    case {"encodings": [*states]} if len(states) == len(groups):
                        pairs = [
                            (tuple(places), FittedEncoding.from_state(encoding, each[1]))
                            for (encoding, places), each in zip(groups, states, strict=True)
                            if isinstance(each, list) and len(each) == 2 and each[0] == list(places)
                        ]
                        if len(pairs) == len(groups):
                            return cls(tuple(shape), divide_by, encodings=tuple(pairs))
                    case {"means": means, "stds": stds} if are_numbers(means, size) and are_numbers(
                        stds, size, positive=True
                    ):
                        learned = [np.array(values, np.float64).reshape(shape) for values in (means, stds)]
                        return cls(tuple(shape), divide_by, learned[0], learned[1])
        raise ModelFileError(
            f"the encoder of the arrays is {reprlib.repr(state)}, which no data set of this kind writes"
        )


def built_encoding(parameter: str, chosen: EncodingLike | None) -> Encoding | None:
    """Check that an encoding of numbers is an object, not a name."""
    if chosen is None or isinstance(chosen, Encoding):
        return chosen
    message = f"{chosen!r} is a name, which a data set built in Python can't look up"
    raise ParameterError(parameter, message, expected="an encoding, such as Standardize()")


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


ScaleTarget: TypeAlias = Literal["standardize", "log", "none"]

DEVIATION_OVERFLOWS: Final = "the numbers are so large that their deviation overflows"


def values_scaling(parts: Iterable[Array], shape: tuple[int, ...], *, log: bool) -> ValuesScaling:
    """Return mean and standard deviation of each value in the training examples, or of its logarithm.

    Raises:
        ValueError: a value has no finite standard deviation.
    """
    fitted = Scaling(shape).fitted(np.log(part, dtype=np.float64) if log else part for part in parts)
    assert fitted.means is not None
    assert fitted.stds is not None
    return ValuesScaling(tuple(fitted.means.ravel().tolist()), tuple(fitted.stds.ravel().tolist()), log)


def values_range(parts: Iterable[Array]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the minimum and maximum of each value in the training examples, in the order of a flat array."""
    ends = np.array([(part.min(axis=0).ravel(), part.max(axis=0).ravel()) for part in parts], np.float64)
    return tuple(ends[:, 0].min(axis=0).tolist()), tuple(ends[:, 1].max(axis=0).tolist())


def check_clippable(clip_predictions: bool, predict: str, scale_target: ScaleTarget) -> None:
    """Check that ``clip_predictions`` is only set for scaled values."""
    if clip_predictions and predict not in ("values", "auto"):
        message = f"it is only for values, but predict is {predict}"
        raise ParameterError("clip_predictions", message, remedy="leave it out, or set predict: values")
    if clip_predictions and scale_target == "none":
        message = "values that aren't scaled can't be clipped"
        raise ParameterError("clip_predictions", message, remedy="leave out scale_target, or set it to standardize")


def no_logarithm(value: float) -> str:
    """Return the message for a value that has no logarithm."""
    return f"{value:g} has no logarithm, which scale_target: log asks for; set scale_target: standardize"


LARGE: Final = 10.0
SMALL: Final = 0.01
ROWS_LOOKED_AT: Final = 10_000


def warnings_about_scale(inputs: Rows, divide_by: float) -> tuple[DataWarning, ...]:
    """Return a warning about the element of the inputs whose scale is farthest from 1, if it is far."""
    if not prod(inputs.shape):
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.asarray(inputs[:ROWS_LOOKED_AT], np.float64) / divide_by
        means, stds = rows.mean(axis=0), rows.std(axis=0)
    scales = np.maximum(np.abs(means), stds)
    far = np.isfinite(scales) & (stds > 0) & ((scales > LARGE) | (scales < SMALL))
    if not far.any():
        return ()
    place = np.unravel_index(np.abs(np.log(np.where(far, scales, 1))).argmax(), scales.shape)
    which = f"column {place[0]}" if len(place) == 1 else f"element {[*map(int, place)]}" if place else "the number"
    scale = f"the mean {means[place]:.4g} and the standard deviation {stds[place]:.4g}"
    message = f"{which} of x, counted from 0, has {scale}; networks learn best near 0 and 1"
    return (DataWarning("standardize", message, "pass standardize=True to scale inputs"),)

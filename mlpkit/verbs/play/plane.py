"""Planes through the space of inputs: two columns of a table, or three examples such as images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset
from mlpkit.components.target import Classes
from mlpkit.jobs.open_training import OpenTraining
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.pages.images import image_shape
from mlpkit.training.minibatches import BatchReader
from mlpkit.verbs.play.training import Sample, affordable_rows

SIDE: Final = 40
"""Points of a plane along each axis; for a network that takes long, there are fewer."""
COARSE_SIDE: Final = 16
MOST_POINTS: Final = 300
MARGIN: Final = 0.06


@dataclass(frozen=True)
class Plane:
    """Points on a plane, as the network takes them.

    Args:
        inputs: the inputs, row by row from the top left, shape (side², *input_shape).
        side: points along each axis.
        names: what the axes show.
        ends: the ends of both axes: left, right, bottom, top.
        points: examples near it: across, up, and class or value.
        corners: positions of the examples that span it; none for columns.
    """

    inputs: Array
    side: int
    names: tuple[str, ...]
    ends: tuple[float, float, float, float]
    points: list[list[float]]
    corners: tuple[int, ...] = ()


class Examples:
    """Some training examples, read once, with what planes can be laid through them."""

    def __init__(self, opened: OpenTraining, network: Sequential) -> None:
        self._side = SIDE if affordable_rows(network) == EVALUATION_ROWS else COARSE_SIDE
        description, split = opened.proved.description, opened.splits["train"]
        sample = Sample(split, MOST_POINTS)
        dtype = np.dtype(opened.proved.spec.dtype)
        reader = BatchReader(sample, description, dtype, len(sample))
        self.x, self.t, self.weights = reader.take(np.arange(len(sample)))
        self.dataset: Dataset = opened.proved.dataset
        self._raw = self.dataset.raw_rows("train", sample.rows)
        self.is_classes = isinstance(description.target, Classes)
        self.image_shape = self._image_shape()
        self.axes = {} if self.image_shape else self._axes()

    def targets(self) -> NDArray[np.float64]:
        """Return each example's class, or the first of its values."""
        flat = self.t.reshape(len(self.t), -1)
        one_hot = self.is_classes and flat.shape[1] > 1
        return (flat.argmax(axis=1) if one_hot else flat[:, 0]).astype(np.float64)

    def plane(self, across: str = "", up: str = "") -> Plane | None:
        """Return the plane of two axes, by default of the first two; of inputs without axes, one through examples."""
        names = list(self.axes)
        if len(names) == 1:
            names *= 2
        if not names:
            return self._through_examples()
        chosen = (across if across in self.axes else names[0], up if up in self.axes else names[1])
        return self._of_axes(*chosen)

    def image(self, place: int) -> Array:
        """Return an example as an image of one channel, or as a row."""
        shape = self.image_shape
        return self.x[place].reshape(-1, *shape).mean(axis=0) if shape else np.atleast_2d(self.x[place].ravel())

    def _image_shape(self) -> tuple[int, ...]:
        """Return height and width of inputs that are images, flat ones too; empty if they aren't."""
        shape = self.x.shape[1:]
        if len(shape) > 1:
            return shape[-2:]
        raw = None if self._raw is None or isinstance(self._raw, Mapping) else image_shape(self._raw)
        return raw[-2:] if raw and prod(raw) == prod(shape) else ()

    def _axes(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns that are numbers, by name, or the elements of an input that is a row of them."""
        if isinstance(self._raw, Mapping):
            columns = {name: _numbers(values) for name, values in self._raw.items()}
            return {name: column for name, column in columns.items() if column is not None}
        values = self.x if self._raw is None else np.asarray(self._raw)
        if values.ndim != 2 or values.shape[1] > MOST_POINTS:
            return {}
        return {f"x{place}": values[:, place].astype(np.float64) for place in range(values.shape[1])}

    def _of_axes(self, across: str, up: str) -> Plane:
        columns = self.axes[across], self.axes[up]
        left, right, bottom, top = (end for column in columns for end in _ends(column))
        grid = np.meshgrid(np.linspace(left, right, self._side), np.linspace(top, bottom, self._side))
        inputs = self._encoded({across: grid[0].ravel(), up: grid[1].ravel()})
        points = np.column_stack([*columns, self.targets()])
        kept = points[np.isfinite(points).all(axis=1)]
        return Plane(inputs, self._side, (across, up), (left, right, bottom, top), kept.tolist())

    def _encoded(self, values: Mapping[str, NDArray[np.float64]]) -> Array:
        """Return inputs that are typical but for the values of some axes."""
        count = self._side**2
        if isinstance(self._raw, Mapping):
            rows = {name: [_typical(column)] * count for name, column in self._raw.items()}
            rows |= {name: column.tolist() for name, column in values.items()}
            return self.dataset.encode(self.dataset.from_columns(rows)).astype(self.x.dtype)
        source = self.x if self._raw is None else np.asarray(self._raw)
        inputs = np.repeat(np.median(source, axis=0)[None], count, axis=0)
        for name, column in values.items():
            inputs[:, int(name[1:])] = column
        return (inputs if self._raw is None else self.dataset.encode(inputs)).astype(self.x.dtype)

    def _through_examples(self) -> Plane | None:
        """Return the plane through three examples, of three classes if there are as many."""
        targets = self.targets()
        first = [int(np.flatnonzero(targets == value)[0]) for value in np.unique(targets)[:3]]
        corners = (first + [place for place in range(len(targets)) if place not in first])[:3]
        if len(corners) < 3 or not np.issubdtype(self.x.dtype, np.floating):
            return None
        origin, right, up = self.x[corners].astype(np.float64)
        low, high = -0.25, 1.25
        grid = np.meshgrid(np.linspace(low, high, self._side), np.linspace(high, low, self._side))
        across, along = (each.reshape(-1, *[1] * (self.x.ndim - 1)) for each in grid)
        inputs = origin + across * (right - origin) + along * (up - origin)
        places = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
        points = [[*place, float(targets[corner])] for place, corner in zip(places, corners, strict=True)]
        return Plane(inputs.astype(self.x.dtype), self._side, (), (low, high, low, high), points, tuple(corners))


def _numbers(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return a column as numbers, NaN for missing ones; None if it isn't one of numbers, or has a single value."""
    try:
        numbers = np.array([np.nan if value in (None, "") else float(value) for value in values])
    except (TypeError, ValueError):
        return None
    present = numbers[np.isfinite(numbers)]
    return numbers if len(present) and present.min() < present.max() else None


def _ends(column: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(np.nanmin(column)), float(np.nanmax(column))
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def _typical(values: Sequence[Any]) -> Any:
    """Return the median of numbers, or the most common of other values."""
    numbers = _numbers(values)
    if numbers is not None:
        return float(np.nanmedian(numbers))
    return max(dict.fromkeys(values), key=list(values).count)


def regions(plane: Plane, predict: Callable[[Array], Array]) -> Array:
    """Return what the network predicts on a plane, shape (side, side, outputs)."""
    found = predict(plane.inputs)
    return found.reshape(plane.side, plane.side, prod(found.shape[1:]))

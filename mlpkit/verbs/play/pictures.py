"""What the page draws: planes through the space of inputs, and the numbers that go through a network."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset
from mlpkit.components.layer import Layer
from mlpkit.components.operation import output_shape_of
from mlpkit.components.parameter import Parameter
from mlpkit.components.target import Classes
from mlpkit.jobs.folds import Rows
from mlpkit.jobs.open_training import OpenTraining
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.network.watching import Flow, watched
from mlpkit.pages.images import image_shape
from mlpkit.training.minibatches import BatchReader
from mlpkit.verbs.play.training import affordable_rows

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
        sample = Rows({"train": split}, evenly_spaced(len(split), MOST_POINTS))
        dtype = np.dtype(opened.proved.spec.dtype)
        reader = BatchReader(sample, description, dtype, len(sample))
        self.x, self.t, self.weights = reader.take(np.arange(len(sample)))
        self.dataset: Dataset = opened.proved.dataset
        self._raw = self.dataset.raw_rows("train", sample.indices)
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
        if not self.axes:
            return self._through_examples()
        first, second, *_ = 2 * [*self.axes]
        return self._of_axes(across if across in self.axes else first, up if up in self.axes else second)

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


MOST_UNITS: Final = 8
"""Units of a layer that are drawn."""
MOST_COLUMNS: Final = 64
EXAMPLES: Final = 24
"""Examples whose activations and gradients are drawn."""
MOST_PIXELS: Final = 32
MOST_WEIGHTS: Final = 1024
"""Incoming weights of a unit that are sent one by one."""


def picture(values: Array) -> dict[str, Any]:
    """Return a matrix as the page draws it: bytes from -127 to 127, and the number that 127 stands for."""
    matrix = np.nan_to_num(np.asarray(values, np.float64))
    scale = float(np.abs(matrix).max(initial=0.0)) or 1.0
    pixels = np.round(127 * (matrix / scale)).astype(np.int8)
    return {"shape": matrix.shape, "scale": scale, "data": base64.b64encode(pixels.tobytes()).decode()}


def flows_of(network: Sequential, examples: Examples) -> dict[str, Flow]:
    """Send the shown examples through a network, there and back; return what each layer took and returned.

    The network's state stays as it was.
    """
    rows = slice(0, EXAMPLES)
    weights = None if examples.weights is None else examples.weights[rows]
    kept = [replica.state.copy() for replica in network.replicas]
    with watched(network) as minibatches, network.computing(), np.errstate(all="ignore"):
        network.set_training(True)
        network.loss_and_gradient(examples.x[rows], examples.t[rows], weights=weights)
    for replica, state in zip(network.replicas, kept, strict=True):
        replica.state[...] = state
    slices = minibatches[0].slices
    return {path: _joined([flows[path] for flows in slices]) for path in slices[0]}


def _joined(flows: Sequence[Flow]) -> Flow:
    """Return what all slices took and returned."""

    def whole(name: str) -> Any:
        parts = [getattr(flow, name) for flow in flows]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return Flow(whole("input"), whole("output"), whole("output_gradient"))


class Drawn(NamedTuple):
    """A column of the drawing: how many units there are, and which are drawn."""

    number: int
    units: NDArray[np.intp]


def drawn(shape: Sequence[int]) -> Drawn:
    """Return what is drawn of an output: its elements, or its channels."""
    count = shape[0] if shape else 1
    return Drawn(count, evenly_spaced(count, MOST_UNITS))


def drawing(network: Sequential, examples: Examples, plane: Plane | None, example: int) -> list[dict[str, Any]]:
    """Return the inputs and each layer: its units with a picture each, incoming weights, activations and gradients."""
    flows, before = flows_of(network, examples), drawn(network.input_shape)
    on_plane: dict[str, Array] = {}
    if plane is not None and plane.inputs.ndim == 2 and plane.side == SIDE:
        every_second = plane.inputs.reshape(SIDE, SIDE, -1)[::2, ::2].reshape(-1, plane.inputs.shape[1])
        on_plane = {"": every_second, **network.activations(every_second)}
    if examples.image_shape:
        inputs = [{"unit": 0, "picture": picture(_small(examples.image(example)))}]
    else:
        inputs = _units(before, examples.x, example, on_plane.get(""))
    count = len(inputs) if examples.image_shape else before.number
    columns: list[dict[str, Any]] = [{"path": "", "count": count, "shape": network.input_shape, "units": inputs}]
    for layer in network.layers:
        shape = output_shape_of(layer)
        flow, here = flows[layer.path], drawn(shape)
        assert flow.output is not None
        units = _units(here, flow.output, example, on_plane.get(layer.path))
        if len(shape) == 1 and examples.image_shape:
            units = _images_of_weights(layer, here, examples.image_shape) or units
        columns.append(
            {
                "path": layer.path,
                "count": here.number,
                "shape": shape,
                "units": units,
                "lines": None if not columns[1:] and examples.image_shape else _lines(layer, before, here),
                "activations": picture(_by_example(flow.output)),
                "gradients": None if flow.output_gradient is None else picture(_by_example(flow.output_gradient)),
            }
        )
        before = here
    return columns


def _by_example(values: Array) -> Array:
    """Return a row for each example and a column for each unit; of a channel the mean."""
    rows: Array = values.reshape(*values.shape[:2], -1).mean(axis=2)
    return rows[:, evenly_spaced(rows.shape[1], MOST_COLUMNS)]


def _units(column: Drawn, values: Array, example: int, on_plane: Array | None) -> list[dict[str, Any]]:
    """Return each drawn unit with its picture: on the plane, or of one example."""
    found = []
    for unit in column.units.tolist():
        if on_plane is not None and on_plane.ndim == 2:
            shown = on_plane[:, unit].reshape(SIDE // 2, SIDE // 2)
        else:
            shown = _small(values[example, unit] if values.ndim > 1 else values[example])
        found.append({"unit": unit, "picture": picture(shown)})
    return found


def _small(values: Array) -> Array:
    """Return a number, a row or an image as a matrix of few pixels."""
    matrix = np.atleast_2d(values)
    matrix = matrix.reshape(-1, matrix.shape[-1])
    return matrix[np.ix_(*(evenly_spaced(length, MOST_PIXELS) for length in matrix.shape))]


def _matrix(layer: Layer) -> Parameter | None:
    """Return a layer's first parameter that has weights coming into each unit."""
    return next((each for each in layer.declared_parameters() if len(each.shape) > 1), None)


def _incoming(parameter: Parameter) -> Array:
    """Return the weights of a parameter, shape (units, ...)."""
    weights: Array = np.moveaxis(parameter.value, parameter.unit_axis, 0)
    return weights


def _lines(layer: Layer, before: Drawn, here: Drawn) -> dict[str, Any] | None:
    """Return the weights between the drawn units of two columns; None without a weight for each pair of units."""
    parameter = _matrix(layer)
    if parameter is None or len(parameter.shape) != 2:
        return None
    weights = _incoming(parameter)
    if weights.shape != (here.number, before.number):
        return None
    chosen = weights[np.ix_(here.units, before.units)]
    return {**picture(chosen / (float(np.abs(weights).max()) or 1.0)), "parameter": parameter.path}


def _images_of_weights(layer: Layer, here: Drawn, shape: Sequence[int]) -> list[dict[str, Any]]:
    """Return each drawn unit with its incoming weights as an image, if each pixel of the inputs has one."""
    parameter = _matrix(layer)
    weights = None if parameter is None else _incoming(parameter)
    if weights is None or weights[0].size != prod(shape):
        return []
    images = weights.reshape(len(weights), *shape)
    return [{"unit": unit, "picture": picture(_small(images[unit]))} for unit in here.units.tolist()]


def unit_of(network: Sequential, chosen: tuple[str, int], names: Sequence[str]) -> dict[str, Any]:
    """Return the incoming weights of a unit, one by one, with their places in their parameters.

    Args:
        network: the network.
        chosen: the layer's name, and the unit's number.
        names: of the elements of an input, if they have names.
    """
    path, unit = chosen
    layer = next((layer for layer in network.layers if layer.path == path), None)
    weights: list[dict[str, Any]] = []
    for parameter in () if layer is None else layer.declared_parameters():
        axis = parameter.unit_axis % len(parameter.shape)
        if unit not in range(parameter.shape[axis]):
            continue
        for place in np.ndindex(*parameter.shape[:axis], *parameter.shape[axis + 1 :]):
            if len(weights) == MOST_WEIGHTS:
                break
            index = (*place[:axis], unit, *place[axis:])
            named = layer is network.layers[0] and len(place) == 1 and place[0] < len(names)
            label = names[place[0]] if named else f"{parameter.name}[{', '.join(map(str, index))}]"
            value = float(np.nan_to_num(parameter.value[index]))
            weights.append({"parameter": parameter.path, "index": index, "label": label, "value": value})
    return {"path": path, "unit": unit, "weights": weights}

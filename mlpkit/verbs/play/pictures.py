"""What the page draws of a network: its units, the weights between them, activations and gradients."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.components.operation import output_shape_of
from mlpkit.components.parameter import Parameter
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.network.sequential import Sequential
from mlpkit.network.watching import Flow, watched
from mlpkit.verbs.play.plane import SIDE, Examples, Plane

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


class Pass(NamedTuple):
    """What goes through a network, by layer: of the shown examples there and back, and of points of a plane there."""

    flows: dict[str, Flow]
    inputs: Array | None
    on_plane: dict[str, Array]


def passed(network: Sequential, examples: Examples, plane: Plane | None) -> Pass:
    """Send the shown examples through a network, there and back, and a plane, and leave the network as it was."""
    rows = slice(0, EXAMPLES)
    weights = None if examples.weights is None else examples.weights[rows]
    kept = [(replica.state.copy(), replica.position.step) for replica in network.replicas]
    with watched(network) as minibatches, network.computing(), np.errstate(all="ignore"):
        network.set_training(True)
        network.loss_and_gradient(examples.x[rows], examples.t[rows], weights=weights)
    for replica, (state, step) in zip(network.replicas, kept, strict=True):
        replica.state[...] = state
        replica.position.step = step
    slices = minibatches[0].slices
    joined = {path: _joined([flows[path] for flows in slices]) for path in slices[0]}
    if plane is None or plane.inputs.ndim > 2 or plane.side < SIDE:
        return Pass(joined, None, {})
    every_second = plane.inputs.reshape(SIDE, SIDE, -1)[::2, ::2].reshape(-1, plane.inputs.shape[1])
    return Pass(joined, every_second, network.activations(every_second))


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
    found = passed(network, examples, plane)
    before = drawn(network.input_shape)
    if examples.image_shape:
        inputs = [{"unit": 0, "picture": picture(_small(examples.image(example)))}]
    else:
        inputs = _units(before, examples.x, example, found.inputs)
    count = len(inputs) if examples.image_shape else before.number
    columns: list[dict[str, Any]] = [{"path": "", "count": count, "shape": network.input_shape, "units": inputs}]
    for layer in network.layers:
        shape = output_shape_of(layer)
        flow, here = found.flows[layer.path], drawn(shape)
        assert flow.output is not None
        units = _units(here, flow.output, example, found.on_plane.get(layer.path))
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

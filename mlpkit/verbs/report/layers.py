"""The layers of a network: their sizes, their weights as images, how numbers spread in them, and their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.components.operation import Operation
from mlpkit.network.contexts import replaced_methods
from mlpkit.network.sampling import evenly_spaced
from mlpkit.network.sequential import Batch, Sequential
from mlpkit.network.summary import row_of
from mlpkit.pages import charts
from mlpkit.pages.images import weights_as_images
from mlpkit.pages.parts import beside, paragraph, pictures, section, table

MOST_LAYERS: Final = 200
MOST_CHARTED: Final = 8
MOST_PROBES: Final = 200
"""Most times at which a distribution is drawn."""
SECONDS: Final = 0.1
"""How long layers are timed, if one pass doesn't take longer."""
MOST_PASSES: Final = 20


def layers_section(network: Sequential, image: tuple[int, ...] | None) -> str:
    """Return the table of the layers, and the first weights as images if the inputs are images."""
    operations = network.replicas[0].operations()
    rows = [_cells(operation) for operation in operations[:MOST_LAYERS]]
    more = f"The first {MOST_LAYERS} of {len(operations):,}" if len(operations) > MOST_LAYERS else ""
    parameters = sum(int(array.size) for array in network.parameters.values())
    name, images = weights_as_images(network, image) if image is not None else ("", [])
    weights = [
        paragraph(f"{name}, an image for each unit: blue above zero, orange below it."),
        pictures(images, [f"unit {i}" for i in range(len(images))]),
    ]
    return section(
        "Layers",
        paragraph(
            f"{parameters:,} parameters; {network.flops:,} floating-point operations for an example, forward and "
            "backward. Figures of a layer include the layers inside it."
        ),
        table(["name", "layer", "outputs", "parameters", "FLOPs"], rows, caption=more, texts=[0, 1, 2]),
        *(weights if images else []),
    )


def _cells(operation: Operation) -> list[str]:
    row = row_of(operation)
    has_layers = len([*operation.operations()]) > 1  # each has its row
    layer = operation.type_name if has_layers else row.layer
    return [row.name, layer, row.shape, f"{row.parameters:,}", f"{row.flops:,}"]


class LayerTime(NamedTuple):
    """How long a layer takes for a minibatch.

    Args:
        name: its name in the network.
        forward: seconds of its forward pass.
        backward: seconds of its backward pass; None if nothing goes back so far.
    """

    name: str
    forward: float
    backward: float | None


def layer_times(network: Sequential, batch: Batch) -> list[LayerTime]:
    """Return the median time of each layer for a minibatch, forward and backward; the loss comes last.

    Gradients and states are afterwards what they were.
    """
    replica = network.replicas[0]
    members = [*network.layers, network.loss_layer]
    kept = replica.state.copy(), replica.gradient.copy()
    passes: list[dict[tuple[str, str], float]] = []
    network.set_training(True)
    with network.computing():
        _timed_pass(network, batch)  # the first pass makes scratch arrays
        began = perf_counter()
        while not passes or (perf_counter() - began < SECONDS and len(passes) < MOST_PASSES):
            passes.append(_timed_pass(network, batch))
    network.set_training(False)
    replica.state[...], replica.gradient[...] = kept

    def median(layer: str, method: str) -> float:
        return float(np.median([seconds[layer, method] for seconds in passes]))

    return [
        LayerTime(
            member.path,
            median(member.path, "forward"),
            median(member.path, "backward") if (member.path, "backward") in passes[0] else None,
        )
        for member in members
    ]


def _timed_pass(network: Sequential, batch: Batch) -> dict[tuple[str, str], float]:
    """Return the seconds that the methods of each layer take, by its name and theirs."""
    seconds: dict[tuple[str, str], float] = {}

    def timed(layer: Operation, name: str) -> Callable[..., Any]:
        method = getattr(layer, name)

        def call(*arguments: Any) -> Any:
            began = perf_counter()
            result = method(*arguments)
            seconds[layer.path, name] = perf_counter() - began
            return result

        return call

    x, t, weights = batch
    with ExitStack() as stack:
        for member in (*network.layers, network.loss_layer):
            methods = {name: timed(member, name) for name in ("forward", "backward")}
            stack.enter_context(replaced_methods(member, **methods))
        network.replicas[0].loss_and_gradient(x, t, weights=weights)
    return seconds


def times_section(times: Sequence[LayerTime], rows: int) -> str:
    """Return the time of each layer for a minibatch, as bars and in numbers."""
    total = sum(each.forward + (each.backward or 0.0) for each in times)
    cells = [
        [
            each.name,
            f"{1e6 * each.forward:,.0f}",
            "" if each.backward is None else f"{1e6 * each.backward:,.0f}",
            f"{(each.forward + (each.backward or 0.0)) / total:.1%}",
        ]
        for each in times
    ]
    return section(
        "Time by layer",
        paragraph(
            f"Measured when this page was made, on a minibatch of {rows:,}: medians in microseconds, "
            f"{1e3 * total:,.2f} milliseconds together. Another measurement gives other figures."
        ),
        table(["name", "forward (µs)", "backward (µs)", "share"], cells, texts=[0]),
    )


def spread_section(probes: Sequence[Mapping[str, Any]]) -> str:
    """Return how activations and gradients of each layer spread in training, by probes as in ``health.jsonl``."""
    chosen = [probes[i] for i in evenly_spaced(len(probes), MOST_PROBES)]
    names = list(dict.fromkeys(layer["layer"] for probe in chosen for layer in probe["layers"]))
    drawn = [names[i] for i in evenly_spaced(len(names), MOST_CHARTED)]
    figures = [
        _bands(chosen, name, key, word)
        for name in drawn
        for key, word in (("outputs", "activations"), ("gradients", "gradients"))
    ]
    if not any(figures):
        return ""
    return section(
        "Activations and gradients",
        paragraph(
            "On a fixed sample of training rows: the median, the middle half and the middle nine tenths of each "
            "layer's outputs, and of the derivatives of a row's loss by them. A layer doesn't learn while the norm of "
            "its parameters' gradient is 0."
        ),
        beside(*figures, _norms(chosen)),
    )


def _norms(probes: Sequence[Mapping[str, Any]]) -> str:
    """Return the norm of the gradient of each layer's parameters; of many layers, all that get none are among them."""
    points = [
        {"iteration": probe["iteration"], "norm": norm, "series": layer["layer"]}
        for probe in probes
        for layer in probe["layers"]
        if (norm := layer.get("gradient_norm")) is not None
    ]
    if not points:
        return ""
    names = list(dict.fromkeys(point["series"] for point in points))
    with_gradient = {point["series"] for point in points if point["norm"]}
    moved = [name for name in names if name in with_gradient]
    left_out = set(moved).difference(moved[i] for i in evenly_spaced(len(moved), MOST_CHARTED))
    drawn = [point for point in points if point["series"] not in left_out]
    chart = charts.curves(
        drawn, "iteration", "norm", titles=("iteration", "norm"), logarithmic=all(point["norm"] > 0 for point in drawn)
    )
    return charts.figure("Norm of the gradient by each layer's parameters", chart)


def _bands(probes: Sequence[Mapping[str, Any]], name: str, key: str, word: str) -> str:
    points = [
        {"iteration": probe["iteration"], **_quantiles(layer[key]["quantiles"])}
        for probe in probes
        for layer in probe["layers"]
        if layer["layer"] == name and layer.get(key)
    ]
    if not points:
        return ""
    chart = charts.bands(points, "iteration", titles=("iteration", word))
    return charts.figure(f"{name}: {word}", {**chart, "height": 120})


def _quantiles(values: Sequence[float | None]) -> dict[str, float | None]:
    return dict(zip(("q05", "q25", "q50", "q75", "q95"), values, strict=True))

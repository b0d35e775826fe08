"""The layers of a network: their sizes, their weights as images, and how numbers spread in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlpkit.components.operation import Operation
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.network.sequential import Sequential
from mlpkit.network.summary import row_of
from mlpkit.pages import charts
from mlpkit.pages.images import weights_as_images
from mlpkit.pages.parts import beside, paragraph, pictures, section, table

MOST_LAYERS: Final = 200
QUANTILES: Final = ("q05", "q25", "q50", "q75", "q95")
MOST_CHARTED: Final = 8
MOST_PROBES: Final = 200
"""Most times at which a distribution is drawn."""


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
            "layer's outputs, and of the derivatives of a row's loss by them."
        ),
        beside(*figures),
    )


def _bands(probes: Sequence[Mapping[str, Any]], name: str, key: str, word: str) -> str:
    points = [
        {"iteration": probe["iteration"], **dict(zip(QUANTILES, layer[key]["quantiles"], strict=True))}
        for probe in probes
        for layer in probe["layers"]
        if layer["layer"] == name and layer.get(key)
    ]
    if not points:
        return ""
    chart = charts.bands(points, "iteration", titles=("iteration", word))
    return charts.figure(f"{name}: {word}", {**chart, "height": 120})

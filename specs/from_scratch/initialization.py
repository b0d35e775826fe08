"""What each of five layers returns before training, by how its weights were drawn.

python specs/from_scratch/initialization.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import charts, parts

ROWS = 1000
WEIGHTS = {
    "std 1": "normal: {std: 1}",
    "std 0.01": "normal: {std: 0.01}",
    "Xavier": "glorot_normal: {}",
    "He": "he_normal: {}",
}
ACTIVATIONS = {"Sigmoid": (0, 1), "Tanh": (-1, 1), "Relu": (0, 1)}
"""Activation functions, each with the range of its histograms."""
CUT = {"Relu": 10_000}
"""The count at which bars are cut: half of Relu's outputs are zero."""


def activations(lesson: Lesson, activation: str, weights: str) -> list[np.ndarray]:
    """Return what the activation function returns in each layer, before any training."""
    spec = lesson.spec(f"vars.activation={activation}", f"vars.weights={{{weights}}}")
    x, _ = mlpkit.load_data(spec, "test", ROWS)
    outputs = mlpkit.build(spec).activations(x)
    return [values for name, values in outputs.items() if name.startswith(activation)]


def losses(lesson: Lesson, weights: str) -> list[tuple[float, float]]:
    """Return the loss by iteration, with Relu."""
    history = lesson.train(f"vars.weights={{{weights}}}").history
    return [(record["iteration"], record["train_loss"]) for record in history]


def make(lesson: Lesson) -> str:
    """Return the page."""
    curves = [
        {"iteration": iteration, "loss": loss, "series": name}
        for name in ("std 0.01", "Xavier", "He")
        for iteration, loss in losses(lesson, WEIGHTS[name])
    ]
    return lesson.page(
        *(parts.section(heading(name), *histograms(lesson, name, limits)) for name, limits in ACTIVATIONS.items()),
        parts.section(
            "The effect on training",
            charts.figure("Training with Relu, by initial weights", charts.curves(curves, "iteration", "loss")),
        ),
    )


def heading(activation: str) -> str:
    """Return the heading above the histograms of an activation function."""
    return f"With {activation}" + (f" (bars are cut at {CUT[activation]:,})" if activation in CUT else "")


def histograms(lesson: Lesson, activation: str, limits: tuple[float, float]) -> list[str]:
    """Return a row of histograms for each way to draw weights, and a table of the spreads."""
    figures, spreads = [], []
    for name, weights in WEIGHTS.items():
        outputs = activations(lesson, activation, weights)
        edges = np.linspace(*limits, 31)
        counts = {f"layer {i}": np.histogram(y, edges)[0].tolist() for i, y in enumerate(outputs, 1)}
        figures.append(charts.figure(name, charts.histograms(counts, edges.tolist(), most=CUT.get(activation))))
        spreads.append([name, *(f"{y.std():.2g}" for y in outputs)])
    headings = ["weights", *(f"layer {i}" for i in range(1, 6))]
    table = parts.table(headings, spreads, caption=f"Standard deviation of what each {activation} returns", texts=[0])
    return [parts.beside(*figures), table]


if __name__ == "__main__":
    main(make)

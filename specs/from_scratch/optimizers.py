"""Four optimizers on their way down one valley, and on MNIST.

python specs/from_scratch/optimizers.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import charts, parts

OPTIMIZERS = {
    "SGD": ("sgd: {learning_rate: 0.95}", "sgd: {learning_rate: 0.01}"),
    "Momentum": ("sgd: {learning_rate: 0.1, momentum: 0.9}", "sgd: {learning_rate: 0.01, momentum: 0.9}"),
    "AdaGrad": ("adagrad: {learning_rate: 1.5}", "adagrad: {learning_rate: 0.01}"),
    "Adam": ("adam: {learning_rate: 0.3}", "adam: {learning_rate: 0.001}"),
}
"""Optimizers as in a spec, for the valley and for MNIST."""
STEPS = 30
START = (-7.0, 2.0)


def gradient(place: np.ndarray) -> np.ndarray:
    """Return the gradient of f(x, y) = x²/20 + y²."""
    x, y = place
    return np.array([x / 10, 2 * y])


def path(spec: mlpkit.Spec) -> list[tuple[float, float]]:
    """Return the points that the optimizer of a spec visits, beginning with the start."""
    optimizer = spec.training.optimizer()
    rate = float(spec.training.optimizer.arguments["learning_rate"])
    place = np.array(START)
    slots = {name: np.zeros(2) for name in optimizer.slots}
    visited = [START]
    for number in range(1, STEPS + 1):
        optimizer.update(place, gradient(place), slots, mlpkit.Step(rate, number))
        visited.append((float(place[0]), float(place[1])))
    return visited


def paths(lesson: Lesson) -> dict[str, list[tuple[float, float]]]:
    """Return the path of each optimizer through the valley."""
    return {
        name: path(lesson.spec(f"training.optimizer={{{in_valley}}}")) for name, (in_valley, _) in OPTIMIZERS.items()
    }


def histories(lesson: Lesson) -> dict[str, list[dict[str, float]]]:
    """Train the network of the spec with each optimizer, and return the histories."""
    return {
        name: lesson.train(f"training.optimizer={{{on_mnist}}}").history for name, (_, on_mnist) in OPTIMIZERS.items()
    }


def contours() -> list[dict[str, object]]:
    """Return the ellipses on which f is 0.25, 1, 2.25, ..."""
    turn = np.linspace(0, 2 * np.pi, 73)
    return [
        {"x": x, "y": y, "series": f"f = {root**2:g}"}
        for root in np.arange(0.5, 2.6, 0.5)
        for x, y in zip((root * np.sqrt(20) * np.cos(turn)).tolist(), (root * np.sin(turn)).tolist(), strict=True)
    ]


def make(lesson: Lesson) -> str:
    """Return the page."""
    lines = contours()
    figures = [
        charts.figure(
            f"{name}, {OPTIMIZERS[name][0]}",
            charts.paths(
                [{"x": x, "y": y, "series": name, "step": i} for i, (x, y) in enumerate(points)], "x", "y", lines=lines
            ),
        )
        for name, points in paths(lesson).items()
    ]
    curves = [
        {"iteration": record["iteration"], "loss": record["train_loss"], "series": name}
        for name, history in histories(lesson).items()
        for record in history
    ]
    return lesson.page(
        parts.section(f"{STEPS} steps from ({START[0]:g}, {START[1]:g})", parts.beside(*figures)),
        parts.section(
            "The same four on MNIST",
            charts.figure(
                "Loss on the training data of a network with five layers", charts.curves(curves, "iteration", "loss")
            ),
        ),
    )


if __name__ == "__main__":
    main(make)

"""Batch normalization, for initial weights of sixteen sizes.

python specs/from_scratch/batch_norm.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import charts, parts

SIZES = np.logspace(0, -4, 16).tolist()
NETWORKS = {
    "with": [],
    "without": ["vars.layer=[{Affine: {units: 100, weights: {normal: {std: $std}}}}, Relu]"],
}


def accuracies(lesson: Lesson, std: float) -> dict[str, list[tuple[float, float]]]:
    """Return the accuracy on the training data by epoch, for both networks; an empty list if training diverged."""
    curves = {}
    for name, changes in NETWORKS.items():
        try:
            history = lesson.train(f"vars.std={std:.2g}", *changes).history
        except mlpkit.DivergenceError:
            history = []
        curves[name] = [(record["epoch"], record["train_accuracy"]) for record in history]
    return curves


def make(lesson: Lesson) -> str:
    """Return the page."""
    by_size = {std: accuracies(lesson, std) for std in SIZES}
    rows = [
        [f"{std:.2g}", *(f"{curves[name][-1][1]:.2f}" if curves[name] else "diverged" for name in NETWORKS)]
        for std, curves in by_size.items()
    ]
    return lesson.page(
        parts.section(
            "Accuracy on the training data by epoch, for initial weights from std 1 to 0.0001",
            parts.beside(*(figure(std, curves) for std, curves in by_size.items()), least=11),
            parts.folded("Numbers", parts.table(["std", *NETWORKS], rows, caption="Accuracy at the end")),
        )
    )


def figure(std: float, curves: dict[str, list[tuple[float, float]]]) -> str:
    """Draw the two curves of a size."""
    points = [
        {"epoch": epoch, "accuracy": accuracy, "series": name}
        for name in NETWORKS
        for epoch, accuracy in curves[name] or [(0.0, float("nan"))]
    ]
    return charts.figure(
        f"std {std:.2g}", {**charts.curves(points, "epoch", "accuracy", domain=(0, 1.05)), "height": 120}
    )


if __name__ == "__main__":
    main(make)

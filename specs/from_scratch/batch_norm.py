"""Batch normalization, for first weights of sixteen sizes.

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
    """Return for both networks the accuracy on the training data by epoch; nothing if the training diverged."""
    found = {}
    for name, changes in NETWORKS.items():
        try:
            history = lesson.train(f"vars.std={std:.2g}", *changes).history
        except mlpkit.DivergenceError:
            history = []
        found[name] = [(record["epoch"], record["train_accuracy"]) for record in history]
    return found


def make(lesson: Lesson) -> str:
    """Return the page."""
    found = {std: accuracies(lesson, std) for std in SIZES}
    rows = [
        [f"{std:.2g}", *(f"{curves[name][-1][1]:.2f}" if curves[name] else "diverged" for name in NETWORKS)]
        for std, curves in found.items()
    ]
    return lesson.page(
        "Batch normalization",
        "With batch normalization (blue), a network learns from first weights of any size. Without it (orange), it learns "
        "from those of about the right size alone.",
        [
            parts.section(
                "Accuracy on the training data by epoch, for first weights from std 1 to 0.0001",
                parts.beside(*(figure(std, curves) for std, curves in found.items()), least=11),
                parts.folded("Numbers", parts.table(["std", *NETWORKS], rows, caption="Accuracy at the end")),
            )
        ],
        formula="x̂ = ( x − mean of the minibatch ) / √( variance of the minibatch + ε )\ny = γ x̂ + β",
        notice=[
            "Without batch normalization, the network learns in a window of two or three sizes. With larger weights it "
            "diverges after a few steps, and has no curve. With smaller ones what the layers return is nearly the same "
            "for all digits, the gradient vanishes, and accuracy stays at that of guessing, about 0.1.",
            "Batch normalization takes the size out again after each layer: weights ten times as large give the same x̂. "
            "That is why the blue curves are alike over so many sizes.",
            "It is no magic: to weights ten times as large, a step of the same length is a tenth. With the largest, the "
            "network learns slowly, and at std 0.29 and 0.16 the plain one is ahead.",
        ],
        experiments={
            "--set training.optimizer.sgd.learning_rate=0.1": "With ten times the learning rate, which network gains?",
            "run --set vars.std=1 --set training.epochs=200": "Large weights only need patience.",
            "run --set training.batch_size=2": "Means and variances over two rows are hardly any.",
        },
    )


def figure(std: float, curves: dict[str, list[tuple[float, float]]]) -> str:
    """Return the two curves of a size."""
    points = [
        {"epoch": epoch, "accuracy": accuracy, "series": name}
        for name in NETWORKS
        for epoch, accuracy in curves[name] or [(0.0, None)]
    ]
    return charts.figure(
        f"std {std:.2g}", {**charts.curves(points, "epoch", "accuracy", domain=(0, 1.05)), "height": 120}
    )


if __name__ == "__main__":
    main(make)

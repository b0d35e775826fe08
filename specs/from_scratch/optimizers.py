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
"""Each as a spec writes it, for the valley and for MNIST."""
STEPS = 30
START = (-7.0, 2.0)


def gradient(place: np.ndarray) -> np.ndarray:
    """Return the gradient of f(x, y) = x²/20 + y²."""
    x, y = place
    return np.array([x / 10, 2 * y])


def path(optimizer: mlpkit.Optimizer) -> list[tuple[float, float]]:
    """Return where an optimizer comes by, from the start on."""
    place = np.array(START)
    slots = {name: np.zeros(2) for name in optimizer.slots}
    passed = [START]
    for number in range(1, STEPS + 1):
        optimizer.update(place, gradient(place), slots, mlpkit.Step(optimizer.learning_rate, number))
        passed.append((float(place[0]), float(place[1])))
    return passed


def paths(lesson: Lesson) -> dict[str, list[tuple[float, float]]]:
    """Return the path of each optimizer through the valley."""
    found = {}
    for name, (in_valley, _) in OPTIMIZERS.items():
        spec = mlpkit.load_spec(lesson.file, overrides=[f"training.optimizer={{{in_valley}}}"])
        found[name] = path(spec.training.optimizer())
    return found


def histories(lesson: Lesson) -> dict[str, list[dict[str, float]]]:
    """Return what each optimizer makes of the network of the spec."""
    return {
        name: lesson.train(f"training.optimizer={{{on_mnist}}}").history for name, (_, on_mnist) in OPTIMIZERS.items()
    }


def contours() -> list[dict[str, object]]:
    """Return lines on which f is 0.25, 1, 2.25, ... : ellipses."""
    turn = np.linspace(0, 2 * np.pi, 73)
    return [
        {"x": x, "y": y, "series": f"f = {root**2:g}"}
        for root in np.arange(0.5, 2.6, 0.5)
        for x, y in zip((root * np.sqrt(20) * np.cos(turn)).tolist(), (root * np.sin(turn)).tolist(), strict=True)
    ]


def make(lesson: Lesson) -> str:
    """Return the page."""
    figures = [
        charts.figure(
            f"{name}, {OPTIMIZERS[name][0]}",
            charts.paths(
                [{"x": x, "y": y, "series": name, "step": i} for i, (x, y) in enumerate(passed)],
                "x",
                "y",
                lines=contours(),
            ),
        )
        for name, passed in paths(lesson).items()
    ]
    curves = [
        {"iteration": record["iteration"], "loss": record["train_loss"], "series": name}
        for name, history in histories(lesson).items()
        for record in history
    ]
    return lesson.page(
        "Optimizers compared",
        "In a valley that is steep across and flat along, plain gradient descent zigzags; the other three get to the "
        "lowest place, at (0, 0), by better ways.",
        [
            parts.section(f"{STEPS} steps from ({START[0]:g}, {START[1]:g})", parts.beside(*figures)),
            parts.section(
                "The same four on MNIST",
                charts.figure(
                    "Loss on the training data of a network with five layers",
                    charts.curves(curves, "iteration", "loss"),
                ),
            ),
        ],
        formula="f(x, y) = x²/20 + y²\n"
        "SGD:  w ← w − η ∂L/∂w\n"
        "Momentum:  v ← 0.9 v + ∂L/∂w,  w ← w − η v\n"
        "AdaGrad:  h ← h + (∂L/∂w)²,  w ← w − η ∂L/∂w / √h\n"
        "Adam:  both at once, m̂ a mean of gradients, v̂ of their squares:  w ← w − η m̂ / √v̂",
        notice=[
            "The gradient of f points across the valley, and hardly along it, where the lowest place is. SGD follows it "
            "from one side to the other.",
            "Momentum rolls like a ball: steps to and fro cancel out, steps ahead add up, and it overshoots. AdaGrad "
            "takes shorter steps where gradients were large, and goes almost straight. Adam does some of both.",
            "On MNIST, SGD is the slowest of the four. Which of the others wins depends on the network and, above all, "
            "on the learning rate of each.",
        ],
        experiments={
            "run --set training.optimizer.sgd.learning_rate=0.1": "With ten times the rate, SGD gets close to the others.",
            "--set 'layers.Affine1.weights={normal: {std: 0.01}}'": "From smaller first weights, who suffers most?",
            "run --set 'training.optimizer={lion: {learning_rate: 0.0003}}'": "A fifth optimizer takes the sign of a mean.",
        },
    )


if __name__ == "__main__":
    main(make)

"""The gradient by differences beside that of backpropagation.

python specs/from_scratch/gradient_check.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import charts, parts
from mlpkit.testing import numerical_gradient

ROWS = 3
SAMPLE = 100
STEPS = [10.0**exponent for exponent in np.arange(-11, -0.5, 0.5)]


def gradients(lesson: Lesson, steps: list[float]) -> dict[str, tuple[np.ndarray, dict[float, np.ndarray]]]:
    """Return for some elements of each parameter the gradient of backpropagation, and those by differences."""
    spec = lesson.spec()
    network = mlpkit.build(spec)
    x, t = mlpkit.load_data(spec, rows=ROWS)
    found = {}
    for name, exact in network.gradient(x, t).items():
        rng = np.random.default_rng(spec.seed)
        chosen = np.unravel_index(rng.choice(exact.size, min(SAMPLE, exact.size), replace=False), exact.shape)
        values = network.parameters[name]
        here = values[chosen]

        def loss(moved: np.ndarray, values: np.ndarray = values, chosen: tuple = chosen) -> float:
            values[chosen] = moved
            return network.loss(x, t)

        found[name] = exact[chosen], {h: numerical_gradient(loss, here, step=h) for h in steps}
        values[chosen] = here
    return found


def make(lesson: Lesson) -> str:
    """Return the page."""
    found = gradients(lesson, STEPS)
    best = STEPS[int(np.argmin([errors(found)[h] for h in STEPS]))]
    pairs = [
        {"backpropagation": a, "differences": n, "parameter": name}
        for name, (exact, numerical) in found.items()
        for a, n in zip(exact.tolist(), numerical[best].tolist(), strict=True)
    ]
    rows = [
        [name, f"{len(exact)}", f"{np.abs(exact).max():.2e}", f"{np.abs(exact - numerical[best]).mean():.1e}"]
        for name, (exact, numerical) in found.items()
    ]
    curve = [
        {"log₁₀ h": float(np.log10(h)), "log₁₀ error": float(np.log10(error)), "series": "mean error"}
        for h, error in errors(found).items()
    ]
    return lesson.page(
        "Numerical against analytic gradient",
        "Backpropagation gives the gradient that differences of the loss give, to about ten digits.",
        [
            parts.section(
                "The two gradients",
                charts.figure(
                    f"Each point is an element of the gradient, by backpropagation and by differences with h = {best:.0e}",
                    charts.points(pairs, "backpropagation", "differences", diagonal=True),
                ),
                parts.table(["parameter", "elements", "largest gradient", "mean difference"], rows, texts=[0]),
            ),
            parts.section(
                "The step h",
                charts.figure(
                    "The mean difference between the two, by the step h",
                    charts.paths(curve, "log₁₀ h", "log₁₀ error"),
                ),
            ),
        ],
        formula="∂L/∂w  ≈  ( L(w + h) − L(w − h) ) / 2h",
        notice=[
            "All points lie on the diagonal: the two agree in every parameter. A mistake in a layer's backward would "
            "take points off it.",
            "From right to left, the error first falls: the difference is wrong by a term in h². Then it rises again: "
            "L(w + h) and L(w − h) agree in more and more of their sixteen digits, and what is left of their difference "
            "is rounding, divided by a small h. The best h lies in between, near the cube root of the rounding error.",
            "Differences need two losses for each weight, backpropagation one pass for all. That is why networks are "
            "trained with the one and checked with the other.",
        ],
        experiments={
            "--set dtype=float32": "With seven digits in place of sixteen, the best h is larger, and so is the error.",
            "--set vars.activation=Relu": "With Relu, the error jumps where the step is long enough to get some inputs across its kink at 0.",
        },
    )


def errors(found: dict[str, tuple[np.ndarray, dict[float, np.ndarray]]]) -> dict[float, float]:
    """Return the mean difference between the two gradients by the step h."""
    return {
        h: float(np.mean([np.abs(exact - numerical[h]).mean() for exact, numerical in found.values()])) for h in STEPS
    }


if __name__ == "__main__":
    main(make)

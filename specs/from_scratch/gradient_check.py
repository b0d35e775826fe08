"""The gradient by differences compared with that of backpropagation.

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
    """Return the gradient by backpropagation and those by differences, for some elements of each parameter."""
    spec = lesson.spec()
    network = mlpkit.build(spec)
    x, t = mlpkit.load_data(spec, rows=ROWS)
    both = {}
    for name, exact in network.gradient(x, t).items():
        rng = np.random.default_rng(spec.seed)
        chosen = np.unravel_index(rng.choice(exact.size, min(SAMPLE, exact.size), replace=False), exact.shape)
        values = network.parameters[name]
        here = values[chosen]

        def loss(moved: np.ndarray, values: np.ndarray = values, chosen: tuple[np.ndarray, ...] = chosen) -> float:
            values[chosen] = moved
            return network.loss(x, t)

        both[name] = exact[chosen], {h: numerical_gradient(loss, here, step=h) for h in steps}
        values[chosen] = here
    return both


def make(lesson: Lesson) -> str:
    """Return the page."""
    both = gradients(lesson, STEPS)
    by_step = errors(both)
    best = min(by_step, key=by_step.__getitem__)
    pairs = [
        {"backpropagation": a, "differences": n, "parameter": name}
        for name, (exact, numerical) in both.items()
        for a, n in zip(exact.tolist(), numerical[best].tolist(), strict=True)
    ]
    rows = [
        [name, f"{len(exact)}", f"{np.abs(exact).max():.2e}", f"{np.abs(exact - numerical[best]).mean():.1e}"]
        for name, (exact, numerical) in both.items()
    ]
    curve = [
        {"log₁₀ h": float(np.log10(h)), "log₁₀ error": float(np.log10(error)), "series": "mean error"}
        for h, error in by_step.items()
    ]
    return lesson.page(
        parts.section(
            "The two gradients",
            charts.figure(
                f"Each point is an element of the gradient: by backpropagation, and by differences with h = {best:.0e}",
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
    )


def errors(both: dict[str, tuple[np.ndarray, dict[float, np.ndarray]]]) -> dict[float, float]:
    """Return the mean difference between the two gradients for each step h."""
    steps = next(iter(both.values()))[1]
    return {
        h: float(np.mean([np.abs(exact - numerical[h]).mean() for exact, numerical in both.values()])) for h in steps
    }


if __name__ == "__main__":
    main(make)

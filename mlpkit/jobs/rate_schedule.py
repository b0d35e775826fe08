"""What is known of a schedule of the learning rate beforehand: its values, and the number that scales them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.recipe import Recipe
from mlpkit.components.schedule import Progress, rate_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlpkit.components.optimizer import Optimizer

PLACES: Final = 200
"""Steps at which a schedule is looked at."""


def scale_of_rate(optimizer: Recipe[Optimizer]) -> tuple[str, float] | None:
    """Return the key of the number that scales the whole schedule of the learning rate, and the number.

    None if the rate is no schedule, or no number alone scales it.

    Args:
        optimizer: the optimizer of a spec.
    """
    rate = optimizer.arguments.get("learning_rate")
    if not isinstance(rate, Recipe):
        return None
    for path, number, halved in _halved(rate):
        if _is_scaled(rate, halved, 0.5):
            return ".".join(("training", "optimizer", optimizer.name, "learning_rate", *path)), number
    return None


def rates_of(optimizer: Recipe[Optimizer], total_steps: int | None, steps_per_epoch: int) -> list[tuple[int, float]]:
    """Return steps spread over a training, and the learning rate after each; none if the rate is no schedule.

    Args:
        optimizer: the optimizer of a spec.
        total_steps: steps of the whole training; None if they aren't known, and then nothing is returned.
        steps_per_epoch: steps of an epoch.
    """
    rate = optimizer.arguments.get("learning_rate")
    if not isinstance(rate, Recipe) or total_steps is None:
        return []
    schedule = rate()
    steps = sorted({round(i * (total_steps - 1) / PLACES) for i in range(PLACES + 1)})
    try:
        return [(step, rate_at(schedule, Progress(step, step / steps_per_epoch, total_steps))) for step in steps]
    except Exception:  # training reports what an author's schedule raises there
        return []


def _halved(recipe: Recipe[Any]) -> Iterator[tuple[tuple[str, ...], float, Recipe[Any]]]:
    """Go through the numbers among a recipe's parameters: their path, the number, and the recipe with it halved."""
    for name, value in recipe.arguments.items():
        inside: list[tuple[tuple[str, ...], float, Any]] = []
        if isinstance(value, Recipe):
            inside = [*_halved(value)]
        elif isinstance(value, float):
            inside = [((), value, value / 2)]
        for path, number, halved in inside:
            changed: Mapping[str, Any] = {**recipe.arguments, name: halved}
            yield (recipe.name, name, *path), number, replace(recipe, arguments=changed)


def _is_scaled(rate: Recipe[Any], other: Recipe[Any], factor: float) -> bool:
    """Whether one schedule is so many times another all through a training."""
    total = 1000
    places = [Progress(step, step / 100, total) for step in range(0, total, 37)]
    try:
        schedule, scaled = rate(), other()
        return all(
            math.isclose(rate_at(scaled, place), factor * rate_at(schedule, place), rel_tol=1e-6, abs_tol=1e-12)
            for place in places
        )
    except Exception:  # whatever an author's schedule raises in a training of that length: its scale isn't known
        return False

"""The schedules of a spec, checked before training, and the number that scales that of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from mlpkit.components.dataset import Description
from mlpkit.components.optimizer import Optimizer
from mlpkit.components.schedule import OpenEndedProgress, Progress, Schedule, out_of_range, rate_at
from mlpkit.components.schema.context import Problem, ValueType
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.errors import OpenEndedError
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.spec import Spec
from mlpkit.training.minibatches import steps_per_epoch

PLACES_LOOKED_AT: Final = 1000
"""Steps at which a schedule's value is looked at before training, spread over all of them."""


def schedule_faults(spec: Spec, description: Description) -> list[Problem]:
    """Check that schedules stay in range, and ask for the number of steps only if it is known."""
    owners = (spec.training.optimizer, *(member.recipe for member in spec.layers))
    schedules = [(owner, *found) for owner in owners for found in _schedules(owner)]
    if not schedules:
        return []
    training = spec.training
    rows = training.batch_size * training.accumulate
    examples = description.sizes["train"]
    per_epoch = steps_per_epoch(examples, rows, drop_last=training.drop_last) or 1  # too few examples is a fault, too
    steps = training.iterations or (training.epochs or 0) * per_epoch
    faults = []
    for owner, place, recipe, kind in schedules:
        parameter = "the learning rate" if place[-1] == "learning_rate" else f"{place[-1]} of {owner.name}"
        with component_errors(f"the schedule of {parameter} failed"):
            schedule = recipe()
            found = _fault(schedule, kind, steps, per_epoch) if steps else _open_ended_fault(schedule, kind)
        faults += [found._replace(path=place)] if found else []
    return faults


def _schedules(recipe: Recipe[Any]) -> Iterator[tuple[KeyPath, Recipe[Schedule], ValueType]]:
    """Go through the schedules of a component and those inside it, their places, and the types of the parameters."""
    for field in schema_of(recipe.component).fields:
        value, place = recipe.arguments.get(field.name), (*recipe.place, field.name)
        for inner in value if isinstance(value, list | tuple) else [value]:
            if isinstance(inner, Recipe) and inner.component.kind == "schedule":
                yield place, inner, field.type
            elif isinstance(inner, Recipe):
                yield from _schedules(inner)


def _open_ended_fault(schedule: Schedule, kind: ValueType) -> Problem | None:
    """Return the fault of a schedule in a training that ends after a time, if there is one."""
    try:
        value = schedule(OpenEndedProgress())
    except OpenEndedError:
        message = "this schedule depends on the number of steps, which is unknown if seconds is given"
        expected = "a number, or a schedule that depends only on steps or epochs"
        return Problem((), message, expected=expected, remedy="give iterations or epochs instead of seconds")
    return _range_fault(value, kind, 0)


def _fault(schedule: Schedule, kind: ValueType, steps: int, per_epoch: int) -> Problem | None:
    """Return the fault of a schedule over a number of steps, if there is one; what fails itself fails in training."""
    looked_at = {*range(0, steps, -(-steps // PLACES_LOOKED_AT)), steps - 1}
    with suppress(Exception):
        values = ((step, schedule(Progress(step, step / per_epoch, steps))) for step in sorted(looked_at))
        return next((found for step, value in values if (found := _range_fault(value, kind, step))), None)
    return None


def _range_fault(value: float, kind: ValueType, step: int) -> Problem | None:
    expected = out_of_range(value, kind)
    message = f"this schedule gives {value:g} before step {step + 1:,}"
    return Problem((), message, expected=expected) if expected else None


def scale_of_rate(optimizer: Recipe[Optimizer]) -> tuple[str, float] | None:
    """Return key and value of the number that scales an optimizer's schedule of the learning rate, if there is one."""
    rate = optimizer.arguments.get("learning_rate")
    if not isinstance(rate, Recipe):
        return None
    for path, number, halved in _halved(rate):
        if _is_half(halved, rate):
            return ".".join(("training", "optimizer", optimizer.name, "learning_rate", *path)), number
    return None


def _halved(recipe: Recipe[Any]) -> Iterator[tuple[tuple[str, ...], float, Recipe[Any]]]:
    """Go through the numbers among a recipe's parameters: their path, the number, and the recipe with it halved."""
    for name, value in recipe.arguments.items():
        inside: Iterable[tuple[tuple[str, ...], float, Any]] = ()
        if isinstance(value, Recipe):
            inside = _halved(value)
        elif isinstance(value, float):
            inside = [((), value, value / 2)]
        for path, number, halved in inside:
            yield (recipe.name, name, *path), number, replace(recipe, arguments={**recipe.arguments, name: halved})


def _is_half(half: Recipe[Any], whole: Recipe[Any]) -> bool:
    """Whether one schedule gives half the rates of another all through a training."""
    total = 1000
    try:
        first, second = half(), whole()
        return all(
            math.isclose(rate_at(first, place), 0.5 * rate_at(second, place), rel_tol=1e-6, abs_tol=1e-12)
            for place in (Progress(step, step / 100, total) for step in range(0, total, 37))
        )
    except Exception:  # whatever an author's schedule raises in a training of that length: its scale isn't known
        return False

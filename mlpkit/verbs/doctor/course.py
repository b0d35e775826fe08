"""How a training went so far, and what is known of it beforehand: what symptoms are noticed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit.training.health import CLIP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlpkit.training.health import Health

SETTLED_STEPS: Final = 100
SETTLED_EVALUATIONS: Final = 3

NO_ROUNDING: Final = 1 + 1e-5
"""Times a learning rate, a rise that is more than rounding to the six digits of a look."""

IMPROVED: Final = 0.99
"""Times the loss at half of the steps, one that still falls."""

LOWER: Final = 0.5
"""Times the highest learning rate so far, one that counts as lower: losses that rose with it fall again."""


class TrainingFacts(NamedTuple):
    """What is known of a training beforehand.

    Args:
        steps_per_epoch: steps of an epoch.
        total_steps: steps of the whole training; None if a clock or a callback ends it.
        longer: the override that makes the training ten times as long; empty if a clock or a callback ends it.
        slice_rows: examples that are computed together: the rows of a slice of a minibatch.
        coupling: names of the layers in which the examples of a minibatch affect each other.
        clipped: whether gradients are clipped.
        guarded: whether the training ends early, or keeps the best weights, when it overfits.
        values: whether the targets are values.
        scaled_values: whether the network computes with scaled values.
        first_weights: for a layer whose initializer isn't its default, the override that goes back to that.
        rates: steps of the training, and the learning rate after each, if a schedule says it.
        rate_scale: the key of the number that a schedule of the learning rate is proportional to, and the number; None
            without such a number.
        scale_inputs: the override that scales the inputs; or empty.
        scale_target: the override that scales the values to predict; or empty.
        balance: the override that gives rare classes more weight; empty if the loss takes no such weights, or has some.
        class_names: the names of the classes; empty if they are just numbers.
    """

    steps_per_epoch: int
    total_steps: int | None = None
    longer: str = ""
    slice_rows: int = 1
    coupling: tuple[str, ...] = ()
    clipped: bool = False
    guarded: bool = False
    values: bool = False
    scaled_values: bool = False
    first_weights: Mapping[str, str] = MappingProxyType({})
    rates: Sequence[tuple[int, float]] = ()
    rate_scale: tuple[str, float] | None = None
    scale_inputs: str = ""
    scale_target: str = ""
    balance: str = ""
    class_names: tuple[str, ...] = ()

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number if it has none."""
        return f"'{self.class_names[number]}'" if self.class_names else str(number)


@dataclass
class Course:
    """How a training went so far.

    Args:
        facts: what else is known of it.
        history: the evaluations.
        healths: what probes found, the first before the first step, if it was watched from the beginning.
        known: names of the symptoms that were noticed before.
        looks_are_few: whether one look must do to notice what otherwise takes several.
    """

    facts: TrainingFacts
    history: Sequence[Mapping[str, float]]
    healths: Sequence[Health]
    known: set[str] = field(default_factory=set)
    looks_are_few: bool = False

    @property
    def now(self) -> Health:
        """What was found last."""
        return self.healths[-1]

    @property
    def iteration(self) -> int:
        """Steps done."""
        return int(self.now["iteration"])

    @property
    def first_loss(self) -> float | None:
        """The loss of the first look."""
        return number_of(self.healths[0]["loss"])

    @property
    def chance(self) -> float | None:
        """The loss of the best constant prediction; None if the loss doesn't say, or it is zero."""
        return number_of(self.now["chance"]) or None

    @property
    def settled(self) -> bool:
        """Whether training has gone on for long enough to expect something of it."""
        return self._settled_since(0)

    @property
    def still_improves(self) -> bool:
        """Whether the loss has fallen since half of the steps by more than noise."""
        half = [health for health in self.healths if health["iteration"] <= self.iteration / 2][-1:]
        before, now = (number_of(health["loss"]) for health in (*half, self.now)) if half else (None, None)
        return before is not None and now is not None and now < IMPROVED * before

    @property
    def validated(self) -> list[Mapping[str, float]]:
        """The evaluations on training and validation rows."""
        return [record for record in self.history if "train_loss" in record and "validation_loss" in record]

    @property
    def last_rise(self) -> int | None:
        """The steps done at the evaluation before which the learning rate last rose; None if it never has."""
        first = [look for look in self.healths[:1] if look["iteration"] == 0 and look["learning_rate"] is not None]
        rates = [(look["iteration"], look["learning_rate"]) for look in (*first, *self.history)]
        rises = [int(step) for (_, before), (step, rate) in pairwise(rates) if rate > NO_ROUNDING * before]
        return rises[-1] if rises else None

    @property
    def awaits_lower_rate(self) -> bool:
        """Whether the learning rate has risen, training hasn't settled since then, and the schedule lowers the rate."""
        rise, seen = self.last_rise, [record["learning_rate"] for record in self.history]
        if rise is None or self._settled_since(rise):
            return False
        return any(step > self.iteration and rate < LOWER * max(seen) for step, rate in self.facts.rates)

    def _settled_since(self, step: int) -> bool:
        steps = max(SETTLED_STEPS, self.facts.steps_per_epoch)
        evaluations = sum(record["iteration"] > step for record in self.history)
        return self.iteration - step >= steps and evaluations >= SETTLED_EVALUATIONS

    def recently(self, holds: Callable[[Health], bool], times: int = 2) -> bool:
        """Whether something holds now, and held the last times, after the first step."""
        last = [health for health in self.healths if health["iteration"] > 0][-times:]
        return len(last) >= (1 if self.looks_are_few else times) and all(map(holds, last))

    def rate_advice(self, factor: float) -> str:
        """Return the override that multiplies a schedule of the learning rate, or else its highest value so far."""
        if self.facts.rate_scale is not None:
            key, scale = self.facts.rate_scale
            return f"--set {key}={factor * scale:.3g}"
        rates = [record["learning_rate"] for record in self.history] or [self.now["learning_rate"]]
        return f"--set training.optimizer.learning_rate={factor * max(rates):.3g}"

    def clip_advice(self) -> tuple[str, ...]:
        """Return the override that clips gradients, unless they are clipped."""
        return () if self.facts.clipped else (CLIP,)

    def first_weights_advice(self, *layers: str) -> tuple[str, ...]:
        """Return the overrides that give layers, by default all, their default initializers if they have others."""
        known = self.facts.first_weights
        together = " ".join(known[layer] for layer in layers or known if layer in known)
        return (together,) if together else ()


def number_of(value: Any) -> float | None:
    """Return a figure of a look as a float; None if it wasn't finite."""
    return None if value is None else float(value)

"""The health of a training so far, in which symptoms are looked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from mlpkit.training.health import CLIP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlpkit.training.health import Health
    from mlpkit.verbs.doctor.training_facts import TrainingFacts

SETTLED_STEPS: Final = 100
SETTLED_EVALUATIONS: Final = 3

NO_ROUNDING: Final = 1 + 1e-5
"""Times a learning rate, a rise that is more than rounding to the six digits of a probe."""

IMPROVED: Final = 0.99
"""Times the loss at half of the steps, one that still falls."""

LOSSES: Final = {
    *("loss", "chance", "prediction_loss", "validation_chance", "least_loss", "bounded_loss"),
    *("train_loss", "validation_loss"),
}
"""The losses among the figures of probes and evaluations."""

LOWER: Final = 0.5
"""Times the highest learning rate so far, one that counts as lower: losses that rose with it fall again."""


@dataclass
class HealthHistory:
    """The health of a training so far.

    Args:
        facts: what else is known of it.
        evaluations: the records of the evaluations.
        healths: what probes found, the first before the first step, if it was watched from the beginning.
        known: names of the symptoms that were noticed before.
        single_probe: whether one probe suffices to notice what otherwise takes several.
    """

    facts: TrainingFacts
    evaluations: Sequence[Mapping[str, float]]
    healths: Sequence[Health]
    known: set[str] = field(default_factory=set)
    single_probe: bool = False

    def counted_from(self, least: float) -> HealthHistory:
        """Return this history with every loss less the least possible one, so that ratios of losses have a meaning."""

        def counted(figures: Mapping[str, Any]) -> dict[str, Any]:
            return {
                key: value - least if key in LOSSES and isinstance(value, float) else value
                for key, value in figures.items()
            }

        return replace(self, evaluations=[*map(counted, self.evaluations)], healths=[*map(counted, self.healths)])

    @property
    def now(self) -> Health:
        """The last probe."""
        return self.healths[-1]

    @property
    def iteration(self) -> int:
        """Steps done."""
        return int(self.now["iteration"])

    @property
    def first_loss(self) -> float | None:
        """The loss of the first probe."""
        return number_of(self.healths[0]["loss"])

    @property
    def chance(self) -> float | None:
        """The loss of the best constant prediction; None if it is unknown or zero."""
        return number_of(self.now["chance"]) or None

    @property
    def settled(self) -> bool:
        """Whether training has run long enough to expect progress."""
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
        return [record for record in self.evaluations if "train_loss" in record and "validation_loss" in record]

    @property
    def last_rise(self) -> int | None:
        """The steps done at the evaluation before which the learning rate last rose; None if it never has."""
        first = [probe for probe in self.healths[:1] if probe["iteration"] == 0 and probe["learning_rate"] is not None]
        rates = [(probe["iteration"], probe["learning_rate"]) for probe in (*first, *self.evaluations)]
        rises = [int(step) for (_, before), (step, rate) in pairwise(rates) if rate > NO_ROUNDING * before]
        return rises[-1] if rises else None

    @property
    def awaits_lower_rate(self) -> bool:
        """Whether the learning rate has risen, training hasn't settled since then, and the schedule lowers the rate."""
        rise, seen = self.last_rise, [record["learning_rate"] for record in self.evaluations]
        if rise is None or self._settled_since(rise):
            return False
        return any(step > self.iteration and rate < LOWER * max(seen) for step, rate in self.facts.rates)

    def _settled_since(self, step: int) -> bool:
        steps = max(SETTLED_STEPS, self.facts.steps_per_epoch)
        evaluations = sum(record["iteration"] > step for record in self.evaluations)
        return self.iteration - step >= steps and evaluations >= SETTLED_EVALUATIONS

    def recently(self, holds: Callable[[Health], bool], times: int = 2) -> bool:
        """Whether something holds now, and held the last times, after the first step."""
        last = [health for health in self.healths if health["iteration"] > 0][-times:]
        return len(last) >= (1 if self.single_probe else times) and all(map(holds, last))

    def rate_advice(self, factor: float) -> str:
        """Return the override that multiplies a schedule of the learning rate, or else its highest value so far."""
        if self.facts.rate_scale is not None:
            key, scale = self.facts.rate_scale
            return f"--set {key}={factor * scale:.3g}"
        rates = [record["learning_rate"] for record in self.evaluations] or [self.now["learning_rate"]]
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
    """Return a figure of a probe as a float; None if it wasn't finite."""
    return None if value is None else float(value)

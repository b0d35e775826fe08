"""What is known of a training: beforehand, and of its health so far, in which symptoms are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from mlpkit.components.component import arguments_of
from mlpkit.components.dataset import Dataset
from mlpkit.components.initializer import Initializer
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Operation
from mlpkit.components.optimizer import Optimizer
from mlpkit.components.schedule import Progress, rate_at
from mlpkit.components.schema.recipe import Recipe
from mlpkit.components.schema.signature import REQUIRED, schema_of
from mlpkit.components.schema.types import without_null
from mlpkit.components.target import Values
from mlpkit.jobs.prove import SpecProof
from mlpkit.jobs.schedules import scale_of_rate
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.training.health import CLIP, Health
from mlpkit.training.minibatches import steps_per_epoch

RATES: Final = 200
"""Steps at which a schedule is looked at, besides the first."""


class TrainingFacts(NamedTuple):
    """What is known of a training beforehand; texts are overrides that change something, empty if nothing would.

    Args:
        total_steps: steps of the whole training; None if a clock or a callback ends it.
        longer: makes the training ten times as long.
        slice_rows: examples that are computed together: the rows of a slice of a minibatch.
        coupling: names of the layers in which the examples of a minibatch affect each other.
        guarded: whether the training ends early, or keeps the best weights, when it overfits.
        values: whether the targets are values; ``scaled_values`` if the network computes with scaled ones.
        first_weights: for a layer whose initializer isn't its default, what goes back to that.
        rates: steps of the training, and the learning rate after each, if a schedule sets it.
        rate_scale: the key of the number that a schedule of the learning rate is proportional to, and the number; None
            without such a number.
        scale_inputs: scales the inputs; ``scale_target`` the values to predict.
        balance: gives rare classes more weight; empty if the loss takes no such weights, or has some.
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


def facts_of(proved: SpecProof, network: Sequential, steps: int | None = None) -> TrainingFacts:
    """Return the facts known about a spec's training, whose data is open; ``steps`` stand in for the clock."""
    spec, dataset, description = proved.spec, proved.dataset, proved.description
    training = spec.training
    rows = min(training.batch_size, description.sizes["train"])
    rows_of_step = training.batch_size * training.accumulate
    per_epoch = steps_per_epoch(description.sizes["train"], rows_of_step, drop_last=training.drop_last)
    of_epochs = training.epochs * per_epoch if training.epochs else None
    total_steps = training.iterations or of_epochs or steps
    operations = network.replicas[0].operations()
    with component_errors(f"dataset {spec.data.name} failed in input_scaling or target_scaling"):
        inputs, target = dataset.input_scaling(), dataset.target_scaling()
        class_names = dataset.class_names()
    return TrainingFacts(
        steps_per_epoch=per_epoch,
        total_steps=total_steps,
        longer=_longer(spec),
        slice_rows=max(1, rows // network.slices),
        coupling=tuple(operation.path for operation in operations if operation.couples_examples),
        clipped=training.clip is not None,
        guarded=training.early_stopping is not None or training.best_weights is not None,
        values=isinstance(description.target, Values),
        scaled_values=isinstance(description.target, Values) and description.target.scaling is not None,
        first_weights={operation.path: advice for operation in operations if (advice := _default_weights(operation))},
        rates=_rates(training.optimizer, total_steps, per_epoch),
        rate_scale=scale_of_rate(training.optimizer),
        scale_inputs=_as_settings(spec, dataset, inputs),
        scale_target=_as_settings(spec, dataset, target),
        balance=_balance(network.replicas[0].loss),
        class_names=class_names or (),
    )


def _rates(optimizer: Recipe[Optimizer], total_steps: int | None, steps_per_epoch: int) -> list[tuple[int, float]]:
    """Return steps spread over a training, and the learning rate after each, if schedule and total determine it."""
    rate = optimizer.arguments.get("learning_rate")
    if not isinstance(rate, Recipe) or total_steps is None:
        return []
    schedule = rate()
    steps = sorted({round(i * (total_steps - 1) / RATES) for i in range(RATES + 1)})
    try:
        return [(step, rate_at(schedule, Progress(step, step / steps_per_epoch, total_steps))) for step in steps]
    except Exception:  # training reports what an author's schedule raises there
        return []


def _default_weights(operation: Operation) -> str:
    """Return the override that gives a layer of the stack its default initializer, if it has another."""
    if "." in operation.path:  # no override reaches a layer inside another by its name
        return ""
    given = arguments_of(operation)
    for name, kind, default, *_ in schema_of(type(operation)).fields:
        value = given.get(name)
        takes = getattr(without_null(kind), "kinds", ())
        if takes == (Initializer.kind,) and default not in (REQUIRED, getattr(value, "registered_name", value)):
            return f"--set layers.{operation.path}.{name}={to_inline_yaml(default)}"
    return ""


def _longer(spec: Spec) -> str:
    """Return the override that makes a training ten times as long, unless a clock ends it."""
    lengths = {"iterations": spec.training.iterations, "epochs": spec.training.epochs}
    return " ".join(f"--set training.{key}={10 * length}" for key, length in lengths.items() if length)


def _balance(loss: Loss) -> str:
    """Return the override that gives each class the same weight, if the loss takes weights of classes and has none."""
    if arguments_of(loss).get("class_weights", ()) is not None:
        return ""
    return f"--set layers.{loss.path}.class_weights=balanced"


def _as_settings(spec: Spec, dataset: Dataset, parameters: Mapping[str, Any]) -> str:
    """Return how to set parameters of the data set: as overrides, or as keywords if its examples come from Python."""
    if dataset.in_memory:
        return ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    return " ".join(f"--set data.{spec.data.name}.{key}={to_inline_yaml(value)}" for key, value in parameters.items())


SETTLED_STEPS: Final = 100
SETTLED_EVALUATIONS: Final = 3

NO_ROUNDING: Final = 1 + 1e-5
"""Times a learning rate, a rise that is more than rounding to the six digits of a probe."""

IMPROVED: Final = 0.99
"""Times the loss at half of the steps, one that still falls."""

LOSSES: Final = {
    *("loss", "chance", "prediction_loss", "validation_chance", "least_loss", "bounded_loss", "level_loss"),
    *("train_loss", "validation_loss"),
}
"""The losses among the figures of probes and evaluations."""

LOWER: Final = 0.5
"""Times the highest learning rate so far, one that counts as lower: losses that rose with it fall again."""


@dataclass
class HealthHistory:
    """The health of a training so far: facts, the records of evaluations, and what probes found.

    ``known`` are the symptoms that were noticed before.
    """

    facts: TrainingFacts
    evaluations: Sequence[Mapping[str, float]]
    healths: Sequence[Health]
    known: set[str] = field(default_factory=set)

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
        loss: float | None = self.healths[0]["loss"]
        return loss

    @property
    def chance(self) -> float | None:
        """The loss of the best constant prediction; None if it is unknown or zero."""
        chance: float | None = self.now["chance"]
        return chance or None

    @property
    def settled(self) -> bool:
        """Whether training has run long enough to expect progress."""
        return self._settled_since(0)

    @property
    def still_improves(self) -> bool:
        """Whether the loss has fallen since half of the steps by more than noise."""
        half = [health for health in self.healths if health["iteration"] <= self.iteration / 2][-1:]
        before, now = (health["loss"] for health in (*half, self.now)) if half else (None, None)
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
        return len(last) == times and all(map(holds, last))

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

"""What is known of a training beforehand, to watch over its health."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit.components.component import arguments_of
from mlpkit.components.initializer import Initializer
from mlpkit.components.recipe import Recipe
from mlpkit.components.schedule import Progress, rate_at
from mlpkit.components.schema.signature import REQUIRED, schema_of
from mlpkit.components.schema.types import without_null
from mlpkit.components.target import Values
from mlpkit.jobs.schedules import scale_of_rate
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.training.minibatches import steps_per_epoch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.components.dataset import Dataset
    from mlpkit.components.loss import Loss
    from mlpkit.components.operation import Operation
    from mlpkit.components.optimizer import Optimizer
    from mlpkit.jobs.prove import SpecProof
    from mlpkit.network.sequential import Sequential
    from mlpkit.specfile.spec import Spec


RATES: Final = 200
"""Steps at which a schedule is looked at, besides the first."""


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
        rates: steps of the training, and the learning rate after each, if a schedule sets it.
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


def facts_of(proved: SpecProof, network: Sequential, steps: int | None = None) -> TrainingFacts:
    """Return the facts known about a spec's training.

    Args:
        proved: the spec, proved, with its data opened.
        network: its network.
        steps: how many steps to do in place of the time that the spec sets; None to look at the clock.
    """
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
    for name, kind, default, _ in schema_of(type(operation)).fields:
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

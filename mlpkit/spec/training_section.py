"""The keys of ``training``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from annotated_types import Ge, Gt, Le

from mlpkit.components.augmentation import Augmentation
from mlpkit.components.callback import Callback
from mlpkit.components.metric import Metric
from mlpkit.components.optimizer import Optimizer
from mlpkit.components.recipe import Recipe
from mlpkit.components.schema.suggestion import nearest
from mlpkit.spec.checkpoint_section import Checkpoint, CheckpointType
from mlpkit.spec.clip_section import Clip, ClipType
from mlpkit.spec.early_stopping_section import EarlyStopping, EarlyStoppingType
from mlpkit.spec.figure import check_figure
from mlpkit.spec.moving_average_section import MovingAverage, MovingAverageType
from mlpkit.spec.section import SectionType

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking, SchemaReferences

LENGTHS: Final = ("iterations", "epochs", "seconds")
"""What says how long to train; just one of them is given."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Args:
        optimizer: how gradients change the parameters.
        batch_size: examples of a minibatch.
        accumulate: minibatches whose gradients are averaged for one step, as if they were one minibatch.
        sampling: how minibatches are drawn: every example once an epoch, or independently with replacement.
        iterations: steps to train for; either this, epochs or seconds.
        epochs: passes over the training data to train for; either this, iterations or seconds.
        seconds: time to train for, evaluations included, in seconds; either this, iterations or epochs.
        evaluate_every: steps between evaluations; by default once an epoch.
        metrics: figures to report beside the loss.
        callbacks: code that follows training and may end it.
        clip: limit on the gradient, before the optimizer sees it; by default there is none.
        moving_average: a moving average of the weights, which is evaluated and saved in place of them; by default none.
        augment: random changes to training inputs, in order.
        checkpoint: when to save all that the run needs to go on; by default only when a signal ends it.
        early_stopping: when a training that no longer gets better ends; by default only at its full length.
        best_weights: loss, or one of the metrics; the network ends with the weights that it was best with on the
            validation data. By default it ends with those of the last step.
        slices: slices that each minibatch is cut into; by default one.
        threads: BLAS threads for each matrix product; by default one a core, as far as the step keeps them busy.
    """

    optimizer: Recipe[Optimizer]
    batch_size: Annotated[int, Ge(1)] = 32
    accumulate: Annotated[int, Ge(1)] = 1
    sampling: Literal["shuffle", "with_replacement"] = "shuffle"
    iterations: Annotated[int | None, Ge(1)] = None
    epochs: Annotated[int | None, Ge(1)] = None
    seconds: Annotated[float | None, Gt(0)] = None
    evaluate_every: Annotated[int | None, Ge(1)] = None
    metrics: tuple[Recipe[Metric], ...] = ()
    callbacks: tuple[Recipe[Callback], ...] = ()
    clip: Annotated[Clip | None, ClipType()] = None
    moving_average: Annotated[MovingAverage | None, MovingAverageType()] = None
    augment: tuple[Recipe[Augmentation], ...] = ()
    checkpoint: Annotated[Checkpoint | None, CheckpointType()] = None
    early_stopping: Annotated[EarlyStopping | None, EarlyStoppingType()] = None
    best_weights: str | None = None
    slices: Annotated[int | None, Ge(1), Le(1024)] = None
    threads: Annotated[int | None, Ge(1), Le(1024)] = None


class TrainingType(SectionType):
    """The section ``training``: its keys, and what they mean together."""

    def __init__(self) -> None:
        super().__init__("training", Training)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in."""
        checked = super().check(value, path, checking)
        if isinstance(value, dict):
            _check_length(value, path, checking)
        if isinstance(checked, dict):
            _check_metrics(checked["metrics"], path, checking)
            _check_figures(checked, path, checking)
        return checked

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        schema = super().json_schema(references)
        schema["properties"]["metrics"] |= {"uniqueItems": True}
        return schema | {"oneOf": [_given(key) for key in LENGTHS]}


def _given(key: str) -> dict[str, Any]:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _check_length(value: dict[str, Any], path: Path, checking: Checking) -> None:
    given = [key for key in LENGTHS if value.get(key) is not None]
    expected = "one of iterations: STEPS, epochs: PASSES or seconds: TIME"
    misspelt = any(nearest(key, LENGTHS) for key in value if key not in Training.__annotations__)
    if not given and not misspelt:
        checking.report(path, "neither iterations nor epochs nor seconds is given", expected=expected, at_key=True)
    elif len(given) > 1:
        message = f"{' and '.join(given)} are all given" if len(given) > 2 else f"both {' and '.join(given)} are given"
        checking.report((*path, given[1]), message, expected=expected, at_key=True)


def _check_figures(checked: dict[str, Any], path: Path, checking: Checking) -> None:
    """Make sure that what is compared from evaluation to evaluation is among the figures of the run."""
    metrics = checked["metrics"]
    checkpoint, early_stopping, best_weights = (
        checked[key] for key in ("checkpoint", "early_stopping", "best_weights")
    )
    best = checkpoint and checkpoint["best"]
    if best and best.value is not None:
        check_figure(best.value, metrics, (*path, "checkpoint", "best"), checking)
    if early_stopping:
        check_figure(early_stopping["metric"], metrics, (*path, "early_stopping", "metric"), checking)
    if best_weights and best_weights.value is not None:
        check_figure(best_weights.value, metrics, (*path, "best_weights"), checking)


def _check_metrics(metrics: tuple[Recipe[Metric], ...], path: Path, checking: Checking) -> None:
    taken = set()
    for i, metric in enumerate(metrics):
        if metric.name in taken:
            checking.report((*path, "metrics", i), f"the metric {metric.name} is listed twice")
        taken.add(metric.name)

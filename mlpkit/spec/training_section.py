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
from mlpkit.spec.checkpoint_section import Checkpoint, CheckpointType, check_best
from mlpkit.spec.clip_section import Clip, ClipType
from mlpkit.spec.section import SectionType

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking, SchemaReferences

RESERVED: Final = {
    "early_stopping": "ending when nothing improves",
}


LENGTHS: Final = ("iterations", "epochs", "seconds")
"""What says how long to train; just one of them is given."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Args:
        optimizer: how gradients change the parameters.
        batch_size: examples of a minibatch.
        sampling: how minibatches are drawn: every example once an epoch, or independently with replacement.
        iterations: steps to train for; either this, epochs or seconds.
        epochs: passes over the training data to train for; either this, iterations or seconds.
        seconds: time to train for, evaluations included, in seconds; either this, iterations or epochs.
        evaluate_every: steps between evaluations; by default once an epoch.
        metrics: figures to report beside the loss.
        callbacks: code that follows training and may end it.
        clip: limit on the gradient, before the optimizer sees it; by default there is none.
        augment: random changes to training inputs, in order.
        checkpoint: when to save all that the run needs to go on; by default only when a signal ends it.
        slices: slices that each minibatch is cut into; by default one.
        threads: BLAS threads for each matrix product; by default one a core, as far as the step keeps them busy.
    """

    optimizer: Recipe[Optimizer]
    batch_size: Annotated[int, Ge(1)] = 32
    sampling: Literal["shuffle", "with_replacement"] = "shuffle"
    iterations: Annotated[int | None, Ge(1)] = None
    epochs: Annotated[int | None, Ge(1)] = None
    seconds: Annotated[float | None, Gt(0)] = None
    evaluate_every: Annotated[int | None, Ge(1)] = None
    metrics: tuple[Recipe[Metric], ...] = ()
    callbacks: tuple[Recipe[Callback], ...] = ()
    clip: Annotated[Clip | None, ClipType()] = None
    augment: tuple[Recipe[Augmentation], ...] = ()
    checkpoint: Annotated[Checkpoint | None, CheckpointType()] = None
    slices: Annotated[int | None, Ge(1), Le(1024)] = None
    threads: Annotated[int | None, Ge(1), Le(1024)] = None


class TrainingType(SectionType):
    """The section ``training``: its keys, and what they mean together."""

    def __init__(self) -> None:
        super().__init__("training", Training, RESERVED)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in."""
        checked = super().check(value, path, checking)
        if isinstance(value, dict):
            _check_length(value, path, checking)
        if isinstance(checked, dict):
            _check_metrics(checked["metrics"], path, checking)
            names = [metric.name for metric in checked["metrics"]]
            check_best(checked["checkpoint"], names, (*path, "checkpoint"), checking)
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


def _check_metrics(metrics: tuple[Recipe[Metric], ...], path: Path, checking: Checking) -> None:
    taken = set()
    for i, metric in enumerate(metrics):
        if metric.name in taken:
            checking.report((*path, "metrics", i), f"the metric {metric.name} is listed twice")
        taken.add(metric.name)

"""The circumstances that components are checked in, one kind of component a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.testing.suite.check import CheckFailure
from mlpkit.testing.suite.examples.augmentation import AugmentationExample
from mlpkit.testing.suite.examples.callback import CallbackExample
from mlpkit.testing.suite.examples.dataset import DatasetExample
from mlpkit.testing.suite.examples.initializer import InitializerExample
from mlpkit.testing.suite.examples.layer import LayerExample
from mlpkit.testing.suite.examples.loss import LossExample
from mlpkit.testing.suite.examples.metric import MetricExample
from mlpkit.testing.suite.examples.optimizer import OptimizerExample
from mlpkit.testing.suite.examples.schedule import ScheduleExample

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent, Registry
    from mlpkit.testing.suite.examples.example import Example

EXAMPLES: Final[dict[str, type[Example]]] = {
    "layer": LayerExample,
    "loss": LossExample,
    "optimizer": OptimizerExample,
    "schedule": ScheduleExample,
    "initializer": InitializerExample,
    "dataset": DatasetExample,
    "augmentation": AugmentationExample,
    "metric": MetricExample,
    "callback": CallbackExample,
}


def examples_of(entry: RegisteredComponent, registry: Registry) -> list[Example]:
    """Return what a component shows itself by, or else its default parameters.

    Args:
        entry: the component.
        registry: what its parameters may name.

    Raises:
        CheckFailure: ``examples`` returned something else, or it returned nothing and a parameter is required.
    """
    kind = EXAMPLES[entry.kind]
    given = entry.component.examples()  # type: ignore[attr-defined]
    if not isinstance(given, list) or not all(kind.is_item(item) for item in given):
        raise CheckFailure(
            f"{entry.name}.examples() returned {given!r}", expected=kind.form, remedy=f"as in {kind.sample}"
        )
    required = [field.name for field in entry.signature.fields if field.required]
    if not given and required:
        raise CheckFailure(
            f"{entry.name} has no examples, and must be given {', '.join(required)}",
            expected="parameters to check it with",
            remedy=f"write a class method examples that returns {kind.form}, as in {kind.sample}",
        )
    indices: list[int | None] = [*range(len(given))] or [None]
    return [example for index in indices for example in kind.variants(entry, registry, index)]

"""A key whose value names a figure of the run: the loss, or one of its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.suggestion import did_you_mean
from mlpkit.components.schema.value_type import Checking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.metric import Metric
    from mlpkit.components.recipe import Recipe
    from mlpkit.components.schema.fault import Path


def check_figure(name: str, metrics: Sequence[Recipe[Metric]], path: Path, checking: Checking) -> None:
    """Make sure that a figure is among those of the run.

    Args:
        name: what the spec says.
        metrics: the metrics that the spec asks for.
        path: where it says so.
        checking: takes the fault.
    """
    numbers = [metric.name for metric in metrics if metric.component.table is None]
    figures = ("loss", *numbers)
    if name in figures:
        return
    none = "there are none that are numbers" if metrics else "there are none"
    expected = f"loss, or one of training.metrics: {', '.join(numbers) or none}"
    if name in (metric.name for metric in metrics):
        checking.report(path, f"{name} is a table, and none is better than another", expected=expected)
    else:
        remedy = did_you_mean(name, figures) or _way_to_have(name, checking)
        checking.report(path, f"the run has no figure '{name}'", expected=expected, remedy=remedy)


def _way_to_have(name: str, checking: Checking) -> str:
    """Return how a run comes to have a figure, if there is a metric of that name, or else which metrics there are."""
    attempt = Checking(checking.resolve)
    if checking.resolve is not None:
        checking.resolve(("metric",), name, (), attempt)
    return attempt.faults[0].remedy if attempt.faults else f"add it: training.metrics=[{name}]"

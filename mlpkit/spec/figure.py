"""A key whose value names a figure of the run: the loss, or one of its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.metric import Metric
    from mlpkit.components.recipe import Recipe
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking


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
        remedy = did_you_mean(name, figures) or f"add it: training.metrics=[{name}]"
        checking.report(path, f"the run has no figure '{name}'", expected=expected, remedy=remedy)

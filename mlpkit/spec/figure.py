"""A key whose value names a figure of the run: the loss, or one of its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking


def check_figure(name: str, metrics: Sequence[str], path: Path, checking: Checking) -> None:
    """Make sure that a figure is among those of the run.

    Args:
        name: what the spec says.
        metrics: names of the metrics that the spec asks for.
        path: where it says so.
        checking: takes the fault.
    """
    figures = ("loss", *metrics)
    if name not in figures:
        checking.report(
            path,
            f"the run has no figure '{name}'",
            expected=f"loss, or one of training.metrics: {', '.join(metrics) or 'there are none'}",
            remedy=did_you_mean(name, figures) or f"add it: training.metrics=[{name}]",
        )

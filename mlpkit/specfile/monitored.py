"""What is compared between evaluations or between trials: that it is the loss, or one of the run's metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.metric import Metric
    from mlpkit.components.recipe import KeyPath, Recipe
    from mlpkit.components.schema.context import CheckContext


def check_monitored(
    name: str, monitored: Sequence[str], metrics: Sequence[Recipe[Metric]], path: KeyPath, context: CheckContext
) -> None:
    """Make sure that what is monitored is the loss or one of the run's metrics.

    Args:
        name: what is monitored at this place.
        monitored: what is monitored at any.
        metrics: the run's metrics.
        path: the place.
        context: takes the fault.
    """
    numbers = [metric.name for metric in metrics if metric.component.table is None]
    known = ("loss", *numbers)
    if name in known:
        return
    none = "no metric there is a number" if metrics else "it is empty"
    expected = f"loss, or one of training.metrics: {', '.join(numbers) or none}"
    found, remedy = _metric(name, context)
    if found is not None and found.component.table is not None:
        context.report(path, f"{name} is a table, and none is better than another", expected=expected)
        return
    if found is not None or context.resolve is None:
        remedy = _way_to_have([each for each in monitored if each not in known], metrics, context)
    context.report(
        path, f"the run has no metric '{name}'", expected=expected, remedy=did_you_mean(name, known) or remedy
    )


def _metric(name: str, context: CheckContext) -> tuple[Recipe[Metric] | None, str]:
    """Return the metric of that name, without parameters; or None, and which metrics there are."""
    attempt = context.attempt()
    found = context.resolve(("metric",), name, (), attempt) if context.resolve is not None else None
    return found, attempt.faults[0].remedy if attempt.faults else ""


def _way_to_have(names: Sequence[str], metrics: Sequence[Recipe[Metric]], context: CheckContext) -> str:
    """Return what to write so that a run has further metrics beside its own."""
    from mlpkit.specfile.yaml_writer import to_inline_yaml  # noqa: PLC0415 - only after a mistake

    more = []
    for name in dict.fromkeys(names):
        found, _ = _metric(name, context)
        if context.resolve is None or (found is not None and found.component.table is None):
            more.append(name)
    listed = to_inline_yaml([*(_as_written(metric, context) for metric in metrics), *more])
    return f"add {'it' if len(more) == 1 else 'them'}: training.metrics='{listed}'"  # a shell needs the quotes


def _as_written(metric: Recipe[Metric], context: CheckContext) -> object:
    """Return what a spec says of a metric: its name, and the parameters that differ from their defaults."""
    plain, _ = _metric(metric.name, context)
    defaults = plain.reference()[metric.name] if plain is not None else {}
    own = {key: value for key, value in metric.reference()[metric.name].items() if (key, value) not in defaults.items()}
    return {metric.name: own} if own else metric.name

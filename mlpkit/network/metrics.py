"""Metrics of a network's predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpkit.array import Array
from mlpkit.components.metric import Metric, Table
from mlpkit.components.target import Target
from mlpkit.network.arguments import require_takes_weights
from mlpkit.network.component_errors import component_errors
from mlpkit.network.replica import Replica


class Metrics:
    """Metrics of the same predictions, minibatch by minibatch; one that can't compare them is a ``WrongUseError``."""

    def __init__(self, metrics: Mapping[str, Metric], replica: Replica, target: Target | None) -> None:
        self._metrics = metrics
        seen = {metric.sees for metric in metrics.values()}
        views = {"point": replica.point_prediction, "interval": replica.interval_prediction}
        self._views = {name: view for name, view in views.items() if name in seen}
        if target is None:
            return
        for name, metric in metrics.items():
            with component_errors(f"the metric {name} failed"):
                metric.expect_target(target)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add a minibatch: predictions and targets of its rows, and their weights if they have any."""
        if weights is not None:
            require_takes_weights(*self._metrics.values())
        seen = {name: view(prediction) for name, view in self._views.items()}
        for name, metric in self._metrics.items():
            with component_errors(f"the metric {name} failed"):
                metric.update(seen[metric.sees], t, *(() if weights is None else (weights,)))

    def results(self) -> dict[str, float | Table]:
        """Return the result of each metric by its name: a float, or a table as rows of integers."""
        results: dict[str, float | Table] = {}
        for name, metric in self._metrics.items():
            with component_errors(f"the metric {name} failed"):
                result: Any = metric.result()
                is_table = metric.table is not None
                results[name] = [[int(count) for count in row] for row in result] if is_table else float(result)
        return results

"""Groups of rows by a column of the table, and loss and metrics of each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, RawColumn, Split
from mlpkit.components.metric import Metric
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.schema.wording import counted
from mlpkit.errors import UsageError
from mlpkit.jobs.folds import of_rows
from mlpkit.jobs.inputs import file_or_columns
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.spec_data import names_of_columns, no_column
from mlpkit.network.component_errors import component_errors
from mlpkit.network.metrics import Metrics
from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit.statistics import interval, wilson
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader
from mlpkit.training.workers import blas_threads

MOST_CATEGORIES: Final = 12
"""Groups of a column of categories, the commonest first; the rest are one more."""
RANGES: Final = 4
"""Groups of a column with more numbers or dates than that."""
FEWEST_ROWS: Final = 30
"""Rows from which a group has an interval."""
RESAMPLES: Final = 200
MOST_DRAWN: Final = 2000
"""Rows of a resample; a group of n rows then has an interval that is √(n / 2000) times narrower."""
DATE: Final = re.compile(r"\s*\d{4}-\d\d-\d\d")

Groups = dict[str, "NDArray[np.intp]"]
"""The positions of the rows of each group, by the group's name."""


def groups_of_rows(
    model: TrainedModel, data: Mapping[str, Split], by: Sequence[str], rows: object = None
) -> dict[str, dict[str, Groups]]:
    """Return the rows of each split by group: ``{split: {column: {group: positions}}}``.

    Each row is in one group of a column. All splits have the same groups, but for groups without a row there. The
    columns ``by`` needn't be inputs. ``rows`` is what the only split holds, as ``examples_of`` takes it; None for the
    model's own data, which is open.
    """
    dataset = model.dataset
    with component_errors(f"dataset {model.spec.data.name} failed in columns_of_rows"):
        source = None if rows is None else file_or_columns(model, rows)
        columns = {column.name: column for column in dataset.columns_of_rows(by, source)}
    require_columns(model, by, columns)
    found: dict[str, dict[str, Groups]] = {split: {} for split in data}
    for name in by:
        groups, of_text = _groups_of_texts(columns[name])
        numbers = {split: of_text[codes] for split, codes in columns[name].codes.items()}
        for split, examples in data.items():
            of_row = of_rows(lambda part, at: numbers[part][at], split, np.arange(len(examples)), examples)  # noqa: B023
            positions = {group: np.flatnonzero(of_row == number) for number, group in enumerate(groups)}
            found[split][name] = {group: inside for group, inside in positions.items() if len(inside)}
    return found


def require_columns(model: TrainedModel, by: Sequence[str], known: Container[str] | None = None) -> None:
    """Raise ``UsageError`` unless all names are among known columns: by default those of the model's described data."""
    known = names_of_columns(model.spec, model.dataset) if known is None else known
    for name in by:
        if name not in known:
            raise UsageError("; ".join(no_column(name, names_of_columns(model.spec, model.dataset))))


def _groups_of_texts(column: RawColumn) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of a column's groups, and the group of each of its texts; the last is that of missing values."""
    codes, numbers = np.concatenate([*column.codes.values()]), None if column.holds else column.numbers
    counts, has_numbers = np.bincount(codes[codes >= 0], minlength=len(column.texts)), numbers is not None
    keys: NDArray[Any] = np.array(column.texts, object) if numbers is None else numbers
    known = np.flatnonzero(counts * (keys == keys))  # noqa: PLR0124 - not NaN
    values, of_known = np.unique(keys[known], return_inverse=True)
    rows = np.bincount(of_known, counts[known], len(values))
    texts = [f"{value:.7g}" if has_numbers else value for value in values]
    group = np.arange(len(values))
    ranges = len(values) > MOST_CATEGORIES and (has_numbers or all(map(DATE.match, texts)))
    if ranges:  # a value is in the quarter in which the middle one of its rows is
        group = np.unique((np.cumsum(rows) - rows / 2) * RANGES // rows.sum(), return_inverse=True)[1]
    elif not has_numbers:
        group[np.argsort(-rows, kind="stable")] = np.minimum(group, MOST_CATEGORIES)
    names: list[str] = []
    for number in range(group.max(initial=-1) + 1):
        inside = [texts[i] for i in np.flatnonzero(group == number)]
        several = f"{inside[0]} to {inside[-1]}".replace(" 00:00:00", "") if ranges else counted(len(inside), "other")
        names.append(_free(inside[0] if len(inside) == 1 else several, names))
    of_text = np.full(len(column.texts) + 1, len(names))
    of_text[known] = group[of_known]
    return [*names, _free("missing", names)], of_text


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"({name})"
    return name


class Estimate(NamedTuple):
    """The loss or a metric of some rows, and the ends of its 95 % interval; None if there are too few rows."""

    value: float
    low: float | None = None
    high: float | None = None

    def is_apart(self, other: Estimate) -> bool:
        """Whether both have intervals, and these don't overlap."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return False
        return self.low > other.high or self.high < other.low


class Group(NamedTuple):
    """The number of rows of a group, and its loss and metrics by name."""

    rows: int
    metrics: dict[str, Estimate]

    def plain(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        return {"rows": self.rows, "metrics": {name: found._asdict() for name, found in self.metrics.items()}}


class MetricsByGroup(NamedTuple):
    """Loss and metrics of all rows of a split, and of the groups by each column."""

    whole: Group
    columns: dict[str, dict[str, Group]]

    def plain(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        columns = {name: {key: group.plain() for key, group in groups.items()} for name, groups in self.columns.items()}
        return {"whole": self.whole.plain(), "columns": columns}

    def table(self, column: str, shown: Callable[[float, float | None, float | None], str]) -> list[list[str]]:
        """Return a heading, and a row for all rows and for each group, in which ``shown`` writes a value."""
        rows = [[column, "rows", *self.whole.metrics]]
        for name, group in (("all rows", self.whole), *self.columns[column].items()):
            few = "" if group.rows >= FEWEST_ROWS else ", too few rows"
            cells = (
                shown(*found) + (" *" if found.is_apart(self.whole.metrics[metric]) else few)
                for metric, found in group.metrics.items()
            )
            rows.append([name, f"{group.rows:,}", *cells])
        return rows


def mean_over_runs(found: Sequence[MetricsByGroup]) -> MetricsByGroup:
    """Return the means over several runs, with 95 % intervals of these, of the groups that all runs have."""

    def mean(groups: Sequence[Group]) -> Group:
        means = {name: interval([group.metrics[name].value for group in groups]) for name in groups[0].metrics}
        return Group(groups[0].rows, {name: Estimate(each.mean, each.low, each.high) for name, each in means.items()})

    columns: dict[str, dict[str, Group]] = {}
    for column, groups in found[0].columns.items():
        common = [name for name in groups if all(name in each.columns[column] for each in found)]
        columns[column] = {name: mean([each.columns[column][name] for each in found]) for name in common}
    return MetricsByGroup(mean([each.whole for each in found]), columns)


def metrics_by_group(
    model: TrainedModel,
    data: Mapping[str, Split],
    description: Description,
    by: Sequence[str],
    rows: object = None,
    metrics: Mapping[str, Callable[[], Metric]] = MappingProxyType({}),
) -> dict[str, MetricsByGroup]:
    """Return loss and metrics of each split and its groups of rows, with 95 % intervals; no metrics that are tables.

    The interval of a share of rows is Wilson's. Others are between percentiles over resampled rows, 2,000 at most, less
    the bias of the resampling: their mean minus the value.
    Arguments are as for ``groups_of_rows`` and ``evaluated``.

    Source: Efron, Bootstrap Methods: Another Look at the Jackknife (1979); Bickel, Götze and van Zwet, Resampling Fewer
    Than n Observations (1997).
    """
    groups, found = groups_of_rows(model, data, by, rows), {}
    every = {metric.name: metric for metric in model.spec.training.metrics} | dict(metrics)
    for split, examples in data.items():
        with blas_threads(model.threads), model.network.evaluating(), without_warnings():
            judged = _JudgedRows(
                model, split, every, BatchReader(examples, description, model.network.dtype, EVALUATION_ROWS)
            )
            whole = judged.group(np.arange(len(examples)))
            columns = {
                column: {name: judged.group(inside, column, name) for name, inside in of_column.items()}
                for column, of_column in groups[split].items()
            }
        found[split] = MetricsByGroup(whole, columns)
    return found


class _JudgedRows:
    """The rows of a split, predicted once, of which any may be judged together."""

    def __init__(
        self, model: TrainedModel, split: str, metrics: Mapping[str, Callable[[], Metric]], reader: BatchReader
    ) -> None:
        self._split, self._model, self._replica = split, model, model.network.replicas[0]
        self._metrics = {name: create for name, create in metrics.items() if create().table is None}
        self._shares = {name for name, create in self._metrics.items() if create().is_share_of_rows}
        self._replica.set_training(False)
        parts: list[list[Array]] = []
        for x, t, weights in reader.in_order():
            logits = self._replica.forward(x)
            arrays = [logits, self._replica.predict(logits), t, *([] if weights is None else [weights])]
            parts.append([array.copy() for array in arrays])
        self._arrays = [np.concatenate(array) for array in zip(*parts, strict=True)]

    def group(self, rows: NDArray[np.intp], *key: str) -> Group:
        """Return loss and metrics of some rows; resamples are keyed by the seed, the split and the key."""
        found = {name: Estimate(value) for name, value in self._results(rows).items()}
        if len(rows) < FEWEST_ROWS:
            return Group(len(rows), found)
        random, drawn = keyed_generator(self._model.spec.seed, "by", self._split, *key), min(len(rows), MOST_DRAWN)
        resampled = [self._results(random.choice(rows, drawn), resampled=True) for _ in range(RESAMPLES)]
        for name, (value, *_) in found.items():
            if name in resampled[0]:
                values = [each[name] for each in resampled]
                from_value = np.quantile(values, (0.025, 0.975)) - np.mean(values)  # without the bias of resampling
                low, high = (value + from_value * math.sqrt(drawn / len(rows))).tolist()
            else:
                weights = self._arrays[3][rows] if len(self._arrays) > 3 else np.ones(len(rows))
                low, high = wilson(value, float(weights.sum() ** 2 / (weights @ weights)))  # rows that count as much
            found[name] = Estimate(value, low, high) if math.isfinite(high - low) else Estimate(value)
        return Group(len(rows), found)

    def _results(self, rows: NDArray[np.intp], *, resampled: bool = False) -> dict[str, float]:
        """Return loss and metrics of rows; no shares of rows if they are resampled."""
        left_out = self._shares if resampled else ()
        made = {name: create() for name, create in self._metrics.items() if name not in left_out}
        judges = Metrics(made, self._replica, self._model.target)
        total = counted_rows = 0.0
        for begin in range(0, len(rows), EVALUATION_ROWS):  # as in evaluation, for the same bits
            part = rows[begin : begin + EVALUATION_ROWS]
            logits, prediction, t, *weights = (array[part] for array in self._arrays)
            weight = self._replica.weight(t, *weights)
            total += weight * self._replica.compare(logits, t, *weights)
            counted_rows += weight
            judges.update(prediction, t, *weights)
        return {"loss": total / counted_rows, **judges.results()}  # type: ignore[dict-item]  # no tables

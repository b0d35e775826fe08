"""New rows against the rows that a run's network was trained on: columns counted, and tests of two samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, RawColumn, Split
from mlpkit.errors import DataError, RunFolderError, StorageError
from mlpkit.jobs.evaluate import data_of_run, warning_of_changed_data
from mlpkit.jobs.folds import FOLDED
from mlpkit.jobs.inputs import inputs_of_file, located, without_prediction
from mlpkit.jobs.leaks import WholeColumn
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.predict import predicted_values, predictions_of
from mlpkit.jobs.spec_data import rows_to_predict
from mlpkit.network.component_errors import component_errors
from mlpkit.runs.files import LARGEST_DOCUMENT, file_hash, write_atomically
from mlpkit.runs.json_files import decode, encode_pretty, fits, is_number, read_content
from mlpkit.runs.layout import MODEL, STATISTICS, has_file
from mlpkit.statistics import chi_square_tail, fisher_exact, holm
from mlpkit.training.minibatches import BatchReader

BINS: Final = 10
MOST_NAMES: Final = 1000
"""Categories of a column that are counted one by one, the most common."""


class ColumnCounts(NamedTuple):
    """How often the values of a column occur.

    Args:
        name: its name.
        role: what it is for: ``input``, ``target``, or ``model`` for what the model predicts.
        edges: the upper ends of the bins of its numbers but the last, which has none; empty if it holds categories.
        names: its categories, the most common first; empty for numbers.
        counts: how many rows each bin, or each category, has.
        others: rows with categories that aren't named, as too many differ, or with dates.
        missing: rows without a value.
        unseen: in new rows, the categories that training didn't have, with their rows.
    """

    name: str
    role: str
    edges: tuple[float, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]
    others: int
    missing: int
    unseen: Mapping[str, int] = MappingProxyType({})

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts) + self.others + self.missing + sum(self.unseen.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """What the rows of each of ``counts`` have: a range of numbers, or a category."""
        ends = [f"{edge:.4g}" for edge in self.edges]
        return (f"up to {ends[0]}", *(f"to {end}" for end in ends[1:]), f"above {ends[-1]}") if ends else self.names


def count_column(column: RawColumn) -> ColumnCounts:
    """Count the values of a column in training; of texts that nearly all differ, and of dates, only missing ones."""
    whole = WholeColumn(column)
    then = ColumnCounts(column.name, column.role, (), (), (), others=0, missing=0)
    if whole.values is not None and not column.holds:
        then = then._replace(edges=_edges(whole.values[whole.present]))
    else:
        common, most = whole.common, 0 if column.holds == "dates" else MOST_NAMES
        most = 0 if len(common) > max(2 * BINS, whole.rows / 2) else most
        then = then._replace(names=tuple(text for text, _ in common[:most]), others=len(common[most:]))
    counted = count_alike(then, column)
    assert counted is not None
    return counted


def count_alike(then: ColumnCounts, column: RawColumn) -> ColumnCounts | None:
    """Count the values of a column in new rows, as in training; None if it has texts in place of numbers."""
    whole = WholeColumn(column)
    missing = len(whole.codes) - whole.rows
    if then.edges:
        if whole.values is None and whole.rows:
            return None
        values = () if whole.values is None else whole.values[whole.present]
        binned = np.bincount(np.searchsorted(then.edges, values), minlength=len(then.edges) + 1)
        return then._replace(counts=tuple(binned.tolist()), others=0, missing=missing)
    found = dict(whole.common)
    counts = tuple(found.pop(name, 0) for name in then.names)
    if then.others:  # what isn't named may have been in training
        return then._replace(counts=counts, others=sum(found.values()), missing=missing)
    return then._replace(counts=counts, missing=missing, unseen=found)


def _edges(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Return deciles; a number that many rows have gets a bin of its own, with the next smaller one as an edge."""
    ascending = np.sort(numbers)
    deciles = ascending[np.arange(1, BINS) * len(numbers) // BINS]
    places = np.searchsorted(ascending, deciles[1:][deciles[1:] == deciles[:-1]])
    return tuple(np.unique([*deciles, *ascending[places[places > 0] - 1]]).tolist())


def counts_from_plain(plain: object) -> ColumnCounts:
    """Return the counts whose ``_asdict`` a JSON file holds, or raise ``ValueError``."""
    lists = {"edges": [is_number], "names": [str], "counts": [_is_count]}
    shape = {**lists, "name": str, "role": str, "others": _is_count, "missing": _is_count, "unseen": dict}
    if isinstance(plain, dict) and plain.keys() == shape.keys() and fits(plain, shape) and not plain["unseen"]:
        found = ColumnCounts(**{**plain, **{key: tuple(plain[key]) for key in lists}})
        if len(found.labels) == len(found.counts):
            return found
    raise ValueError("a column isn't as mlpkit writes it")


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


FEWEST_ROWS: Final = 20
"""With fewer new rows, no test is made."""
LEAST_EXPECTED: Final = 5.0
"""Rows that the smaller sample must be expected to have in a bin, or bins are joined (Cochran, 1954)."""


class ColumnDrift(NamedTuple):
    """A column in training and in new rows.

    Args:
        then: its values in training.
        now: its values in new rows.
        moved: the total variation distance, the share of rows that would have to change for the counts to agree.
        p_value: how likely chance alone makes the counts differ as much, corrected for the number of columns; None with
            too few rows.
        drifted: whether it has drifted.
    """

    then: ColumnCounts
    now: ColumnCounts
    moved: float
    p_value: float | None
    drifted: bool

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        then, now = ({key: getattr(side, key) for key in ("counts", "others", "missing")} for side in self[:2])
        found = {"name": self.then.name, "role": self.then.role, "drifted": self.drifted, "p_value": self.p_value}
        return {
            **found,
            "moved": self.moved,
            "bins": self.then.labels,
            "then": then,
            "now": {**now, "unseen": self.now.unseen},
        }


def drift_of(
    training: Sequence[ColumnCounts], new: Iterable[RawColumn], level: float, least: float = 0.0
) -> tuple[ColumnDrift, ...]:
    """Compare new rows with training, and return the columns that both have, the most drifted first.

    For counts a and b of n and m rows, X² = Σ (a √(m/n) - b √(n/m))² / (a + b) has a chi-square distribution with one
    degree of freedom less than there are bins, if chance alone makes them differ. Bins that are too small for that are
    joined, which would hide a new category, so Fisher's exact test also looks at the bin that differs most.
    Bonferroni's correction for both, and Holm's for all columns, keep the probability of any false alarm at ``level``.
    """
    columns = {(column.role, column.name): column for column in new}
    both = [(then, columns[then.role, then.name]) for then in training if (then.role, then.name) in columns]
    counted = [(then, now) for then, column in both if (now := count_alike(then, column)) is not None]
    tested = [_tested(then, now) for then, now in counted]
    corrected = iter(holm([p for p, _ in tested if p is not None]))
    found = []
    for (then, now), (p, moved) in zip(counted, tested, strict=True):
        p_value = None if p is None else next(corrected)
        drifted = p_value is not None and p_value < level and moved >= least
        found.append(ColumnDrift(then, now, moved, p_value, drifted))
    return tuple(sorted(found, key=lambda drift: (not drift.drifted, -drift.moved)))


Pair = tuple[int, int]
"""How many rows of training, and of the new ones, are in a bin."""


def _tested(then: ColumnCounts, now: ColumnCounts) -> tuple[float | None, float]:
    """Return the p-value, None if the test can't tell, and the total variation distance."""
    n, m = then.rows, now.rows
    if m < FEWEST_ROWS:
        return None, 0.0
    pairs = [*zip(then.counts, now.counts, strict=True), *((0, count) for count in now.unseen.values())]
    bins = [pair for pair in [*pairs, (then.others, now.others), (then.missing, now.missing)] if sum(pair)]
    joined = _joined(bins, min(n, m) / (n + m), ordered=bool(then.edges))
    a, b = max(bins, key=lambda pair: (pair[1] - sum(pair) * m / (n + m)) ** 2 / sum(pair))
    p_values = [len(bins) * fisher_exact(a, b, n, m)]
    if len(joined) > 1:
        statistic = sum((a * (m / n) ** 0.5 - b * (n / m) ** 0.5) ** 2 / (a + b) for a, b in joined)
        p_values.append(chi_square_tail(statistic, len(joined) - 1))
    moved = max(abs(a / n - b / m), sum(abs(a / n - b / m) for a, b in joined) / 2)
    return min(1.0, len(p_values) * min(p_values)), moved


def _joined(bins: Sequence[Pair], share: float, *, ordered: bool) -> list[Pair]:
    """Join neighbours, or small categories, until the smaller sample is expected to have enough rows in each bin.

    Both samples together decide which categories are small: by training alone, chance would make its rare categories
    look rarer among new rows.
    """
    if not ordered:
        bins = sorted(bins, key=sum, reverse=True)
        small = [pair for pair in bins if sum(pair) * share < LEAST_EXPECTED]
        bins = [*bins[: len(bins) - len(small)], _sum([(0, 0), *small])]
    joined, rest = [(0, 0)], (0, 0)
    for pair in bins:
        rest = _sum([rest, pair])
        if sum(rest) * share >= LEAST_EXPECTED:
            joined.append(rest)
            rest = (0, 0)
    return [pair for pair in [*joined[:-1], _sum([joined[-1], rest])] if sum(pair)]


def _sum(pairs: Iterable[Pair]) -> Pair:
    then, now = zip(*pairs, strict=True)
    return sum(then), sum(now)


OF_MODEL: Final = "model"
"""The role of what the model predicts."""
MOST_INPUTS: Final = 100
"""Inputs of a row that are compared one by one."""
MOST_PREDICTED: Final = 10
"""Predicted values of a row that are compared."""


@dataclass(frozen=True)
class DriftReport:
    """New rows of a file against those that a run's network was trained on, the most drifted columns first.

    ``level`` is the probability of any false alarm, ``least`` the share of a column's rows that must have moved, too;
    ``notes`` tell what can't be compared, and why.
    """

    new: str
    run: str
    rows: int
    training_rows: int
    level: float
    least: float
    columns: tuple[ColumnDrift, ...]
    notes: tuple[str, ...]

    @property
    def drifted(self) -> list[ColumnDrift]:
        """The columns that have drifted."""
        return [column for column in self.columns if column.drifted]

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        columns = [column.to_plain() for column in self.columns]
        return {**vars(self), "drifted": [column.then.name for column in self.drifted], "columns": columns}


def drift(model: TrainedModel, directory: Path, file: Path, name: str, level: float, least: float) -> DriftReport:
    """Compare the rows of a file, as for ``predict``, with those that the model of a run folder was trained on.

    ``name`` is what the file is called; ``level`` and ``least`` are as in ``DriftReport``. Without the run's data and
    its statistics, that is a ``RunFolderError``.
    """
    notes = list[str]()
    then = _statistics(directory, model, notes)
    path, error = located(model, file), None
    with component_errors(f"dataset {model.spec.data.name} failed in raw_columns_in"):
        new = [*(model.dataset.raw_columns_in(path) or ())]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the columns show what is unusual about the rows
            inputs = inputs_of_file(model, file)
        if inputs.lacking:
            notes.append(f"some rows have no prediction: {without_prediction(inputs)}")
        x = np.delete(np.asarray(inputs.x, model.network.dtype), [*inputs.lacking], axis=0)
        new = [*(new or _inputs_as_columns(model, x)), *_predictions_as_columns(model, x)]
    except DataError as found:
        error = found
        notes.append(f"predictions can't be compared: {error}")
    columns = drift_of(then, new, level, least)
    compared = {column.then.name for column in columns if column.then.role == "input"}
    if not any(column.role == OF_MODEL for column in then):
        notes.append("predictions can't be compared: the run has no test or validation split")
    if error is not None and any(column.role == "input" and column.name not in compared for column in then):
        raise error
    rows = columns[0].now.rows
    if rows < FEWEST_ROWS:
        notes.append(f"{rows:,} rows are too few for a test; give at least {FEWEST_ROWS}")
    return DriftReport(name, str(directory), rows, then[0].rows, level, least, columns, tuple(notes))


def _statistics(directory: Path, model: TrainedModel, notes: list[str]) -> tuple[ColumnCounts, ...]:
    """Return the counts of a run from its folder; or from its data, and then keep them there."""
    path, digest = directory / STATISTICS, file_hash(directory / MODEL)
    problem = f"has no {STATISTICS}"
    if has_file(directory, STATISTICS):
        try:
            kept = decode(read_content(path, LARGEST_DOCUMENT))
            if kept["model"] == digest:
                return tuple(map(counts_from_plain, kept["columns"] or [None]))
            problem = f"its {STATISTICS} is of another model"
        except (KeyError, TypeError, ValueError) as error:
            problem = f"its {STATISTICS} is damaged: {error}"
    try:
        found = _counted(model, *data_of_run(directory, model))
    except (DataError, RunFolderError) as error:
        remedy = f"where the data is, 'mlpkit data FILE --against RUN' writes {STATISTICS} into the folder"
        raise RunFolderError(f"{directory}: {problem}, and its data can't be read: {error}; {remedy}") from error
    if changed := warning_of_changed_data(directory, model):
        notes.append(changed)
        return found
    plain = {"model": digest, "columns": [column._asdict() for column in found]}
    with suppress(StorageError):  # a folder that can't be written has them computed again
        write_atomically(path, encode_pretty(plain).encode())
    return found


def _counted(model: TrainedModel, description: Description, data: Mapping[str, Split]) -> tuple[ColumnCounts, ...]:
    """Count the columns of training, and predictions for rows of the test or validation split."""

    def some(split: str) -> Array:
        rows = rows_to_predict(len(data[split]), model.network)
        return BatchReader(data[split], description, model.network.dtype, len(rows)).take(rows)[0]

    with component_errors(f"dataset {model.spec.data.name} failed in raw_columns"):
        columns, trained = model.dataset.raw_columns(), FOLDED if model.spec.folds else ("train",)
    if columns is None:
        counted = [count_column(column) for column in _inputs_as_columns(model, some("train"))]
    else:
        used = [column for column in columns if column.role in ("input", "target")]
        of_training = [{split: each.codes[split] for split in trained if split in each.codes} for each in used]
        counted = [count_column(each._replace(codes=codes)) for each, codes in zip(used, of_training, strict=True)]
    held_out = next((split for split in ("test", "validation") if split in data), None)
    of_model = [] if held_out is None else _predictions_as_columns(model, some(held_out))
    return (*counted, *map(count_column, of_model))


def _predictions_as_columns(model: TrainedModel, x: Array) -> list[RawColumn]:
    """Return the class predicted and its probability, the least sure label's, or the values predicted."""
    values = predicted_values(model, x)
    found, flat = predictions_of(model, values), values.reshape(len(values), -1)
    if found.classes is not None:
        classes = RawColumn("class predicted", OF_MODEL, found.class_labels, None, {"new": found.classes})
        return [classes, _of_numbers("largest probability", OF_MODEL, flat.max(axis=1))]
    if found.are_labels:
        return [_of_numbers("least sure probability", OF_MODEL, np.maximum(flat, 1 - flat).min(axis=1))]
    names = found.target_names or [str(i) for i in range(flat.shape[1])]
    columns = zip(names[:MOST_PREDICTED], flat.T, strict=False)
    return [_of_numbers(f"{name} predicted", OF_MODEL, values) for name, values in columns]


def _inputs_as_columns(model: TrainedModel, x: Array) -> list[RawColumn]:
    """Return each input of rows that come from no table, or mean and spread of each row if it is long or an image."""
    if x.ndim == 2 and x.shape[1] <= MOST_INPUTS:
        names = model.dataset.feature_names() or [f"input {i}" for i in range(x.shape[1])]
        return [_of_numbers(name, "input", values) for name, values in zip(names, x.T, strict=True)]
    flat = x.reshape(len(x), -1)
    of_rows = {"mean of a row": flat.mean(axis=1), "standard deviation of a row": flat.std(axis=1)}
    return [_of_numbers(name, "input", values) for name, values in of_rows.items()]


def _of_numbers(name: str, role: str, values: Array) -> RawColumn:
    texts = [""] * len(values)
    return RawColumn(name, role, texts, values.astype(np.float64), {"new": np.arange(len(values))})

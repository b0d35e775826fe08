"""Whether columns are distributed as in training: tests of two samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from mlpkit.components.dataset import RawColumn
from mlpkit.jobs.drift.column_counts import ColumnCounts, count_alike
from mlpkit.statistics import chi_square_tail, fisher_exact, holm

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

"""How much of what becomes of a sweep's trials depends on each searched key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.randomness import keyed_generator
from mlpkit.pages import charts
from mlpkit.pages.parts import table
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.statistics import holm
from mlpkit.terminal.figures import probability
from mlpkit.verbs.sweep.specs import short_keys

FEWEST_TRIALS: Final = 8
QUARTERS: Final = (0.25, 0.5, 0.75)
ORDERS: Final = 1000
"""Random orders that show what chance alone does."""
CHANCE: Final = 0.05

EXPLANATION: Final = (
    "Trials are ranked by the objective; pruned and diverged trials share the last rank. The importance of a key is "
    "the share of the ranks' variance between groups of its values, minus the average share due to chance: 0 if the "
    "key makes no difference, 100 % if it alone decides. A group is a choice, or a quarter of the trials by a number's "
    "size. Interactions of keys aren't measured. p: the probability that a random order of the trials gives as much, "
    "corrected for the number of keys (Holm)."
)


@dataclass(frozen=True)
class KeyImportance:
    """How much of the ranks of trials depends on a key; share and chance are None with too few trials."""

    trials: int
    share: float | None = None
    chance: float | None = None
    best: str = ""


def importance_of_key(values: Sequence[Any], costs: Sequence[float], seed: int = 0) -> KeyImportance:
    """Return how much of the ranks of trials depends on a key.

    With ranks r of n trials in k groups g by the key's value, r̄ their mean, and equal costs sharing their mean rank:

        η² = Σ_g n_g (r̄_g - r̄)² / Σ_i (r_i - r̄)²
        importance = max(0, 1 - (1 - η²) (n - 1) / (n - k))

    η² is the Kruskal-Wallis statistic H divided by n - 1. Chance alone makes it (k - 1) / (n - 1) on average, at which
    the importance is 0. It is not known with fewer than 8 trials, or fewer than 2 k.

    Args:
        values: the key's value in each trial.
        costs: the objective of each, lower is better; infinite for a trial that was pruned or diverged.
        seed: of the random orders.

    Source: Kruskal and Wallis, Use of Ranks in One-Criterion Variance Analysis (1952); Kelley, An Unbiased Correlation
    Ratio Measure (1935).
    """
    names, groups = groups_of(values)
    n, k = len(values), len(names)
    if n < max(FEWEST_TRIALS, 2 * k):
        return KeyImportance(n)
    ranks = _ranks(costs)
    ranks -= ranks.mean()
    members = np.eye(k)[groups]
    total = float(np.square(ranks).sum())
    if k == 1 or total == 0:
        return KeyImportance(n, 0.0, 1.0)
    sizes = members.sum(axis=0)

    def between(orders: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of squares between the groups, Σ_g n_g r̄_g², of several orders of the ranks."""
        return np.asarray((np.square(orders @ members) / sizes).sum(axis=1))

    observed = float(between(ranks[np.newaxis])[0])
    random = keyed_generator(seed, "importance").permuted(np.tile(ranks, (ORDERS, 1)), axis=1)
    chance = (1 + int((between(random) >= observed * (1 - 1e-9)).sum())) / (1 + ORDERS)
    share = max(0.0, 1 - (1 - observed / total) * (n - 1) / (n - k))
    return KeyImportance(n, share, chance, names[int(np.argmin(ranks @ members / sizes))])


def groups_of(values: Sequence[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of the groups of some values, and the group of each value.

    Numbers that differ in more than four values are grouped by their quarters, all others by what they are.
    """
    known: dict[str, Any] = {repr(value): value for value in values}
    if len(known) <= len(QUARTERS) + 1 or not all(_is_number(value) for value in values):
        places = {name: i for i, name in enumerate(known)}
        return [to_inline_yaml(value) for value in known.values()], np.array([places[repr(each)] for each in values])
    numbers = np.array(values, dtype=float)
    quarters = np.searchsorted(np.quantile(numbers, QUARTERS), numbers)
    _, groups = np.unique(quarters, return_inverse=True)
    parts = [numbers[groups == group] for group in range(groups.max() + 1)]
    return [_range(part.min(), part.max()) for part in parts], groups


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(low: float, high: float) -> str:
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _ranks(costs: Sequence[float]) -> NDArray[np.float64]:
    """Return ranks from 1 up; equal costs share their mean rank."""
    _, places, counts = np.unique(np.array(costs, dtype=float), return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return means[places]


def importance_figure(caption: str, found: Mapping[str, KeyImportance]) -> str:
    """Return a chart and a table of the importance of keys, the most important first."""
    shares = {key: each.share for key, each in found.items() if each.share is not None}
    known = sorted(shares, key=shares.__getitem__, reverse=True)
    corrected = dict(zip(known, holm([found[key].chance or 0.0 for key in known]), strict=True))
    ordered = [*known, *(key for key in found if key not in shares)]
    rows = [[key, str(found[key].trials), *_cells(found[key], corrected.get(key))] for key in ordered]
    titles = ["key", "trials", "importance", "best values", "verdict"]
    if not known:
        return table(titles, rows, caption=caption, texts=[0, 3, 4])
    names = dict(zip(found, short_keys([*found]), strict=True))
    bars = [{"key": names[key], "importance": round(shares[key], 4)} for key in known]
    chart = charts.bars(bars, "key", "importance", titles=("", "importance"))
    chart["encoding"]["x"] |= {"scale": {"domain": [0, 1]}, "axis": {"format": "%", "tickCount": 5}}
    return charts.figure(caption, chart) + table(titles, rows, caption=f"{caption}, in numbers", texts=[0, 3, 4])


def _cells(found: KeyImportance, p_value: float | None) -> list[str]:
    if found.share is None or p_value is None:
        return ["", "", "too few trials to say"]
    verdict = "more than chance" if p_value < CHANCE else "may be chance"
    return [f"{100 * found.share:.0f} %", found.best, f"{verdict}, p {probability(p_value)}"]

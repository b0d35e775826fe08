"""The result of a workload: contestants' figures side by side, compared with targets."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contestants.roster import LIMIT, OURS, PREDICTORS
from rounds import Ratio, best_sides, ratio

if TYPE_CHECKING:
    from rounds import Measured


@dataclass(frozen=True)
class Figure:
    """The measurements of one contestant.

    Args:
        name: the contestant's name.
        title: what it is called in a table.
        runs: the figure of each round.
        threads: on how many threads, None for its own choice.
        ratio: this figure / ours; of the limit, its share of our time. None for our own.
    """

    name: str
    title: str
    runs: list[float]
    threads: int | None = None
    ratio: Ratio | None = None

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.runs)


@dataclass(frozen=True)
class Verdict:
    """A target, and whether it was met.

    Args:
        what: the target in words.
        target: the figure to reach.
        reached: the figure that was measured.
        met: whether it is good enough.
    """

    what: str
    target: float
    reached: float
    met: bool


@dataclass
class Comparison:
    """Contestants side by side at one piece of work.

    Args:
        workload: the workload's name.
        title: what was done.
        unit: what the figures are in: ``s``, ``MB`` or ``share``.
        figures: those measured, ours first.
        about: sizes and other facts, as plain data.
        verdicts: the targets.
        failures: why a contestant has no figure, by its name.
    """

    workload: str
    title: str
    unit: str
    figures: list[Figure]
    about: dict[str, Any] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def figure(self, name: str) -> Figure | None:
        """Return a contestant's figure, or None if it has none."""
        return next((figure for figure in self.figures if figure.name == name), None)

    def best_peer(self) -> Figure | None:
        """Return the fastest peer; None without peers."""
        names = {entry.name for entry in PREDICTORS}
        peers = [figure for figure in self.figures if figure.name in names and figure.ratio is not None]
        return min(peers, key=lambda figure: figure.ratio.median if figure.ratio else 0.0, default=None)

    def ask_ratio(self, figure: Figure | None, target: float | None, what: str) -> None:
        """Compare a figure's ratio with a target, if both exist; it should be at least the target.

        Args:
            figure: whose ratio, or None.
            target: the ratio to reach, or None.
            what: the target in words.
        """
        if figure is not None and figure.ratio is not None and target is not None:
            reached = figure.ratio.median
            self.verdicts.append(Verdict(what, target, reached, reached >= target))

    def ask_at_most(self, reached: float, target: float, what: str) -> None:
        """Compare a figure with a target that it should not exceed."""
        self.verdicts.append(Verdict(what, target, reached, reached <= target))


def figures_of(measured: Measured, name: str) -> list[Figure]:
    """Return the contestants' figures, each on its best number of threads, with their ratios to ours.

    Args:
        measured: the results of the rounds.
        name: the figure's name in the reports.
    """
    best = best_sides(measured, name)
    ours = best[OURS][1] if OURS in best else None
    figures = []
    for entry in (OURS, LIMIT, *PREDICTORS):
        if entry in best:
            side, runs = best[entry]
            against = ratio(runs, ours) if ours is not None and entry is not OURS else None
            figures.append(Figure(entry.name, entry.title, runs, side.threads, against))
    return figures


def failures_of(measured: Measured) -> dict[str, str]:
    """Return why contestants failed, by their names."""
    return {side.entry.name: reason for side, reason in measured.failures.items()}

"""Contestants side by side at one piece of work, compared with targets."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from contestants.roster import LIMIT, OURS, PEERS, PREDICTORS
from rounds import Ratio, best_sides, ratio

if TYPE_CHECKING:
    from pathlib import Path

    from contestants.roster import Entry
    from rounds import Measured


@dataclass(frozen=True)
class Bench:
    """The options of a comparison: workspace, cores, names of peers, rounds, seconds, and shapes (H, B) of a step."""

    folder: Path
    cores: int
    only: tuple[str, ...]
    rounds: int
    seconds: float
    warm_up: float
    shapes: tuple[tuple[int, int], ...]

    @property
    def peers(self) -> list[Entry]:
        """The peers that take part in training: selected, with all their requirements installed."""
        return [entry for entry in self.predictors if entry in PEERS]

    @property
    def predictors(self) -> list[Entry]:
        """The peers that take part in predicting."""
        return [entry for entry in PREDICTORS if entry.name in self.only and not entry.missing]

    @property
    def left_out(self) -> dict[str, str]:
        """Why selected peers are left out, by their names."""
        return {entry.name: entry.missing for entry in PREDICTORS if entry.name in self.only and entry.missing}


@dataclass(frozen=True)
class Figure:
    """A contestant's seconds in each round, its own number of threads if None, and their ratio to ours.

    The ratio of the limit is its share of our time; ours has none.
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

    def __str__(self) -> str:
        threads = f" ({self.threads} thread{'s' if self.threads > 1 else ''})" if self.threads else ""
        time = f"{self.median:.3f} s" if self.median >= 1 else f"{self.median * 1000:.3f} ms"
        compared = f"   {'share' if self.name == LIMIT.name else 'ratio'} {self.ratio}" if self.ratio else ""
        return f"{self.title + threads:<36} {time:>12}{compared}"


@dataclass(frozen=True)
class Verdict:
    """A target in words, the figure to reach, the one that was measured, and whether that is good enough."""

    what: str
    target: float
    reached: float
    met: bool


@dataclass
class Comparison:
    """Contestants side by side at one piece of work, ours first, with its sizes as plain data.

    A contestant that failed has no figure but a reason in ``failures``.
    """

    workload: str
    title: str
    figures: list[Figure]
    about: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    @classmethod
    def of(
        cls, workload: str, title: str, measured: Measured, about: dict[str, Any], name: str = "seconds"
    ) -> Comparison:
        """Compare the contestants, each on its best number of threads, by a figure of their reports."""
        best = best_sides(measured, name)
        ours = best[OURS][1] if OURS in best else None
        figures = []
        for entry in (OURS, LIMIT, *PREDICTORS):
            if entry in best:
                side, runs = best[entry]
                against = ratio(runs, ours) if ours is not None and entry is not OURS else None
                figures.append(Figure(entry.name, entry.title, runs, side.threads, against))
        failures = {side.entry.name: reason for side, reason in measured.failures.items()}
        return cls(workload, title, figures, about, failures)

    def figure(self, name: str) -> Figure | None:
        """Return a contestant's figure, or None if it has none."""
        return next((figure for figure in self.figures if figure.name == name), None)

    def best_peer(self) -> Figure | None:
        """Return the fastest peer; None without peers."""
        names = {entry.name for entry in PREDICTORS}
        peers = [figure for figure in self.figures if figure.name in names and figure.ratio is not None]
        return min(peers, key=lambda figure: figure.ratio.median if figure.ratio else 0.0, default=None)

    def ask_ratio(self, figure: Figure | None, target: float | None, what: str) -> None:
        """Compare a figure's ratio with a target that it should reach, if both exist."""
        if figure is not None and figure.ratio is not None and target is not None:
            reached = figure.ratio.median
            self.verdicts.append(Verdict(what, target, reached, reached >= target))

    def ask_at_most(self, reached: float, target: float, what: str) -> None:
        """Compare a figure with a target that it should not exceed."""
        self.verdicts.append(Verdict(what, target, reached, reached <= target))

    def __str__(self) -> str:
        lines = [self.title, *(f"  {figure}" for figure in self.figures)]
        lines += [f"  {name:<24} FAILED: {reason}" for name, reason in self.failures.items()]
        lines += [
            f"  target: {each.what}: {each.reached:.4g}, target {each.target:g}   {'met' if each.met else 'MISSED'}"
            for each in self.verdicts
        ]
        return "\n".join(lines) + "\n"

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, with the medians."""
        figures = [{**asdict(figure), "median": figure.median} for figure in self.figures]
        return {**asdict(self), "figures": figures}

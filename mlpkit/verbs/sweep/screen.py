"""A sweep on a terminal: a table of the best trials, and below it how far the sweep has come."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from mlpkit.components.schema.wording import counted
from mlpkit.display.display import Outcome
from mlpkit.display.screen import Screen
from mlpkit.runs.overview import DIVERGED, FAILED, PRUNED
from mlpkit.terminal.figures import duration
from mlpkit.terminal.formatting import line_length
from mlpkit.verbs.sweep.display import SweepDisplay, best_table
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.section import Objective


class SweepScreen(SweepDisplay, Screen):
    """The best trials so far, drawn again whenever a trial starts or is over."""

    def __init__(self, title: str, folder: str) -> None:
        super().__init__(title, folder)
        self._training: set[int] = set()

    def sweep_began(
        self, run: int, objectives: Sequence[Objective], trials: Sequence[Trial], planned: int | None, workers: int
    ) -> None:
        """Show what there is already."""
        super().sweep_began(run, objectives, trials, planned, workers)
        self._over_before = len(self._over)
        self._area.start()
        self._draw()

    def trial_begun(self, run: int, trial: Trial) -> None:
        """Count it as in training."""
        super().trial_begun(run, trial)
        self._training.add(trial.number)
        self._draw()

    def trial_over(self, run: int, trial: Trial, best: Trial | None) -> None:
        """Put it into the table, if it is one of the best."""
        self._training.discard(trial.number)
        self._area.print_above(lambda: super(SweepScreen, self).trial_over(run, trial, best))
        self._draw()

    def finished(self, outcome: Outcome) -> None:
        """Leave the best trials, the folder, and the time."""
        self._area.stop()
        outcome.print_results("", self._clock() - self._began_at)

    def _draw(self) -> None:
        lines = [*best_table([*self._over.values()], self._objectives, line_length()), self._progress()]
        self._area.draw(Group(*(Text(line, no_wrap=True) for line in lines)))

    def _progress(self) -> str:
        """Return how far the sweep has come, and how long it still takes."""
        over = len(self._over)
        parts = [counted(over, "trial") if self._planned is None else f"{over} of {counted(self._planned, 'trial')}"]
        states = [trial.state for trial in self._over.values()]
        parts += [f"{states.count(state)} {state}" for state in (PRUNED, DIVERGED, FAILED) if state in states]
        parts += [f"{len(self._training)} training"] if self._training else []
        new = over - self._over_before
        if self._planned is not None and new > 0:
            left = (self._clock() - self._began_at) / new * (self._planned - over)
            parts.append(f"{duration(left)} left")
        return ", ".join(parts)

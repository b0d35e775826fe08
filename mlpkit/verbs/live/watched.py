"""Runs as a live page shows them: one that this process trains and can pause, or those in a folder."""

from __future__ import annotations

import shlex
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mlpkit.components.schedule import Progress
from mlpkit.display.display import Throughput
from mlpkit.errors import MlpkitError
from mlpkit.groups.list_runs import runs_listed
from mlpkit.jobs.train import Run
from mlpkit.pages.evaluations import Evaluations
from mlpkit.pages.notebook_tables import position_of_best
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.overview import RunOverview
from mlpkit.system import real_path
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.health import Symptom

SECONDS_BETWEEN_CHECKS = 0.05


class PausableStopRequest(StopRequest):
    """A request to stop that can also hold training between two steps: reading the reason waits while it is paused."""

    def __init__(self) -> None:
        self.paused = self.waiting = False
        self.asked = ""

    @property
    def reason(self) -> str:
        """Why training must end; empty if it continues."""
        while self.paused and not self.asked:
            self.waiting = True
            time.sleep(SECONDS_BETWEEN_CHECKS)  # a lock could be held by what a signal handler has interrupted
        self.waiting = False
        return self.asked

    @reason.setter
    def reason(self, reason: str) -> None:
        self.asked = reason


STOPPED_BY: Final = "the live page"
SECONDS_BETWEEN_LOOKS: Final = 1.0


@dataclass
class WatchedRun:
    """What a live page knows of a run: a state of its own or of ``mlpkit runs``, and None for what isn't known."""

    name: str
    state: str = "preparing"
    step: int = 0
    total: int | None = None
    loss: float | None = None
    seconds_left: float | None = None
    message: str = ""
    notes: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    best: int | None = None


class LiveRun(Observer):
    """The run that this process trains; other threads read its state."""

    def __init__(self, name: str, folder: Path, stop: PausableStopRequest) -> None:
        self.run = WatchedRun(name)
        self.stop = stop
        self._folder = folder
        self._evaluations = Evaluations()
        self._throughput = Throughput(None)
        self._training = False
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    def runs(self) -> list[WatchedRun]:
        """Return the run, as the page's server asks for it."""
        if self._training:
            held = "paused" if self.stop.waiting else "pausing"
            self.run.state = "stopping" if self.stop.asked else held if self.stop.paused else "running"
            if self._progress is not None:
                self.run.step = self._progress.step
        with self._lock:
            self.run.records, self.run.best = list(self._evaluations.records), self._evaluations.best_position
        return [self.run]

    def pause(self) -> None:
        """Hold the run after the step that it is in."""
        with self._lock:
            self.stop.paused = self._training

    def resume(self) -> None:
        """Continue a paused run."""
        self.stop.paused = False

    def end(self) -> None:
        """Ask the run to end after the step that it is in, to be resumed."""
        self.stop.stop(STOPPED_BY)

    def resumed(self, step: int) -> None:
        """Take in what was evaluated before."""
        self.run.step = step
        self._evaluations.records = RunFolder(self._folder).read_history()

    def monitored(self, tracker: BestTracker) -> None:
        """Compare the evaluations to come with the best of those before."""
        self._evaluations.monitored(tracker)
        self._evaluations.best_position = position_of_best(self._evaluations.records, tracker)

    def started(self, total_steps: int | None) -> None:
        """Training starts."""
        self.run.total = total_steps
        self._throughput = Throughput(total_steps, first=self.run.step)
        self._training = True

    def stepped(self, progress: Progress, loss: float) -> None:
        """Remember how far it is."""
        self._progress, self.run.loss = progress, loss
        left = self._throughput.seconds_left(progress.step)
        self.run.seconds_left = None if left == float("inf") else left

    def evaluated(self, record: Record, seconds: float) -> None:
        """Take in an evaluation, which may be the best so far."""
        with self._lock:
            self._evaluations.add(record)

    def diagnosed(self, symptom: Symptom) -> None:
        """Remember what is not as it should be."""
        self.run.notes.append(str(symptom))

    def ended(self) -> None:
        """Training is over: from now on, nothing can be paused."""
        self.runs()
        with self._lock:
            self._training = self.stop.paused = False

    def finished(self, run: Run) -> None:
        """Show how the run ended."""
        if run.stopped:
            self.close("stopped", f"resume it with: mlpkit resume {shlex.quote(str(run.folder))}")
        else:
            self.close("finished", f"{f'{run.ended}; ' if run.ended else ''}saved in {run.folder}")

    def close(self, state: str, message: str) -> None:
        """Show how the run ended."""
        self._training = False
        self.run.state, self.run.message, self.run.seconds_left = state, message, None


class FolderRuns:
    """The runs in a folder, whichever processes train them; looked at again once a second.

    Args:
        folder: a run folder, or one that holds run folders, such as a sweep's or several seeds'.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[Path, WatchedRun] = {}
        self._next_look = 0.0
        self._lock = threading.Lock()

    def runs(self) -> list[WatchedRun]:
        """Return their state."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_look:
                with suppress(MlpkitError):  # the folder may be made only when the first run starts
                    found = [overview for entry in runs_listed(self._folder) for overview in entry.runs]
                    self._runs = {overview.directory: self._run(overview) for overview in found}
                self._next_look = now + SECONDS_BETWEEN_LOOKS
            return list(self._runs.values())

    def _run(self, overview: RunOverview) -> WatchedRun:
        directory = overview.directory
        name = real_path(directory).name if directory == self._folder else str(directory.relative_to(self._folder))
        run = WatchedRun(name, overview.state, overview.steps, overview.total, message=overview.problem)
        known = self._runs.get(directory)
        run.records = known.records if known else []
        if known is None or known.step != overview.steps or not known.records:
            with suppress(MlpkitError):  # a line may be half written: it is whole at the next look
                run.records = RunFolder(directory).read_history()
        return run

"""A live page: the runs that it shows, at first a frame, then what changes as plain data, and its server."""

from __future__ import annotations

import json
import math
import shlex
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from mlpkit.cli.interrupt import Interrupts
from mlpkit.components.schedule import Progress
from mlpkit.display.display import Throughput
from mlpkit.errors import MlpkitError
from mlpkit.groups.list_runs import runs_listed
from mlpkit.jobs.train import Run
from mlpkit.pages import charts, parts
from mlpkit.pages.charts import require_chart_library
from mlpkit.pages.curves import MOST_POINTS, chart_of, curve_charts
from mlpkit.pages.evaluations import Evaluations, rows_worth_reading
from mlpkit.pages.notebook_tables import position_of_best
from mlpkit.pages.page import page
from mlpkit.pages.results import evaluations_table
from mlpkit.pages.server import PageServer
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import is_result, splits_by_name
from mlpkit.runs.overview import RunOverview
from mlpkit.system import real_path, require_processes
from mlpkit.terminal.figures import duration, figure
from mlpkit.terminal.output import diagnostic, message
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


BUTTONS: Final = {"pause": "Pause", "stop": "Stop"}
STATE: Final = (
    '<p id="run-state" role="status">Waiting for the run</p><p id="run-progress"></p>'
    '<progress id="run-done" max="1" value="0" aria-label="steps done"></progress>'
)
NOTES: Final = '<div id="run-notes" role="status"></div>'
CHART: Final = '<template id="run-chart"><figure><figcaption></figcaption><div class="chart"></div></figure></template>'


def frame(title: str, script: str, actions: Collection[str], spec: str = "") -> str:
    """Return the page before anything is known of the runs, with buttons for some actions."""
    buttons = [
        f'<button type="button" id="{name}">{text}</button>' for name, text in BUTTONS.items() if name in actions
    ]
    controls = f'<p class="controls">{"".join(buttons)}</p>' if buttons else ""
    return page(
        title,
        [
            parts.section("State", STATE, controls, NOTES),
            parts.section("Curves", '<div class="charts" id="run-curves"></div>', CHART),
            parts.section("Evaluations", '<div id="run-table"></div>'),
            *([parts.section("Spec", parts.preformatted(spec))] if spec else []),
        ],
        script,
    )


def state_of(runs: Sequence[WatchedRun]) -> dict[str, Any]:
    """Return what changes from step to step: state, progress, and what the buttons can do."""
    if len(runs) != 1:
        going = sum(run.state == "running" for run in runs)
        text = f"{len(runs)} runs, {going} of them running" if runs else "No runs yet"
        return {"state": text, "progress": "", "done": None, "active": going > 0, "paused": False, "notes": ""}
    (run,) = runs
    return {
        "state": f"{run.state.capitalize()}{f': {run.message}' if run.message else ''}",
        "progress": _progress(run),
        "done": run.step / run.total if run.total else None,
        "active": run.state in {"running", "pausing", "paused"},
        "paused": run.state in {"pausing", "paused"},
        "notes": "".join(map(parts.paragraph, run.notes)),
    }


def _progress(run: WatchedRun) -> str:
    of = f" of {run.total:,}" if run.total else ""
    facts = [f"step {run.step:,}{of}"]
    if run.loss is not None and math.isfinite(run.loss):
        facts.append(f"loss {figure(run.loss)}")
    if run.seconds_left is not None and run.state == "running":
        facts.append(f"{duration(run.seconds_left)} left")
    return ", ".join(facts)


def evaluations_of(runs: Sequence[WatchedRun]) -> dict[str, Any]:
    """Return what changes with an evaluation: a table as HTML, and charts by caption."""
    shown = {run.name: (run.records, run.best) for run in runs if run.records}
    if len(runs) > 1:
        return {"table": _runs(runs), "charts": _complete(_charts_of_several(shown))}
    if not shown:
        return {"table": "", "charts": {}}
    ((records, best),) = shown.values()
    return {"table": evaluations_table(records, best), "charts": _complete(curve_charts(records, best))}


def _complete(found: Mapping[str, charts.Chart]) -> dict[str, charts.Chart]:
    return {caption: charts.specification(caption, chart) for caption, chart in found.items()}


def _charts_of_several(shown: Mapping[str, tuple[list[Record], int | None]]) -> dict[str, charts.Chart]:
    """Return a chart of the loss and each metric, with a curve for each run: of validation, if there is any."""
    names = splits_by_name(dict.fromkeys(key for records, _ in shown.values() for key in records[0]))
    found = {}
    for name, splits in names.items():
        key = f"{splits[-1]}_{name}"
        curves = {run: _curve(records, key) for run, (records, _) in shown.items()}
        found[key.capitalize().replace("_", " ")] = chart_of(name, curves)
    return found


def _curve(records: Sequence[Record], key: str) -> list[tuple[float, float]]:
    kept = [records[i] for i in rows_worth_reading(len(records), None, MOST_POINTS)]
    return [(each["iteration"], each.get(key, math.nan)) for each in kept]


def _runs(runs: Sequence[WatchedRun]) -> str:
    keys = list(dict.fromkeys(key for run in runs for key in _results(run)))
    rows = [
        [run.name, run.state, f"{run.step:,}", *(figure(found[key]) if key in found else "" for key in keys)]
        for run in runs
        for found in [_results(run)]
    ]
    headings = ["run", "state", "iteration", *(key.replace("_", " ") for key in keys)]
    return parts.table(headings, rows, caption="Each run at its last evaluation", texts=[0, 1])


def _results(run: WatchedRun) -> dict[str, float]:
    """Return loss and metrics of the last evaluation."""
    last = run.records[-1] if run.records else {}
    return {key: value for key, value in last.items() if is_result(key)}


SECONDS_BETWEEN_STATES: Final = 0.25
SECONDS_BETWEEN_EVALUATIONS: Final = 1.0
SECONDS_OF_SILENCE: Final = 10.0
"""After which a line is sent that says nothing, to notice that a browser has left."""


class LiveServer(PageServer):
    """A page about runs, served by background threads until the end of the block."""

    def __init__(
        self,
        title: str,
        runs: Callable[[], Sequence[WatchedRun]],
        actions: Mapping[str, Callable[[], None]],
        *,
        spec: str = "",
        port: int = 0,
    ) -> None:
        require_chart_library()
        self.title = title
        self.runs = runs
        self.actions = actions
        self.spec = spec
        super().__init__(port=port)

    def page(self) -> str:
        """Return the page."""
        script = (files("mlpkit.verbs.live") / "live.js").read_text("utf-8")
        return frame(self.title, script, self.actions, self.spec)

    def answer(self, what: str, message: bytes) -> str | None:
        """Do what a button asks for."""
        action = self.actions.get(what)
        if action is None:
            return None
        action()
        return ""

    def write_stream(self, send: Callable[[str], None]) -> None:
        """Send the state when it changes, and the evaluations less often."""
        sent: tuple[Any, Any] = (None, None)
        spoke = evaluated = 0.0
        while True:
            last, now = self.closing.is_set(), time.monotonic()
            runs = self.runs()
            news = state = state_of(runs)
            counted = [(run.name, run.state if len(runs) > 1 else "", len(run.records)) for run in runs]
            if counted != sent[1] and (last or now >= evaluated + SECONDS_BETWEEN_EVALUATIONS):
                news, evaluated = state | evaluations_of(runs), now
            else:
                counted = sent[1]
            if (state, counted) != sent:
                send(f"data: {json.dumps(news, separators=(',', ':'))}\n\n")
                sent, spoke = (state, counted), now
            elif now >= spoke + SECONDS_OF_SILENCE:
                send(":\n\n")
                spoke = now
            if last:
                return
            self.closing.wait(SECONDS_BETWEEN_STATES)


@contextmanager
def live_page(port: int, title: str, folder: Path, spec: str, interrupts: Interrupts) -> Iterator[LiveRun]:
    """Serve a page about a run until the end of the block; see ``cli.around_training`` for the arguments."""
    interrupts.stop = stop = PausableStopRequest()
    run = LiveRun(title, folder, stop)
    actions = {"pause": run.pause, "continue": run.resume, "stop": run.end}
    with server_at(port, title, run.runs, actions, spec):
        try:
            yield run
        except BaseException as error:
            run.close("failed", str(error).partition("\n")[0])
            raise


@contextmanager
def live_folder(port: int, title: str, folder: Path, interrupts: Interrupts) -> Iterator[None]:
    """Serve a page about the runs in a folder until the end of the block; the arguments are explained there, too."""
    with server_at(port, title, FolderRuns(folder).runs, {"stop": partial(interrupts.stop.stop, STOPPED_BY)}):
        yield


def server_at(
    port: int,
    title: str,
    runs: Callable[[], Sequence[WatchedRun]],
    actions: Mapping[str, Callable[[], None]],
    spec: str = "",
) -> LiveServer:
    """Return a server of a live page, and print its address; if a port is taken, another one serves."""
    require_processes("a live page")
    try:
        server = LiveServer(title, runs, actions, spec=spec, port=port)
    except OSError as error:
        diagnostic(f"warning: port {port} can't be used: {error.strerror}; the live page uses another one", "yellow")
        server = LiveServer(title, runs, actions, spec=spec)
    message(f"live page: {server.address}")
    return server

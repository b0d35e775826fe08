"""The whole job: the notebook's loop as it was, against ``mlpkit run`` on the main spec."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import targets
from bench import LONG_RUNS, say
from comparison import Comparison, Figure, failures_of
from contestants.roster import OURS, Entry
from mnist_arrays import SPEC
from processes import finished
from rounds import Side, ratio, take_turns

if TYPE_CHECKING:
    from bench import Bench

NOTEBOOK_LOOP = Path(__file__).parents[1] / "notebook_loop.py"
NOTEBOOK = Entry("notebook", "the notebook's loop", "", {})


def job(bench: Bench) -> list[Comparison]:
    """Compare whole processes."""
    title = f"the main job, {bench.job_steps:,} steps, whole processes"
    say(f"{title} ...")

    def measure(side: Side) -> dict[str, float]:
        if side.entry is OURS:
            command = main_spec_command(bench.folder, bench.job_steps)
        else:
            command = [sys.executable, str(NOTEBOOK_LOOP), str(bench.folder), "--steps", str(bench.job_steps)]
        began = time.perf_counter()
        finished(command)
        return {"seconds": time.perf_counter() - began}

    finished(main_spec_command(bench.folder, 1))  # fills caches
    measured = take_turns([Side(OURS), Side(NOTEBOOK)], bench.rounds(LONG_RUNS), measure)
    runs = {side.entry: [report["seconds"] for report in reports] for side, reports in measured.figures.items()}
    figures = [Figure(OURS.name, "mlpkit run", runs[OURS])] if OURS in runs else []
    if NOTEBOOK in runs:
        against = ratio(runs[NOTEBOOK], runs[OURS]) if OURS in runs else None
        figures.append(Figure(NOTEBOOK.name, NOTEBOOK.title, runs[NOTEBOOK], ratio=against))
    compared = Comparison("job", title, "s", figures, {"steps": bench.job_steps}, failures=failures_of(measured))
    compared.ask_ratio(compared.figure(NOTEBOOK.name), targets.JOB_AGAINST_NOTEBOOK, "the notebook's loop / mlpkit run")
    return [compared]


def main_spec_command(folder: Path, steps: int) -> list[str]:
    """Return the command that runs the main spec.

    Args:
        folder: the workspace, in which it makes a new run folder.
        steps: how long to train.
    """
    out = tempfile.mkdtemp(prefix="run-", dir=folder)
    settings = ["--set", f"training.iterations={steps}", "--quiet", "--out", out]
    return [sys.executable, "-m", "mlpkit", "run", str(SPEC), "--no-report", *settings]

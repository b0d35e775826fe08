"""The peak memory of the main job, beside that of bare NumPy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import targets
from bench import say
from comparison import Comparison, Figure, failures_of
from contestants.roster import OURS, Entry
from processes import finished
from rounds import Side, take_turns

from workloads.job import main_spec_command

if TYPE_CHECKING:
    from bench import Bench

PEAK_MEMORY = Path(__file__).parents[1] / "peak_memory.py"
STEPS = 1000
"""Enough: memory is all taken within the first evaluation, which comes at 500 or at the end."""
NUMPY = Entry("numpy", "import numpy", "", {})


def memory(bench: Bench) -> list[Comparison]:
    """Compare the most memory held at once by ``mlpkit run`` on the main spec, and by ``import numpy``."""
    title = "peak memory of mlpkit run specs/mnist_3layer.yaml"
    say(f"{title} ...")

    def measure(side: Side) -> dict[str, float]:
        numpy = [sys.executable, "-c", "import numpy"]
        command = main_spec_command(bench.folder, min(STEPS, bench.job_steps)) if side.entry is OURS else numpy
        done = finished([sys.executable, str(PEAK_MEMORY), *command])
        return {"megabytes": int(done.stdout) / 1e6}

    measured = take_turns([Side(OURS), Side(NUMPY)], bench.rounds(), measure)
    runs = {side.entry: [report["megabytes"] for report in reports] for side, reports in measured.figures.items()}
    figures = [Figure(entry.name, entry.title, values) for entry, values in runs.items()]
    compared = Comparison("memory", title, "MB", figures, failures=failures_of(measured))
    ours, numpy = compared.figure(OURS.name), compared.figure(NUMPY.name)
    if ours is not None and numpy is not None:
        compared.ask_at_most(ours.median - numpy.median, targets.MEMORY_ABOVE_NUMPY, "megabytes above bare NumPy")
    return [compared]

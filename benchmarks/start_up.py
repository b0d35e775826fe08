"""Times how long mlpkit takes to start, and how much memory the main job needs.

    python benchmarks/start_up.py [--json] [--runs 11] [--steps 1000]

Every figure is the median over whole processes, which take turns with ``python -c "import numpy"``. A time meets its
limit if it is below the limit in seconds, or below that multiple of the import of NumPy, whichever is laxer. The first
training step is timed from the start of the process to a note that a callback writes when the step is done.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import heading, machine

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
SPEC = str(ROOT / "specs" / "mnist_3layer.yaml")
PROGRAM = [sys.executable, "-m", "mlpkit"]
LIMITS = {"mlpkit --help": (0.2, 1.5), "mlpkit check": (0.35, 2.0), "first training step": (0.7, 3.0)}
"""Seconds, and multiples of the import of NumPy."""
MOST_MEMORY = 350
"""Megabytes."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=11, help="processes of each kind")
    parser.add_argument("--steps", type=int, default=1000, help="steps of the job whose memory is measured")
    options = parser.parse_args()
    seconds = medians(options.runs)
    memory = peak_memory(options.steps)
    if options.json:
        print(json.dumps({"machine": machine(), "seconds": seconds, "peak_memory_mb": memory}, indent=2))
        return
    print(heading(machine()))
    numpy = seconds["import numpy"]
    print(f"{'import numpy':<22} {numpy:6.3f} s")
    for name, (limit, multiple) in LIMITS.items():
        laxer = max(limit, multiple * numpy)
        verdict = "met" if seconds[name] <= laxer else "MISSED"
        print(f"{name:<22} {seconds[name]:6.3f} s   limit {laxer:.3f} s   {verdict}")
    verdict = "met" if memory <= MOST_MEMORY else "MISSED"
    print(f"{'peak memory':<22} {memory:6.0f} MB  limit {MOST_MEMORY} MB   {verdict}")


def medians(runs: int) -> dict[str, float]:
    """Return the median seconds of each kind of process, taking turns.

    Args:
        runs: processes of each kind.
    """
    kinds: dict[str, Callable[[], float]] = {
        "import numpy": lambda: whole_process([sys.executable, "-c", "import numpy"]),
        "mlpkit --help": lambda: whole_process([*PROGRAM, "--help"]),
        "mlpkit check": lambda: whole_process([*PROGRAM, "check", SPEC]),
        "first training step": first_step,
    }
    first_step()  # so that the data lie in the cache folder
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(runs):
        for name, measure in kinds.items():
            times[name].append(measure())
    return {name: statistics.median(values) for name, values in times.items()}


def whole_process(command: list[str]) -> float:
    """Return the seconds from a process's start to its end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def first_step() -> float:
    """Return the seconds from a process's start to the end of its first training step."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note"
        callback = json.dumps([{"first_step.note_first_step": {"file": str(note)}}])
        settings = ["training.iterations=1", f"training.callbacks={callback}"]
        command = [
            *PROGRAM,
            "run",
            SPEC,
            "--quiet",
            "--no-report",
            "--out",
            f"{folder}/run",
            *plugin(),
            *overriding(settings),
        ]
        began = time.time()
        subprocess.run(command, check=True)
        return float(note.read_text(encoding="utf-8")) - began


def peak_memory(steps: int) -> float:
    """Return the most memory, in megabytes, that the main job held at once.

    Args:
        steps: how long to train; memory is all taken within the first evaluation.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [*PROGRAM, "run", SPEC, "--quiet", "--no-report", "--out", f"{folder}/run"]
        process = subprocess.Popen([*command, *overriding([f"training.iterations={steps}"])])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        unit = 1 if sys.platform == "darwin" else 1024
        return usage.ru_maxrss * unit / 1e6


def plugin() -> list[str]:
    """Return the options that add the callback."""
    return ["--plugin", str(Path(__file__).with_name("first_step.py"))]


def overriding(settings: list[str]) -> list[Any]:
    """Return the options that override these values."""
    return [option for setting in settings for option in ("--set", setting)]


if __name__ == "__main__":
    main()

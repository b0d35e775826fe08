"""Times how long mlpkit takes to start, and measures the memory of the main job.

    python benchmarks/start_up.py [--json] [--rounds 11] [--steps 1000]

Every figure is the median over whole processes, which take turns with ``python -c "import numpy"``; a multiple is of
that import in the same round. A time meets its limit if it is below the limit in seconds, or below that multiple,
whichever is laxer. The first training step is timed from the start of the process to a note that a callback writes when
the step is done. A run of one step may end with a report, most of which is the time of vl-convert.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from processes import MLPKIT
from report import limit, parser_of, print_report
from rounds import interleaved, ratio, seconds_of

SPEC = str(Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml")
IMPORT = "import numpy"
LIMITS = {
    "mlpkit --help": (0.2, 1.5),
    "mlpkit check": (0.35, 2.0),
    "first training step": (0.7, 3.0),
    "run of one step": (0.9, 6.0),
}
"""Seconds, and multiples of the import of NumPy."""
MOST_MEMORY = 350
"""Megabytes."""


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__, rounds=11)
    parser.add_argument("--steps", type=int, default=1000, help="steps of the job whose memory is measured")
    options = parser.parse_args()
    first_step()  # unpacks the data into the cache folder
    times = interleaved(
        {
            IMPORT: partial(whole_process, [sys.executable, "-c", IMPORT]),
            "mlpkit --help": partial(whole_process, [*MLPKIT, "--help"]),
            "mlpkit check": partial(whole_process, [*MLPKIT, "check", SPEC]),
            "first training step": first_step,
            "run of one step": one_step,
            "with a report": partial(one_step, "--report"),
        },
        options.rounds,
    )
    seconds = {name: statistics.median(values) for name, values in times.items()}
    multiples = {name: ratio(values, times[IMPORT]).median for name, values in times.items()}
    memory = peak_memory(options.steps)
    lines = [f"{name:<22} {figure:6.3f} s  {multiples[name]:5.2f}" for name, figure in seconds.items()]
    for name, (least, multiple) in LIMITS.items():
        most = max(least, multiple * seconds[IMPORT])
        lines.append(f"{name:<22} {limit(seconds[name], most, f'{most:.3f} s')}")
    lines.append(f"{'peak memory':<22} {memory:6.0f} MB  {limit(memory, MOST_MEMORY, f'{MOST_MEMORY} MB')}")
    print_report(options, {"seconds": seconds, "multiples": multiples, "peak_memory_mb": memory}, lines)


def whole_process(command: list[str]) -> float:
    """Return the seconds from a process's start to its end."""
    return seconds_of(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def run_command(folder: str, steps: int) -> list[str]:
    """Return the command that trains the main spec for a number of steps."""
    settings = ["--set", f"training.iterations={steps}", "--quiet", "--no-report", "--out", f"{folder}/run"]
    return [*MLPKIT, "run", SPEC, *settings]


def one_step(*options: str) -> float:
    """Return the seconds of a whole run of one step, which writes no report unless an option asks for it."""
    with tempfile.TemporaryDirectory() as folder:
        return whole_process([*run_command(folder, 1), *options])


def first_step() -> float:
    """Return the seconds from a process's start to the end of its first training step."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note"
        callback = json.dumps([{"first_step.note_first_step": {"file": str(note)}}])
        plugin = ["--plugin", str(Path(__file__).with_name("first_step.py")), "--set", f"training.callbacks={callback}"]
        began = time.time()
        subprocess.run([*run_command(folder, 1), *plugin], check=True)
        return float(note.read_text(encoding="utf-8")) - began


def peak_memory(steps: int) -> float:
    """Return the most memory, in megabytes, that the main job held at once; the first evaluation takes all of it."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(run_command(folder, steps))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    main()

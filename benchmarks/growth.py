"""How the cost of everything grows: with rows, features, width, depth, classes, evaluations, and installed plugins.

    python benchmarks/growth.py [--axes rows depth] [--largest 1000000] [--json] [--plot growth.svg]
    python benchmarks/growth.py --point '{"classes": 100000}'

For each axis one number grows; all others stay as they are. Checking, training, training with a checkpoint after each
step, and reporting each take a process of their own. Times are the processor's, on one thread, since other programs may
be running; memory is the most that a process held at once. The exponent says how a cost grows over the last decade of
its axis: 0 for a cost that stays, 1 for one that grows as its axis does. Whatever grows faster than its work is marked.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from installed_plugins import install
from report import parser_of, print_report, say
from rounds import seconds_of

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.training.events import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.components.schedule import Progress
    from mlpkit.training.evaluation import Record


@dataclass(frozen=True)
class Size:
    """How large everything is; where nothing grows, everything is small.

    There are ``rows`` in .npy files, or ``csv_rows`` in a CSV file instead; each hidden layer has a Relu, so 500 are
    1,000 layers.
    """

    rows: int = 1000
    csv_rows: int = 0
    features: int = 20
    width: int = 32
    depth: int = 2
    classes: int = 2
    evaluations: int = 2
    plugins: int = 0


POINTS: Final = {
    "rows": (1000, 10_000, 100_000, 1_000_000, 10_000_000),
    "csv_rows": (1000, 10_000, 100_000, 1_000_000),
    "features": (10, 100, 1000, 10_000, 100_000),
    "width": (16, 128, 1024, 4096),
    "depth": (1, 5, 50, 500),
    "classes": (2, 10, 100, 1000, 10_000, 100_000),
    "evaluations": (1, 10, 100, 1000, 10_000, 100_000),
    "plugins": (0, 10, 100, 1000),
}
WORK: Final = {"width": 2.0}
"""How the work of an axis grows with it, if not in proportion: hidden layers have width² weights."""

TOLERANCE: Final = 0.15
LEAST: Final = {"seconds": 0.002, "megabytes": 2.0}
"""Costs below this say nothing of growth."""

STEPS: Final = 20
BATCH_SIZE: Final = 32
ROWS_WRITTEN_TOGETHER: Final = 1000


class Clock(Observer):
    """Notes the processor's time of a training's events."""

    def __init__(self) -> None:
        self.first_step = self.first_evaluation = self.ended_at = math.nan

    def stepped(self, progress: Progress, loss: float) -> None:
        """Note the first step."""
        if progress.step == 1:
            self.first_step = time.process_time()

    def evaluated(self, record: Record, seconds: float) -> None:
        """Note the first evaluation."""
        if math.isnan(self.first_evaluation):
            self.first_evaluation = time.process_time()

    def ended(self) -> None:
        """Note the end of the last step and evaluation."""
        self.ended_at = time.process_time()


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--axes", nargs="+", choices=POINTS, default=[*POINTS], metavar="AXIS")
    parser.add_argument("--largest", type=int, default=1_000_000, help="leave out points above it (default: 1000000)")
    parser.add_argument("--plot", type=Path, help="draw the costs into this SVG file")
    parser.add_argument("--point", help="measure this size alone, given as JSON, and print its costs")
    parser.add_argument("--job", choices=JOBS, help="only one of the jobs of --point")
    options = parser.parse_args()
    if options.point:
        size = Size(**json.loads(options.point))
        print(json.dumps(JOBS[options.job](size) if options.job else costs_of(size)))
        return
    found = {}
    for axis in options.axes:
        say(f"{axis} ...")
        values = [value for value in POINTS[axis] if value <= options.largest]
        found[axis] = {value: costs_of(replace(Size(), **{axis: value})) for value in values}
    print_report(options, {"axes": found}, (line for axis in found for line in table(axis, found[axis])))
    if options.plot:
        from growth_plot import draw  # noqa: PLC0415 - only plots need matplotlib

        draw(found, options.plot)


def costs_of(size: Size) -> dict[str, float]:
    """Return what a size costs, in seconds and megabytes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        install(size.plugins, folder / "site")
        (_, _), (check, of_check), (run, of_run), (checkpoints, _), (report, of_report) = (
            in_a_process(job, size, folder) for job in JOBS
        )
    plain, often = run[f"{STEPS} steps and an evaluation"], checkpoints["seconds"]
    return {
        **check,
        **run,
        "checkpoint": max(0.0, (often - plain) / STEPS),
        **report,
        "memory of check, MB": of_check,
        "memory of a run, MB": of_run,
        "memory of a report, MB": of_report,
    }


def in_a_process(job: str, size: Size, folder: Path) -> tuple[dict[str, float], float]:
    """Do a job in a process of its own, in a folder, and return what it measured and the most megabytes it had."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-W", "ignore", __file__, "--job", job, "--point", json.dumps(asdict(size))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder)
    assert process.stdout is not None
    found: dict[str, float] = json.loads(process.stdout.read() or "{}")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return found, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def cost_of_check(size: Size) -> dict[str, float]:
    """Load and check the spec."""
    return {"check": seconds_of(lambda: check(mlpkit.load_spec(spec_of(size))), time.process_time)}


def costs_of_run(size: Size) -> dict[str, float]:
    """Train, and once more with an evaluation that doesn't come between the steps."""
    spec, clock, began = mlpkit.load_spec(spec_of(size)), Clock(), time.process_time()
    mlpkit.run(spec, "run", observer=clock, quiet=True)
    over = time.process_time()
    return {
        "start, first step included": clock.first_step - began,
        f"{STEPS} steps and an evaluation": until_evaluated(size, "once", checkpoint=None),
        "all steps and evaluations": clock.ended_at - clock.first_step,
        "end: all splits, model, files": over - clock.ended_at,
    }


def cost_of_checkpoints(size: Size) -> dict[str, float]:
    """Train with a checkpoint after each step."""
    return {"seconds": until_evaluated(size, "often", checkpoint={"every": 1})}


def cost_of_report(size: Size) -> dict[str, float]:
    """Write the report of the run."""
    return {"report": seconds_of(lambda: mlpkit.report("run"), time.process_time)}


def until_evaluated(size: Size, directory: str, checkpoint: dict[str, int] | None) -> float:
    """Train, and return the seconds from the first step to the end of the first evaluation."""
    clock = Clock()
    spec = mlpkit.load_spec(spec_of(replace(size, evaluations=1)), overrides={"training.checkpoint": checkpoint})
    mlpkit.run(spec, directory, observer=clock, quiet=True)
    return clock.first_evaluation - clock.first_step


def write_data(size: Size) -> dict[str, float]:
    """Write random examples into the current folder, some at a time."""
    rng = np.random.default_rng(0)
    if size.csv_rows:
        with Path("data.csv").open("w", encoding="utf-8") as table_file:
            print(*(f"x{i}" for i in range(size.features)), "t", sep=",", file=table_file)
            for i in range(size.csv_rows):
                numbers = rng.standard_normal(size.features).tolist()
                print(*(f"{number:.5f}" for number in numbers), i % size.classes, sep=",", file=table_file)
        return {}
    x = np.lib.format.open_memmap("x.npy", "w+", np.float32, (size.rows, size.features))
    for begin in range(0, size.rows, ROWS_WRITTEN_TOGETHER):
        part = x[begin : begin + ROWS_WRITTEN_TOGETHER]
        rng.standard_normal(part.shape, np.float32, part)
    np.save("t.npy", np.rint(np.linspace(0, size.classes - 1, size.rows)).astype(np.int64))
    return {}


def spec_of(size: Size) -> dict[str, Any]:
    """Return the spec of a size."""
    steps = max(STEPS, size.evaluations)
    of_arrays = {"npy": {"inputs": "x.npy", "targets": "t.npy"}}
    hidden = [each for _ in range(size.depth) for each in ({"Affine": {"units": size.width}}, "Relu")]
    return {
        "mlpkit": 1,
        "data": {"csv": {"file": "data.csv", "target": "t"}} if size.csv_rows else of_arrays,
        "layers": [*hidden, {"Affine": {"units": size.classes}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"sgd": {"learning_rate": 0.01}},
            "batch_size": BATCH_SIZE,
            "iterations": steps,
            "evaluate_every": steps // size.evaluations,
            "threads": 1,
        },
    }


JOBS: Final = {
    "write": write_data,
    "check": cost_of_check,
    "run": costs_of_run,
    "checkpoints": cost_of_checkpoints,
    "report": cost_of_report,
}
"""The measurements, in order, each in a process of its own."""


def table(axis: str, found: dict[int, dict[str, float]]) -> Iterator[str]:
    """Yield the lines of an axis: a row for each cost, a column for each point, and the exponent."""
    work = WORK.get(axis, 1.0)
    yield f"{axis:38}" + "".join(f"{value:>11,}" for value in found) + "   exponent"
    for cost in next(iter(found.values())):
        costs = {value: costs[cost] for value, costs in found.items()}
        grows = exponent(costs, LEAST["megabytes" if cost.endswith("MB") else "seconds"])
        mark = "" if grows is None or grows <= work + TOLERANCE else f"   faster than its work, {work:g}"
        written = "     -" if grows is None else f"{grows:6.2f}"
        yield f"  {cost:36}" + "".join(f"{value:11.4g}" for value in costs.values()) + f"     {written}{mark}"
    yield ""


def exponent(costs: dict[int, float], least: float) -> float | None:
    """Return how a cost grows over the last decade of its axis; None if it is below ``least`` at the last point."""
    if len(costs) < 2:
        return None
    (before, small), (last, large) = [*costs.items()][-2:]
    if large < least or not before:
        return None
    return math.log(large / max(small, least / 10)) / math.log(last / before)


if __name__ == "__main__":
    main()

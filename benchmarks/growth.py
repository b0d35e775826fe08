"""How the cost of everything grows: with rows, features, width, depth, classes, evaluations, and installed plugins.

    python benchmarks/growth.py [--axes rows depth] [--largest 1000000] [--json]

For each axis one number grows, in a process for each point; all others stay as they are. Times are the processor's, on
one thread, since other programs may be running. The exponent says how a cost grows over the last decade of its axis:
0 for a cost that stays, 1 for one that grows as its axis does. Whatever grows faster than its work is marked.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine
from many_plugins import install

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.training.events import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.components.schedule import Progress
    from mlpkit.training.evaluation import Record


@dataclass(frozen=True)
class Size:
    """How large everything is; where nothing grows, everything is small.

    Args:
        rows: examples.
        features: inputs.
        width: units of each hidden layer.
        depth: hidden layers, each with a Relu: 500 are 1,000 layers.
        classes: classes to predict.
        evaluations: evaluations during the training.
        plugins: distributions installed beside mlpkit.
    """

    rows: int = 1000
    features: int = 20
    width: int = 32
    depth: int = 2
    classes: int = 2
    evaluations: int = 2
    plugins: int = 0


POINTS: Final = {
    "rows": (1000, 10_000, 100_000, 1_000_000, 10_000_000),
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", nargs="+", choices=POINTS, default=[*POINTS], metavar="AXIS")
    parser.add_argument("--largest", type=int, default=1_000_000, help="leave out points above it (default: 1000000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        print(json.dumps(costs_of(Size(**json.loads(options.point)))))
        return
    axes = {axis: [value for value in POINTS[axis] if value <= options.largest] for axis in options.axes}
    if options.json:
        found = {axis: measured(axis, values) for axis, values in axes.items()}
        print(json.dumps({"machine": machine(), "axes": found}))
        return
    print(heading(machine()))
    for axis, values in axes.items():
        print("\n".join(table(axis, measured(axis, values))), flush=True)


def measured(axis: str, values: Sequence[int]) -> dict[int, dict[str, float]]:
    """Return the costs at each point of an axis, each from a process of its own."""
    return {value: in_a_process(replace(Size(), **{axis: value})) for value in values}


def in_a_process(size: Size) -> dict[str, float]:
    """Return the costs of a size, beside those of the plugins that are installed for it."""
    with TemporaryDirectory() as name:
        site = Path(name) / "site"
        install(size.plugins, site)
        environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--point", json.dumps(asdict(size))]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=name)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def costs_of(size: Size) -> dict[str, float]:
    """Check, train and report a spec of a size in the current folder; return seconds and megabytes."""
    write_data(size)
    peak = peak_megabytes()
    spec, loading = timed(lambda: mlpkit.load_spec(spec_of(size)))
    _, checking = timed(lambda: check(spec))
    clock, began = Clock(), time.process_time()
    mlpkit.run(spec, "run", observer=clock, quiet=True)
    over = time.process_time()
    _, reporting = timed(lambda: mlpkit.report("run"))
    once = replace(size, evaluations=1)
    plain, often = (until_evaluated(once, checkpoint) for checkpoint in (None, {"every": 1}))
    return {
        "check": loading + checking,
        "start, first step included": clock.first_step - began,
        f"{STEPS} steps and an evaluation": plain,
        "all steps and evaluations": clock.ended_at - clock.first_step,
        "end: all splits, model, files": over - clock.ended_at,
        "checkpoint": max(0.0, (often - plain) / STEPS),
        "report": reporting,
        "memory, MB": peak_megabytes() - peak,
    }


def until_evaluated(size: Size, checkpoint: dict[str, int] | None) -> float:
    """Train, and return the seconds from the first step to the end of the first evaluation."""
    clock = Clock()
    spec = mlpkit.load_spec(spec_of(size), overrides={"training.checkpoint": checkpoint})
    mlpkit.run(spec, f"run-{len([*Path().iterdir()])}", observer=clock, quiet=True)
    return clock.first_evaluation - clock.first_step


def write_data(size: Size) -> None:
    """Write random examples into the current folder."""
    rng = np.random.default_rng(0)
    rows = max(size.rows, 2 * size.classes)
    np.save("x.npy", rng.standard_normal((rows, size.features), np.float32))
    np.save("t.npy", np.arange(rows) % size.classes)


def spec_of(size: Size) -> dict[str, Any]:
    """Return the spec of a size."""
    steps = max(STEPS, size.evaluations)
    hidden = [each for _ in range(size.depth) for each in ({"Affine": {"units": size.width}}, "Relu")]
    return {
        "mlpkit": 1,
        "data": {"npy": {"inputs": "x.npy", "targets": "t.npy"}},
        "layers": [*hidden, {"Affine": {"units": size.classes}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"sgd": {"learning_rate": 0.01}},
            "batch_size": BATCH_SIZE,
            "iterations": steps,
            "evaluate_every": steps // size.evaluations,
            "threads": 1,
        },
    }


def timed(call: Any) -> tuple[Any, float]:
    """Return what a call returns, and the processor's seconds that it takes."""
    began = time.process_time()
    found = call()
    return found, time.process_time() - began


def peak_megabytes() -> float:
    """Return the most memory that this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


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
    """Return how a cost grows over the last decade of its axis; None if it is too small to say.

    Args:
        costs: the cost at each point.
        least: what a cost must be at the largest point.
    """
    (before, small), (last, large) = [*costs.items()][-2:]
    if large < least or not before:
        return None
    return math.log(large / max(small, least / 10)) / math.log(last / before)


if __name__ == "__main__":
    main()

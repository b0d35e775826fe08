"""Times the training of several seeds: one after the other, as ``run --seeds`` does it, and in other ways.

    python benchmarks/seeds.py [--seeds 5] [--rounds 5] [--seconds 2] [--shape 50,32] [--json]

Each way trains the same runs of 784-H-H-10 on MNIST, in minibatches of B, into folders, with starting of processes and
reading of data; the steps of a run take about ``--seconds``. The ways:

    in turn        one after the other, in this process
    as run does    what ``mlpkit run --seeds`` does: as many at once as a run's threads leave cores for
    at once        as many processes as there are cores, whatever a run's threads
    in threads     as many threads of this process as there are cores
    of one thread  as many processes as there are cores, but another plan: one BLAS thread each

All but the last have a run's own bits, which is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from machine import heading, machine

import mlpkit
from mlpkit.jobs.compare import result_hashes
from mlpkit.training.workers import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES: Final = ((50, 32), (50, 1000), (256, 1000))


def spec_of(shape: tuple[int, int], steps: int, seeds: int, threads: int | None = None) -> mlpkit.Spec:
    """Return the spec of a shape."""
    units, batch_size = shape
    hidden = [{"Affine": {"units": units}}, "Relu"]
    return mlpkit.load_spec(
        {
            "mlpkit": 1,
            "name": "seeds",
            "seeds": seeds,
            "data": "mnist",
            "layers": [*hidden, *hidden, {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
            "training": {
                "optimizer": {"sgd": {"learning_rate": 0.1}},
                "batch_size": batch_size,
                "iterations": steps,
                "evaluate_every": steps,
                "metrics": ["accuracy"],
                "threads": threads,
            },
        }
    )


def train_one(spec: mlpkit.Spec, folder: Path, seed: int) -> None:
    """Train one seed in this process."""
    mlpkit.run(spec.with_seed(seed), folder / f"seed-{seed}", quiet=True)


def in_turn(spec: mlpkit.Spec, folder: Path) -> None:
    """Train one seed after the other."""
    for seed in spec.seeds:
        train_one(spec, folder, seed)


def as_run_does(spec: mlpkit.Spec, folder: Path) -> None:
    """Train as ``mlpkit run --seeds``."""
    mlpkit.run(spec, folder, seeds=spec.seeds)


def at_once(spec: mlpkit.Spec, folder: Path) -> None:
    """Train as many seeds at once as there are cores."""
    with patch("mlpkit.jobs.several_runs.runs_at_once", lambda count, threads: min(count, available_cores())):
        as_run_does(spec, folder)


def in_threads(spec: mlpkit.Spec, folder: Path) -> None:
    """Train in threads of this process."""
    with ThreadPoolExecutor(available_cores()) as executor:
        list(executor.map(lambda seed: train_one(spec, folder, seed), spec.seeds))


WAYS: Final[dict[str, Callable[[mlpkit.Spec, Path], None]]] = {
    "in turn": in_turn,
    "as run does": as_run_does,
    "at once": at_once,
    "in threads": in_threads,
    "of one thread": at_once,
}
OTHER_PLAN: Final = "of one thread"


def steps_for(shape: tuple[int, int], seconds: float) -> int:
    """Return how many steps take that long, reading of data and evaluation left out."""

    def took(steps: int) -> float:
        began = time.perf_counter()
        mlpkit.run(spec_of(shape, steps, 1), quiet=True)
        return time.perf_counter() - began

    took(50)  # the first run in a process also imports
    few, more = took(50), 400
    while took(more) - few < 0.5:  # shorter than that, reading of data varies by more than the steps take
        more *= 2
    return max(50, round((more - 50) * seconds / (took(more) - few)))


def timed(way: Callable[[], None]) -> dict[str, float]:
    """Return the seconds that a way takes, and those of all processors together."""
    before, began = os.times(), time.perf_counter()
    way()
    seconds, after = time.perf_counter() - began, os.times()
    return {"seconds": seconds, "processor_seconds": sum(after[:4]) - sum(before[:4])}


def measured(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Any]:
    """Time every way in turns, and compare their results."""
    steps = steps_for(shape, options.seconds)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    hashes: dict[str, Any] = {}
    for number in range(options.rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            spec = spec_of(shape, steps, options.seeds, threads=1 if way == OTHER_PLAN else None)
            with TemporaryDirectory(dir=Path.cwd()) as folder:
                found[way].append(timed(partial(WAYS[way], spec, Path(folder) / "runs")))
                hashes[way] = [result_hashes(Path(folder) / "runs" / f"seed-{seed}") for seed in spec.seeds]
    medians = {
        way: {key: statistics.median(each[key] for each in times) for key in times[0]} for way, times in found.items()
    }
    same = all(hashes[way] == hashes["in turn"] for way in WAYS if way != OTHER_PLAN)
    return {"hidden": shape[0], "batch_size": shape[1], "steps": steps, "ways": medians, "same_bits": same}


def main(arguments: list[str]) -> int:
    """Time the ways for each shape, and return 1 if their bits differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--shape", action="append", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    about = machine()
    shapes = [measured(shape, options) for shape in options.shape or SHAPES]
    if options.json:
        print(json.dumps({"machine": about, "seeds": options.seeds, "shapes": shapes}))
    else:
        print(heading(about))
        for shape in shapes:
            print(f"({shape['hidden']}, {shape['batch_size']}), {options.seeds} seeds of {shape['steps']} steps")
            alone = shape["ways"]["in turn"]["seconds"]
            for way, times in shape["ways"].items():
                seconds, processors = times["seconds"], times["processor_seconds"]
                print(f"  {way:14} {seconds:6.2f} s  {alone / seconds:5.2f} x  {processors:6.2f} s of all processors")
            print(f"  results {'the same' if shape['same_bits'] else 'DIFFERENT'}")
    return int(not all(shape["same_bits"] for shape in shapes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

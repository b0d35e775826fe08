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

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from ways import compared, options_of, report

import mlpkit
from mlpkit.groups.several_runs import CoreShares
from mlpkit.training.workers import available_cores

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from ways import Prepared, Way

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
    with patch("mlpkit.groups.several_runs.CoreShares", lambda threads: CoreShares(dict.fromkeys(threads, 1))):
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


def ways(shape: tuple[int, int], steps: int, seeds: int) -> dict[str, Way]:
    """Return the ways to train the seeds of a shape."""

    def way(name: str, folder: Path) -> Prepared:
        spec = spec_of(shape, steps, seeds, threads=1 if name == OTHER_PLAN else None)
        runs = folder / "runs"
        return partial(WAYS[name], spec, runs), [runs / f"seed-{seed}" for seed in spec.seeds]

    return {name: partial(way, name) for name in WAYS}


def measured(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Any]:
    """Time every way in turns, and compare their results."""
    steps = steps_for(shape, options.seconds)
    return {"hidden": shape[0], "batch_size": shape[1], "steps": steps} | compared(
        ways(shape, steps, options.runs), options.rounds, OTHER_PLAN
    )


def main(arguments: list[str]) -> int:
    """Time the ways for each shape, and return 1 if their bits differ."""
    options = options_of(__doc__, "seeds", 5, 2.0).parse_args(arguments)
    return report("seeds", options, [measured(shape, options) for shape in options.shape or SHAPES])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

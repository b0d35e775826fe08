"""Times the training of an ensemble: its networks one after the other, as ``mlpkit run`` does it, and in other ways.

    python benchmarks/ensembles.py [--members 8] [--rounds 5] [--seconds 4] [--steps N] [--shape 50,32] [--json]

Each way trains the same networks of 784-H-H-10 on MNIST, in minibatches of B, into folders, with starting of processes
and reading of data; the steps of a network take about ``--seconds``, on one BLAS thread. The ways:

    in turn      one network after the other, in this process
    as run does  what ``mlpkit run`` does: in as many processes at once as there are cores
    in threads   in as many threads of this process as there are cores

The average and what is written of it are left out. All have a network's own bits, which is checked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from machine import heading, machine
from seeds import spec_of, steps_for, timed

import mlpkit
from mlpkit.jobs.compare import result_hashes
from mlpkit.jobs.prepared_run import prepare, train_prepared
from mlpkit.jobs.runs_observer import RunsObserver
from mlpkit.jobs.several_runs import train_runs
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.workers import Plan, available_cores

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES: Final = ((50, 32), (256, 256))


def prepared(shape: tuple[int, int], steps: int, members: int, folder: Path) -> dict[int, Path]:
    """Make the run folders of the networks."""
    keys = {"seeds": None, "ensemble": {"members": members}}
    spec = mlpkit.load_spec(dict(spec_of(shape, steps, 1).document.values) | keys)
    runs = {number: folder / str(number) for number in range(members)}
    for number, directory in runs.items():
        prepare(spec.with_member(number), Plan(slices=1, threads=1), directory)
    return runs


def train_one(directory: Path) -> None:
    """Train one network in this process."""
    train_prepared(directory, observer=Observer(), stop=StopRequest())


def in_turn(runs: dict[int, Path]) -> None:
    """Train one network after the other."""
    for directory in runs.values():
        train_one(directory)


def as_run_does(runs: dict[int, Path]) -> None:
    """Train as ``mlpkit run``."""
    train_runs(runs, 1, {}, RunsObserver(), StopRequest())


def in_threads(runs: dict[int, Path]) -> None:
    """Train in threads of this process."""
    with ThreadPoolExecutor(available_cores()) as executor:
        list(executor.map(train_one, runs.values()))


WAYS: Final[dict[str, Callable[[dict[int, Path]], None]]] = {
    "in turn": in_turn,
    "as run does": as_run_does,
    "in threads": in_threads,
}


def measured(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Any]:
    """Time every way in turns, and compare their results."""
    steps = options.steps or steps_for(shape, options.seconds)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    hashes: dict[str, Any] = {}
    for number in range(options.rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            with TemporaryDirectory(dir=Path.cwd()) as folder:
                runs = prepared(shape, steps, options.members, Path(folder))
                found[way].append(timed(partial(WAYS[way], runs)))
                hashes[way] = [result_hashes(directory) for directory in runs.values()]
    medians = {
        way: {key: statistics.median(each[key] for each in times) for key in times[0]} for way, times in found.items()
    }
    same = all(hashes[way] == hashes["in turn"] for way in WAYS)
    return {"hidden": shape[0], "batch_size": shape[1], "steps": steps, "ways": medians, "same_bits": same}


def main(arguments: list[str]) -> int:
    """Time the ways for each shape, and return 1 if their bits differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--steps", type=int, help="steps of a network, in place of seconds")
    parser.add_argument("--shape", action="append", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    about = machine()
    shapes = [measured(shape, options) for shape in options.shape or SHAPES]
    if options.json:
        print(json.dumps({"machine": about, "members": options.members, "shapes": shapes}))
    else:
        print(heading(about))
        for shape in shapes:
            print(f"({shape['hidden']}, {shape['batch_size']}), {options.members} networks of {shape['steps']} steps")
            alone = shape["ways"]["in turn"]["seconds"]
            for way, times in shape["ways"].items():
                seconds, processors = times["seconds"], times["processor_seconds"]
                print(f"  {way:12} {seconds:6.2f} s  {seconds / alone:5.2f}  {processors:6.2f} s of all processors")
            print(f"  results {'the same' if shape['same_bits'] else 'DIFFERENT'}")
    return int(not all(shape["same_bits"] for shape in shapes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

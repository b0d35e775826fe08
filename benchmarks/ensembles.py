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

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from seeds import spec_of, steps_for
from ways import compared, options_of, report

import mlpkit
from mlpkit.groups.several_runs import GroupSession, train_prepared, train_runs
from mlpkit.jobs.prove import prove
from mlpkit.jobs.train import prepare
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.workers import available_cores

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from ways import Prepared, Way

SHAPES: Final = ((50, 32), (256, 256))


def prepared(shape: tuple[int, int], steps: int, members: int, folder: Path) -> dict[int, Path]:
    """Make the run folders of the networks."""
    keys = {"seeds": None, "ensemble": {"members": members}}
    spec = mlpkit.load_spec(dict(spec_of(shape, steps, 1).document.values) | keys)
    runs = {number: folder / str(number) for number in range(members)}
    for number, directory in runs.items():
        prepare(prove(spec.with_member(number)), directory)
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
    train_runs(runs, 1, GroupSession({}, Observer(), StopRequest()))


def in_threads(runs: dict[int, Path]) -> None:
    """Train in threads of this process."""
    with ThreadPoolExecutor(available_cores()) as executor:
        list(executor.map(train_one, runs.values()))


WAYS: Final[dict[str, Callable[[dict[int, Path]], None]]] = {
    "in turn": in_turn,
    "as run does": as_run_does,
    "in threads": in_threads,
}


def ways(shape: tuple[int, int], steps: int, members: int) -> dict[str, Way]:
    """Return the ways to train the networks of a shape."""

    def way(train: Callable[[dict[int, Path]], None], folder: Path) -> Prepared:
        runs = prepared(shape, steps, members, folder)
        return partial(train, runs), runs.values()

    return {name: partial(way, train) for name, train in WAYS.items()}


def measured(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Any]:
    """Time every way in turns, and compare their results."""
    steps = options.steps or steps_for(shape, options.seconds)
    return {"hidden": shape[0], "batch_size": shape[1], "steps": steps} | compared(
        ways(shape, steps, options.runs), options.rounds
    )


def main(arguments: list[str]) -> int:
    """Time the ways for each shape, and return 1 if their bits differ."""
    parser = options_of(__doc__, "members", 8, 4.0)
    parser.add_argument("--steps", type=int, help="steps of a network, in place of seconds")
    options = parser.parse_args(arguments)
    return report("members", options, [measured(shape, options) for shape in options.shape or SHAPES])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

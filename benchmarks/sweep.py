"""Times a sweep: with one worker and with two, the overhead of a trial, and the search with Optuna and with Ray Tune.

    python benchmarks/sweep.py [--trials 24] [--epochs 8] [--short 60] [--rounds 3] [--json]

The search is over units, optimizer and learning rate of 784-H-10 on MNIST, in minibatches of 100, on one BLAS thread.
In each round take turns, as whole processes, with their starts and the reading of data:

    one worker     ``mlpkit sweep --workers 1``
    two workers    ``mlpkit sweep --workers 2``
    DataLoader     the same trials with Optuna and PyTorch in one process, as in Optuna's example: ``optuna_pytorch.py``
    by index       the same, with minibatches that are gathered by index, which is faster
    Ray Tune       the same trials with Ray Tune and PyTorch, by index, two at once on a core each: ``ray_pytorch.py``

A ratio is that of trials a minute within a round; the median counts: two workers at least 1.8 times one, and at least 2
times each of the others. mlpkit evaluates and writes all that a run has; the others evaluate the test split after each
epoch, and Optuna writes nothing. They are left out if Optuna, Ray or PyTorch is missing.

The overhead of a trial is the time of a sweep of ``--short`` trials of two steps on a small table, with one worker,
divided by their number, without the seconds that their steps took; at most 150 ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from machine import heading, machine
from processes import finished, workspace
from rounds import ratio

import mlpkit
from mlpkit.runs.json_files import readable_lines
from mlpkit.verbs.sweep.samplers import random_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OPTUNA: Final = Path(__file__).with_name("optuna_pytorch.py")
RAY: Final = Path(__file__).with_name("ray_pytorch.py")
BATCH_SIZE: Final = 100
SEARCH: Final[dict[str, Any]] = {
    "layers.Affine1.units": {"low": 16, "high": 128},
    "training.optimizer": ["sgd", "adam"],
    "training.optimizer.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
}
TARGETS: Final = {"one worker": 1.8, "DataLoader": 2.0, "by index": 2.0, "Ray Tune": 2.0}
"""How many times the trials a minute of the others two workers must do."""

MOST_OVERHEAD: Final = 150.0
"""Milliseconds of a trial beyond its training."""


def spec_of(trials: int, epochs: int) -> dict[str, Any]:
    """Return the spec of the search."""
    return {
        "mlpkit": 1,
        "name": "search",
        "data": {"mnist": {"validation": 5000}},
        "layers": [{"Affine": {"units": 50}}, "Relu", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": "sgd",
            "batch_size": BATCH_SIZE,
            "epochs": epochs,
            "evaluate_train": False,
            "metrics": ["accuracy"],
            "threads": 1,
        },
        "sweep": {"search": SEARCH, "maximize": "validation_accuracy", "trials": trials},
    }


def short_spec(trials: int) -> dict[str, Any]:
    """Return the spec of trials of two steps."""
    return {
        "mlpkit": 1,
        "name": "short",
        "data": {"csv": {"file": "example:loans.csv", "target": "paid_back", "categorical": ["purpose"]}},
        "layers": [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 1}}, "SigmoidWithLoss"],
        "training": {"optimizer": "sgd", "iterations": 2, "threads": 1},
        "sweep": {"search": {"training.optimizer.sgd.learning_rate": {"low": 0.01, "high": 0.1}}, "trials": trials},
    }


def seconds_of(job: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def sweep(spec: dict[str, Any], workers: int, folder: Path) -> float:
    """Return how long ``mlpkit sweep`` takes."""
    path = folder / f"{spec['name']}.json"  # JSON is YAML
    path.write_text(json.dumps(spec))
    runs = folder / "runs"
    command = [sys.executable, "-m", "mlpkit", "sweep", str(path), "--workers", str(workers), "--out", str(runs)]
    return seconds_of(lambda: finished([*command, "--quiet"]))


def peer(script: Path, request: dict[str, Any], folder: Path) -> float:
    """Return how long the search takes with PyTorch, each trial on one thread, as mlpkit's."""
    return seconds_of(lambda: finished([sys.executable, str(script), json.dumps(request)], threads=1))


def contestants(trials: int, epochs: int, data: Path) -> dict[str, Callable[[Path], float]]:
    """Return what does the search, by name, in a folder of its own."""
    spec = spec_of(trials, epochs)
    found: dict[str, Callable[[Path], float]] = {
        "one worker": partial(sweep, spec, 1),
        "two workers": partial(sweep, spec, 2),
    }
    if not find_spec("torch"):
        return found
    checked = mlpkit.load_spec(spec)
    assert checked.sweep is not None
    values = [random_values(checked.sweep.search, checked.seed, number) for number in range(trials)]
    by_loader = {"data": str(data), "values": values, "epochs": epochs, "batch_size": BATCH_SIZE, "loader": True}
    by_index = by_loader | {"loader": False}
    if find_spec("optuna"):
        found |= {"DataLoader": partial(peer, OPTUNA, by_loader), "by index": partial(peer, OPTUNA, by_index)}
    if find_spec("ray"):
        found["Ray Tune"] = partial(peer, RAY, by_index | {"workers": 2})
    return found


def in_turns(ways: Mapping[str, Callable[[Path], float]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contestant in each round, in which another one is first each time."""
    names = [*ways]
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in (*names[number % len(names) :], *names[: number % len(names)]):
            with TemporaryDirectory() as folder:
                found[name].append(ways[name](Path(folder)))
    return found


def overhead(trials: int, rounds: int) -> list[float]:
    """Return the milliseconds of a trial beyond its training, of each round."""
    found = []
    for _ in range(rounds):
        with TemporaryDirectory() as name:
            folder = Path(name)
            seconds = sweep(short_spec(trials), 1, folder)
            logs = (folder / "runs").glob("trial-*/timing.jsonl")
            trained = sum(readable_lines(log)[-1]["seconds"] for log in logs)
            found.append((seconds - trained) / trials * 1000)
    return found


def main(arguments: Sequence[str]) -> int:
    """Time all, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=24, help="trials of the search")
    parser.add_argument("--epochs", type=int, default=8, help="of each; a trial is to take one second or two")
    parser.add_argument("--short", type=int, default=60, help="trials of two steps")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    about = machine()
    with workspace() as data:
        seconds = in_turns(contestants(options.trials, options.epochs, data), options.rounds)
        milliseconds = overhead(options.short, options.rounds)
    ratios = {name: ratio(seconds[name], seconds["two workers"]) for name in TARGETS if name in seconds}
    if options.json:
        times = {name: asdict(each) for name, each in ratios.items()}
        report = {"machine": about, "trials": options.trials, "seconds": seconds, "ratios": times}
        print(json.dumps({**report, "overhead_ms": milliseconds}))
        return 0
    print(heading(about))
    for name, each in seconds.items():
        print(f"{name:12}{options.trials * 60 / statistics.median(each):8.1f} trials a minute")
    for name, found in ratios.items():
        told = f"{found.median:.2f} times {name} ({found.lowest:.2f} to {found.highest:.2f})"
        print(f"two workers: {told}; at least {TARGETS[name]}: {'met' if found.median >= TARGETS[name] else 'MISSED'}")
    median = statistics.median(milliseconds)
    told = f"overhead of a trial: {median:.0f} ms ({min(milliseconds):.0f} to {max(milliseconds):.0f})"
    print(f"{told}; at most {MOST_OVERHEAD:.0f} ms: {'met' if median <= MOST_OVERHEAD else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

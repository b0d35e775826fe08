"""Times a sweep: with one worker and with two, the overhead of a trial, and the search with Optuna and with Ray Tune.

    python benchmarks/sweep.py [--trials 24] [--epochs 8] [--short 60] [--rounds 3] [--json]

The search is over units, optimizer and learning rate of 784-H-10 on MNIST, in minibatches of 100, on one BLAS thread.
In each round take turns, as whole processes, with their starts and the reading of data:

    one worker     ``mlpkit sweep --workers 1``
    two workers    ``mlpkit sweep --workers 2``
    Optuna         the same trials with PyTorch in one process: ``search_pytorch.py``
    Ray Tune       the same trials with PyTorch, two at once on a core each

A ratio is that of trials a minute within a round; the median counts. mlpkit evaluates and writes all that a run has;
the others evaluate the test split after each epoch, and Optuna writes nothing. They are left out if Optuna, Ray or
PyTorch is missing.

The overhead of a trial is the time of a sweep of ``--short`` trials of two steps on a small table, with one worker,
divided by their number, without the seconds that their steps took.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from processes import MLPKIT, finished, workspace
from report import limit, parser_of, print_report
from rounds import interleaved, ratio, seconds_of

import mlpkit
from mlpkit.runs.json_files import readable_lines
from mlpkit.verbs.sweep.samplers import random_values

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS: Final = {"Optuna": "optuna", "Ray Tune": "ray"}
SCRIPT: Final = Path(__file__).with_name("search_pytorch.py")
BATCH_SIZE: Final = 100
TARGETS: Final = {"one worker": 1.8, "Optuna": 2.0, "Ray Tune": 2.0}
"""How many times the trials a minute of the others two workers must do."""
MOST_OVERHEAD: Final = 150.0
"""Milliseconds of a trial beyond its training."""


def spec_of(trials: int, epochs: int) -> dict[str, Any]:
    """Return the spec of the search."""
    search = {
        "layers.Affine1.units": {"low": 16, "high": 128},
        "training.optimizer": ["sgd", "adam"],
        "training.optimizer.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    }
    training = {"optimizer": "sgd", "batch_size": BATCH_SIZE, "epochs": epochs, "evaluate_train": False, "threads": 1}
    return {
        "mlpkit": 1,
        "data": {"mnist": {"validation": 5000}},
        "layers": [{"Affine": {"units": 50}}, "Relu", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {**training, "metrics": ["accuracy"]},
        "sweep": {"search": search, "maximize": "validation_accuracy", "trials": trials},
    }


def short_spec(trials: int) -> dict[str, Any]:
    """Return the spec of trials of two steps."""
    return {
        "mlpkit": 1,
        "data": {"csv": {"file": "example:loans.csv", "target": "paid_back", "categorical": ["purpose"]}},
        "layers": [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 1}}, "SigmoidWithLoss"],
        "training": {"optimizer": "sgd", "iterations": 2, "threads": 1},
        "sweep": {"search": {"training.optimizer.sgd.learning_rate": {"low": 0.01, "high": 0.1}}, "trials": trials},
    }


def sweep(spec: dict[str, Any], workers: int, folder: Path) -> float:
    """Return how long ``mlpkit sweep`` takes."""
    path = folder / "spec.json"  # JSON is YAML
    path.write_text(json.dumps(spec))
    options = ["--workers", str(workers), "--out", str(folder / "runs"), "--quiet"]
    return seconds_of(lambda: finished([*MLPKIT, "sweep", str(path), *options]))


def contestants(trials: int, epochs: int, data: Path) -> dict[str, Callable[[], float]]:
    """Return the contestants by name; each does the search and returns how long it took."""
    spec = mlpkit.load_spec(spec_of(trials, epochs))
    assert spec.sweep is not None

    def ours(workers: int) -> float:
        with TemporaryDirectory() as folder:
            return sweep(spec_of(trials, epochs), workers, Path(folder))

    values = [random_values(spec.sweep.search, spec.seed, number) for number in range(trials)]
    request = {"data": str(data), "values": values, "epochs": epochs, "batch_size": BATCH_SIZE, "workers": 2}

    def peer(package: str) -> float:
        command = [sys.executable, str(SCRIPT), package, json.dumps(request)]
        return seconds_of(lambda: finished(command, threads=1))  # of a trial, as mlpkit's

    there = {name: package for name, package in PEERS.items() if find_spec("torch") and find_spec(package)}
    peers = {name: partial(peer, package) for name, package in there.items()}
    return {"one worker": partial(ours, 1), "two workers": partial(ours, 2), **peers}


def overhead(trials: int) -> float:
    """Return the milliseconds of a trial beyond its training."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        seconds = sweep(short_spec(trials), 1, folder)
        logs = (folder / "runs").glob("trial-*/timing.jsonl")
        trained = sum(readable_lines(log)[-1]["seconds"] for log in logs)
        return (seconds - trained) / trials * 1000


def main() -> None:
    """Time all, and print it."""
    parser = parser_of(__doc__, rounds=3)
    parser.add_argument("--trials", type=int, default=24, help="of the search (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=8, help="of a trial, a second or two (default: %(default)s)")
    parser.add_argument("--short", type=int, default=60, help="trials of two steps (default: %(default)s)")
    options = parser.parse_args()
    with workspace() as data:
        seconds = interleaved(contestants(options.trials, options.epochs, data), options.rounds)
        milliseconds = [overhead(options.short) for _ in range(options.rounds)]
    ratios = {name: ratio(seconds[name], seconds["two workers"]) for name in TARGETS if name in seconds}
    lines = [
        f"{name:12}{options.trials * 60 / statistics.median(each):8.1f} trials a minute"
        for name, each in seconds.items()
    ]
    for name, found in ratios.items():
        verdict = "met" if found.median >= TARGETS[name] else "MISSED"
        lines.append(f"two workers: {found} times {name}; at least {TARGETS[name]}: {verdict}")
    median = statistics.median(milliseconds)
    verdict = limit(median, MOST_OVERHEAD, f"{MOST_OVERHEAD:.0f} ms")
    lines.append(f"overhead of a trial: {median:.0f} ms; {verdict}")
    times = {name: asdict(each) for name, each in ratios.items()}
    print_report(options, {"seconds": seconds, "ratios": times, "overhead_ms": milliseconds}, lines)


if __name__ == "__main__":
    main()

"""Workloads of whole processes: the shortest ways to 98 % and 99 % on MNIST's test split."""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import start_up
import targets
from comparison import Comparison, Verdict
from contestants.roster import OURS, PYTORCH
from contestants.task import Task
from mnist_arrays import SPEC
from processes import MLPKIT, contest, finished
from report import say
from rounds import Side, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from comparison import Bench

OF_MAIN_SPEC: Final = Task((50, 50), 1000, "sgd")
PYTORCH_SCRIPT: Final = Path(__file__).with_name("mnist_99_pytorch.py")
SEEDS: Final = 5


def fast(bench: Bench) -> list[Comparison]:
    """Time ``mlpkit run specs/mnist_98.yaml`` against PyTorch's start to the end of its first step."""
    compared = _whole_runs(bench, "fast", "mnist_98.yaml", [Side(PYTORCH)], lambda side, _: first_step(bench, side))
    _expect(compared, targets.FAST_ACCURACY, targets.FAST_SECONDS)
    pytorch = compared.figure(PYTORCH.name)
    if pytorch is not None and pytorch.ratio is not None:
        share = 1 / pytorch.ratio.median
        compared.ask_at_most(share, targets.FAST_SHARE_OF_PYTORCH, "share of PyTorch's time to its first step")
    return [compared]


def accurate(bench: Bench) -> list[Comparison]:
    """Time ``mlpkit run specs/mnist_99.yaml`` against PyTorch with the same recipe on its better number of threads."""

    def measure(side: Side, seed: int) -> Mapping[str, float]:
        began = time.time()
        done = finished([sys.executable, str(PYTORCH_SCRIPT), str(bench.folder), str(seed)], threads=side.threads)
        report = json.loads(done.stdout)
        return {"seconds": report["finished"] - began, "test_accuracy": report["test_accuracy"]}

    compared = _whole_runs(bench, "accurate", "mnist_99.yaml", [Side(PYTORCH), Side(PYTORCH, 1)], measure)
    _expect(compared, targets.ACCURATE_ACCURACY, targets.ACCURATE_SECONDS)
    compared.ask_ratio(compared.figure(PYTORCH.name), targets.ACCURATE_AGAINST_PYTORCH, "PyTorch / mlpkit")
    return [compared]


def first_step(bench: Bench, side: Side) -> Mapping[str, float]:
    """Return the seconds from the start of a process to the end of its first step."""
    if side.entry is OURS:
        return {"seconds": start_up.first_step()}
    began = time.time()
    report = contest(side.entry, "first_step", OF_MAIN_SPEC, bench.folder, threads=side.threads)
    return {"seconds": report["finished"] - began}


def _whole_runs(
    bench: Bench,
    workload: str,
    spec: str,
    peers: Sequence[Side],
    measure_peer: Callable[[Side, int], Mapping[str, float]],
) -> Comparison:
    """Time whole processes that train a spec with the seeds from 0 to 4 in turn, and a peer's with the same seeds."""
    title = f"mlpkit run specs/{spec}, process start to metrics written"
    say(f"{title} ...")
    accuracies: dict[str, dict[int, float]] = {}
    seeds = {side: count() for side in (Side(OURS), *peers)}

    def measure(side: Side) -> Mapping[str, float]:
        seed = next(seeds[side]) % SEEDS
        report = _run_spec(SPEC.with_name(spec), seed) if side.entry is OURS else measure_peer(side, seed)
        if "test_accuracy" in report:
            accuracies.setdefault(side.entry.name, {})[seed] = report["test_accuracy"]
        return report

    sides = [side for side in seeds if side.entry is OURS or side.entry in bench.peers]
    take_turns(sides, 1, measure)  # fills caches
    measured = take_turns(sides, max(bench.rounds, SEEDS), measure)
    means = {name: statistics.mean(found.values()) for name, found in accuracies.items()}
    return Comparison.of(workload, title, measured, {"test_accuracy": accuracies, "mean_test_accuracy": means})


def _expect(compared: Comparison, accuracy: float, seconds: float) -> None:
    """Compare the mean test accuracy and the time with their targets."""
    ours = compared.figure(OURS.name)
    if ours is not None:
        mean = compared.about["mean_test_accuracy"].get(OURS.name, math.nan)
        compared.verdicts.append(Verdict("mean test accuracy of seeds 0 to 4", accuracy, mean, mean >= accuracy))
        compared.ask_at_most(ours.median, seconds, "seconds to metrics written")


def _run_spec(spec: Path, seed: int) -> dict[str, float]:
    """Return the seconds from the start of the process to the metrics written, and the test accuracy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        settings = ["--set", f"seed={seed}", "--quiet", "--out", str(folder)]
        began = time.time()
        finished([*MLPKIT, "run", str(spec), "--no-report", *settings])
        metrics = folder / "metrics.json"
        seconds = metrics.stat().st_mtime - began
        accuracy = json.loads(metrics.read_text(encoding="utf-8"))["test"]["accuracy"]
        return {"seconds": seconds, "test_accuracy": accuracy}

"""The shortest ways to 98 % and 99 % on the test set: from the start of the process to the metrics written."""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import targets
from bench import say
from comparison import Comparison, Verdict, failures_of, figures_of
from contestants.roster import OURS, PYTORCH
from mnist_arrays import SPEC
from processes import finished
from rounds import Side, take_turns

from workloads.start import first_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench import Bench

FAST_SPEC = SPEC.with_name("mnist_98.yaml")
ACCURATE_SPEC = SPEC.with_name("mnist_99.yaml")
PYTORCH_SCRIPT = Path(__file__).parents[1] / "mnist_99_pytorch.py"
SEEDS = 5


def fast(bench: Bench) -> list[Comparison]:
    """Time ``mlpkit run specs/mnist_98.yaml``, beside PyTorch's start to the end of its first step."""
    compared = _whole_runs(bench, "fast", FAST_SPEC, [Side(PYTORCH)], lambda side, _: first_step(bench, side))
    _expect_accuracy(compared, targets.FAST_ACCURACY, targets.FAST_SECONDS)
    pytorch = compared.figure(PYTORCH.name)
    if pytorch is not None and pytorch.ratio is not None:
        share = 1 / pytorch.ratio.median
        compared.ask_at_most(share, targets.FAST_SHARE_OF_PYTORCH, "share of PyTorch's time to its first step")
    return [compared]


def accurate(bench: Bench) -> list[Comparison]:
    """Time ``mlpkit run specs/mnist_99.yaml``, beside PyTorch with the same recipe on its better number of threads."""

    def measure(side: Side, seed: int) -> Mapping[str, float]:
        began = time.time()
        done = finished([sys.executable, str(PYTORCH_SCRIPT), str(bench.folder), str(seed)], threads=side.threads)
        report = json.loads(done.stdout)
        return {"seconds": report["finished"] - began, "test_accuracy": report["test_accuracy"]}

    sides = [Side(PYTORCH), Side(PYTORCH, 1)]
    compared = _whole_runs(bench, "accurate", ACCURATE_SPEC, sides, measure)
    _expect_accuracy(compared, targets.ACCURATE_ACCURACY, targets.ACCURATE_SECONDS)
    compared.ask_ratio(compared.figure(PYTORCH.name), targets.ACCURATE_AGAINST_PYTORCH, "PyTorch / mlpkit")
    return [compared]


def _whole_runs(
    bench: Bench, workload: str, spec: Path, peers: list[Side], measure_peer: Callable[[Side, int], Mapping[str, float]]
) -> Comparison:
    """Time whole processes that train a spec with the seeds from 0 on in turn, and what a peer does in its own.

    Args:
        bench: the options.
        workload: its name.
        spec: the spec.
        peers: the peer, on each number of threads that is worth a try.
        measure_peer: measures a side of it, with a seed.
    """
    title = f"mlpkit run specs/{spec.name}, process start to metrics written"
    say(f"{title} ...")
    accuracies: dict[str, dict[int, float]] = {}
    seeds = {side: count() for side in (Side(OURS), *peers)}

    def measure(side: Side) -> Mapping[str, float]:
        seed = next(seeds[side]) % SEEDS
        report = run_spec(spec, seed) if side.entry is OURS else measure_peer(side, seed)
        if "test_accuracy" in report:
            accuracies.setdefault(side.entry.name, {})[seed] = report["test_accuracy"]
        return report

    sides = [side for side in seeds if side.entry is OURS or side.entry in bench.peers]
    take_turns(sides, 1, measure)  # fills caches; who fails here fails again
    measured = take_turns(sides, max(bench.rounds(), SEEDS), measure)
    means = {name: statistics.mean(found.values()) for name, found in accuracies.items()}
    about = {"test_accuracy": accuracies, "mean_test_accuracy": means}
    return Comparison(workload, title, "s", figures_of(measured, "seconds"), about, failures=failures_of(measured))


def _expect_accuracy(compared: Comparison, accuracy: float, seconds: float) -> None:
    """Compare the mean test accuracy and the time with what they are to be."""
    ours = compared.figure(OURS.name)
    if ours is not None:
        mean = compared.about["mean_test_accuracy"].get(OURS.name, math.nan)
        compared.verdicts.append(Verdict("mean test accuracy of seeds 0 to 4", accuracy, mean, mean >= accuracy))
        compared.ask_at_most(ours.median, seconds, "seconds to metrics written")


def run_spec(spec: Path, seed: int) -> dict[str, float]:
    """Return the seconds from the start of the process to the metrics written, and the test accuracy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        settings = ["--set", f"seed={seed}", "--quiet", "--out", str(folder)]
        began = time.time()
        finished([sys.executable, "-m", "mlpkit", "run", str(spec), "--no-report", *settings])
        metrics = folder / "metrics.json"
        seconds = metrics.stat().st_mtime - began
        accuracy = json.loads(metrics.read_text(encoding="utf-8"))["test"]["accuracy"]
        return {"seconds": seconds, "test_accuracy": accuracy}

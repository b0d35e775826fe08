"""The shortest way to 98 % on the test set: from the start of the process to the metrics written."""

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
    from collections.abc import Mapping

    from bench import Bench

FAST_SPEC = SPEC.with_name("mnist_fast.yaml")
SEEDS = 5


def fast(bench: Bench) -> list[Comparison]:
    """Time ``mlpkit run specs/mnist_fast.yaml``, beside PyTorch's start to the end of its first step."""
    if not FAST_SPEC.is_file():
        say("fast: left out, there is no specs/mnist_fast.yaml")
        return []
    title = "mlpkit run specs/mnist_fast.yaml, process start to metrics written"
    say(f"{title} ...")
    accuracy: dict[int, float] = {}
    seeds = count()

    def measure(side: Side) -> Mapping[str, float]:
        if side.entry is not OURS:
            return first_step(bench, side)
        seed = next(seeds) % SEEDS
        seconds, accuracy[seed] = run_fast_spec(seed)
        return {"seconds": seconds}

    sides = [Side(entry) for entry in (OURS, *bench.peers) if entry in (OURS, PYTORCH)]
    take_turns(sides, 1, measure)  # fills caches; who fails here fails again
    measured = take_turns(sides, max(bench.rounds(), SEEDS), measure)
    mean = statistics.mean(accuracy.values()) if accuracy else math.nan
    about = {"test_accuracy": accuracy, "mean_test_accuracy": mean}
    figures, failures = figures_of(measured, "seconds"), failures_of(measured)
    compared = Comparison("fast", title, "s", figures, about, failures=failures)
    ours, pytorch = compared.figure(OURS.name), compared.figure(PYTORCH.name)
    if ours is not None:
        least = targets.FAST_ACCURACY
        compared.verdicts.append(Verdict("mean test accuracy of seeds 0 to 4", least, mean, mean >= least))
        compared.ask_at_most(ours.median, targets.FAST_SECONDS, "seconds to metrics written")
    if pytorch is not None and pytorch.ratio is not None:
        share = 1 / pytorch.ratio.median
        compared.ask_at_most(share, targets.FAST_SHARE_OF_PYTORCH, "share of PyTorch's time to its first step")
    return [compared]


def run_fast_spec(seed: int) -> tuple[float, float]:
    """Return the seconds from the start of the process to the metrics written, and the test accuracy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        settings = ["--set", f"seed={seed}", "--quiet", "--out", str(folder)]
        began = time.time()
        finished([sys.executable, "-m", "mlpkit", "run", str(FAST_SPEC), "--no-report", *settings])
        metrics = folder / "metrics.json"
        seconds = metrics.stat().st_mtime - began
        return seconds, json.loads(metrics.read_text(encoding="utf-8"))["test"]["accuracy"]

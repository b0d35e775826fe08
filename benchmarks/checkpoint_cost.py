"""Times the main job with a checkpoint every 100 steps against the same without.

    python benchmarks/checkpoint_cost.py [--rounds 31] [--steps 2000] [--json]

Both train ``specs/mnist_3layer.yaml``, shortened, into run folders of their own, in one process and in turns, so that
other load on the machine affects both. The training loop is timed, including its evaluations, on the disk of the
current folder.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import heading, machine

import mlpkit
from mlpkit.training.events import Observer

SPEC = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
EVERY = 100
LIMIT = 0.03


class TrainingClock(Observer):
    """Notes how long training took, from its first step to its last."""

    began = seconds = 0.0

    def started(self, total_steps: int | None) -> None:
        """Note the beginning."""
        self.began = time.perf_counter()

    def ended(self) -> None:
        """Note the end."""
        self.seconds = time.perf_counter() - self.began


def seconds_of(folder: Path, steps: int, checkpoint: dict[str, int] | None) -> float:
    """Train into a folder, and return how long the training loop took."""
    overrides = {"training.iterations": steps, "training.checkpoint": checkpoint}
    clock = TrainingClock()
    mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides), folder, observer=clock)
    return clock.seconds


def main(arguments: list[str]) -> int:
    """Time both in turns, print the ratio, and return 1 if it is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    about = machine()
    sides = {"without": None, "with": {"every": EVERY}}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        for number in range(options.rounds):
            for side in sides if number % 2 else reversed(sides):
                seconds[side].append(seconds_of(Path(folder) / f"{side}{number}", options.steps, sides[side]))
    ratios = [one / other for one, other in zip(seconds["with"], seconds["without"], strict=True)]
    ratio = statistics.median(ratios)
    if options.json:
        print(json.dumps({"machine": about, "seconds": seconds, "ratios": ratios, "ratio": ratio}))
    else:
        print(heading(about))
        print(f"training loop, {options.steps} steps, median of {options.rounds} rounds, seconds")
        for side, times in seconds.items():
            print(f"  {side + ' checkpoints':20} {statistics.median(times):.3f}")
        verdict = "met" if ratio < 1 + LIMIT else "MISSED"
        print(
            f"  with / without       {ratio:.4f} ({min(ratios):.4f} to {max(ratios):.4f}); below {1 + LIMIT}: {verdict}"
        )
    return int(ratio >= 1 + LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

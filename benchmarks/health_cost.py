"""Times what watching over a training's health costs.

    python benchmarks/health_cost.py [--epochs 10] [--json]

The main job is trained with other sizes into a run folder, evaluated once an epoch. Timed are the whole of the training
loop, its evaluations included, and within it all that the health monitor does: making its copy of the layers, looking,
finding symptoms, and writing health.jsonl. Both are of one and the same run, and of its main thread, whose time goes on
only while it computes, so that other load affects neither.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from machine import heading, machine

import mlpkit
from mlpkit.training.events import Observer
from mlpkit.verbs.doctor.health import HealthMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
LIMITS = {(256, 1000): 0.01, (50, 32): 0.03}
"""Units of a hidden layer and examples of a minibatch, and the share of the time that may be spent."""


class TrainingClock(Observer):
    """Notes how long training took, from its first step to its last."""

    began = seconds = 0.0

    def started(self, total_steps: int | None) -> None:
        """Note the beginning."""
        self.began = time.thread_time()

    def ended(self) -> None:
        """Note the end."""
        self.seconds = time.thread_time() - self.began


class Stopwatch:
    """Adds up how long some methods of a class take."""

    def __init__(self, owner: type, *methods: str) -> None:
        self.seconds = 0.0
        for name in methods:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*args, **options)
            finally:
                self.seconds += time.thread_time() - began

        return timed


def share_of_health(stopwatch: Stopwatch, hidden: int, batch_size: int, epochs: int) -> tuple[float, float]:
    """Train, and return the seconds of the loop and of the monitor."""
    overrides = {
        "layers.Affine1.units": hidden,
        "layers.Affine2.units": hidden,
        "training.batch_size": batch_size,
        "training.iterations": None,
        "training.epochs": epochs,
        "training.evaluate_every": None,
    }
    stopwatch.seconds, clock = 0.0, TrainingClock()
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides), Path(folder) / "run", observer=clock)
    return clock.seconds, stopwatch.seconds


def main(arguments: list[str]) -> int:
    """Time each size, print the shares, and return 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    stopwatch = Stopwatch(HealthMonitor, "__init__", "began", "before_evaluated_step", "evaluated")
    found = []
    for (hidden, batch_size), limit in LIMITS.items():
        loop, health = share_of_health(stopwatch, hidden, batch_size, options.epochs)
        found.append({"hidden": hidden, "batch_size": batch_size, "loop": loop, "health": health, "limit": limit})
    if options.json:
        print(json.dumps({"machine": machine(), "epochs": options.epochs, "sizes": found}))
    else:
        print(heading(machine()))
        for size in found:
            share = size["health"] / size["loop"]
            print(
                f"({size['hidden']}, {size['batch_size']}): {size['health'] * 1000:.1f} ms of {size['loop']:.2f} s, "
                f"{share:.2%}; at most {size['limit']:.0%}: {'met' if share <= size['limit'] else 'MISSED'}"
            )
    return int(any(size["health"] > size["limit"] * size["loop"] for size in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

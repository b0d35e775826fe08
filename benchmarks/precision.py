"""Times a training step with ``precision: float32`` and with ``bfloat16``, in turns in one process.

    python benchmarks/precision.py [--threads 1] [--json]

Both train 784-H-H-10 by plain gradient descent on the same B images of MNIST: gradient and update. On one thread, the
processor's time is taken, so that other work on the machine counts less; on more, the clock's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import heading, machine

import mlpkit
from mlpkit.components.schedule import Progress
from mlpkit.training.update import Updater
from mlpkit.training.workers import available_cores, blas_threads

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
SHAPES = ((50, 32), (128, 128), (50, 1000), (256, 1000), (1024, 256), (2048, 1000))
LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a step, medians over the rounds.

    Args:
        hidden: units of each hidden layer, H.
        batch_size: examples of a minibatch, B.
        threads: threads of a product.
        float32: milliseconds with products of float32.
        bfloat16: milliseconds with rounded factors.
        ratio: the median of each round's ratio of the two.
        least: the least of these ratios.
        largest: the largest.
    """

    hidden: int
    batch_size: int
    threads: int
    float32: float
    bfloat16: float
    ratio: float
    least: float
    largest: float


class Training:
    """Steps of a network, all with the same minibatch.

    Args:
        precision: what the factors of its products are rounded to.
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
    """

    def __init__(self, precision: str, hidden: int, batch_size: int) -> None:
        overrides = {"layers.Affine1.units": hidden, "layers.Affine2.units": hidden}
        spec = mlpkit.load_spec(SPEC, overrides=overrides)
        self._network = mlpkit.build(spec)
        self._network.set_precision(precision)
        progress = Progress(0, 0.0, total_steps=sys.maxsize)
        self._update = Updater(spec.training.optimizer(), self._network, None, {}, progress)
        self._x, self._t = np.empty((batch_size, 784), np.float32), np.empty(batch_size, np.int64)
        spec.data().open(spec.seed)["train"].take(np.arange(batch_size), (self._x, self._t))

    def seconds(self, steps: int, clock: Callable[[], float]) -> float:
        """Return how long so many steps take."""
        with self._network.computing():
            self._network.set_training(True)
            began = clock()
            for step in range(steps):
                self._network.loss_and_gradient(self._x, self._t, step)
                self._update(LEARNING_RATE, step + 1)
            return clock() - began


def time_shape(hidden: int, batch_size: int, *, threads: int, rounds: int, seconds: float) -> Timing:
    """Time a step of both precisions for one shape.

    Args:
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
        threads: threads of a product.
        rounds: turns of each precision.
        seconds: how long a turn takes, nearly.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    trainings = [Training(precision, hidden, batch_size) for precision in ("float32", "bfloat16")]
    with blas_threads(threads):
        few = [min(training.seconds(2, clock) / 2 for _ in range(3)) for training in trainings]
        steps = max(2, round(seconds / max(few)))
        turns = [[training.seconds(steps, clock) / steps for training in trainings] for _ in range(rounds)]
    ratios = [usual / rounded for usual, rounded in turns]
    usual, rounded = (1000 * statistics.median(times) for times in zip(*turns, strict=True))
    return Timing(hidden, batch_size, threads, usual, rounded, statistics.median(ratios), min(ratios), max(ratios))


def main() -> None:
    """Time every shape and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=available_cores(), help="threads of a product (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each precision (default: 9)")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long a turn takes, nearly (default: 0.2)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()

    about = machine()
    timings = [
        time_shape(*shape, threads=options.threads, rounds=options.rounds, seconds=options.seconds) for shape in SHAPES
    ]
    if options.json:
        print(json.dumps({"machine": about, "steps": [asdict(timing) for timing in timings]}, indent=2))
        return
    print(heading(about))
    print(f"{'H':>4} {'B':>5} {'threads':>8} {'float32':>10} {'bfloat16':>10} ratio")
    for timing in timings:
        print(
            f"{timing.hidden:>4} {timing.batch_size:>5} {timing.threads:>8} {timing.float32:>7.3f} ms "
            f"{timing.bfloat16:>7.3f} ms {timing.ratio:.2f} ({timing.least:.2f}-{timing.largest:.2f})"
        )


if __name__ == "__main__":
    main()

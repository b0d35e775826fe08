"""Times a training step of mlpkit against the same step written out by hand in NumPy.

    python benchmarks/step.py [--json]

Both train 784-H-H-10 on MNIST, minibatches of B drawn with replacement, on as many BLAS threads as mlpkit's plan
says. They take turns in one process, round by round, so that other load on the machine affects both. After a few rounds
both start again with other memory: the position of its arrays changes a small step by a tenth. mlpkit's side is the
whole loop of ``Trainer``, from drawing a minibatch to asking whether to stop; only the evaluation at its end is left
out, because the time passed to ``Observer.evaluated`` ends when that evaluation begins.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hand_written_step import HandWrittenStep
from machine import heading, machine

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove
from mlpkit.training.events import Observer
from mlpkit.training.loop import Trainer
from mlpkit.training.minibatches import WithReplacement
from mlpkit.training.workers import blas_threads, choose_plan

if TYPE_CHECKING:
    from mlpkit.training.evaluation import Record

SPEC = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
LEARNING_RATE = 0.1
LIMIT = 1.15
STEPS_COMPARED = 20
LARGEST_DIFFERENCE = 1e-10
PAUSE = 0.1
"""Seconds before each turn: the BLAS threads of the turn before go on waiting, busily, for some hundredths."""
SHAPES = {(50, 32): 1500, (50, 1000): 120, (256, 1000): 30}
"""Units of a hidden layer and examples of a minibatch, and how many steps make a round of a fifth of a second."""


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a step, medians over the rounds.

    Args:
        hidden: units of each hidden layer, H.
        batch_size: examples of a minibatch, B.
        threads: BLAS threads.
        mlpkit: milliseconds of mlpkit's step.
        by_hand: milliseconds of the step written by hand.
        ratio: the median of each round's ratio.
    """

    hidden: int
    batch_size: int
    threads: int
    mlpkit: float
    by_hand: float
    ratio: float


class StepClock(Observer):
    """Notes how long the steps before the first evaluation took."""

    seconds = 0.0

    def evaluated(self, record: Record, seconds: float) -> None:
        """Note the time at which the evaluation began."""
        self.seconds = seconds


class Contest:
    """Both steps for one shape, begun from the same parameters.

    Args:
        data: the data set, opened.
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
        dtype: of all numbers.
    """

    def __init__(self, data: Data, hidden: int, batch_size: int, *, dtype: str = "float32") -> None:
        overrides = {
            "dtype": dtype,
            "layers.Affine1.units": hidden,
            "layers.Affine2.units": hidden,
            "training.batch_size": batch_size,
            "training.optimizer": {"sgd": {"learning_rate": LEARNING_RATE}},
        }
        self.spec = mlpkit.load_spec(SPEC, overrides=overrides)
        proved = prove(self.spec)
        self.description = proved.description
        self.plan = choose_plan(proved.proof.flops * batch_size)
        self.network = build_for(self.spec, proved.proof)
        self.train = data.train
        self.by_hand = HandWrittenStep(
            data.images,
            data.labels,
            hidden=hidden,
            batch_size=batch_size,
            learning_rate=LEARNING_RATE,
            parameters=list(self.network.parameters.values()),
        )

    def seconds_of_mlpkit(self, steps: int) -> float:
        """Train mlpkit's network, and return how long its steps took."""
        clock = StepClock()
        section = replace(self.spec.training, iterations=steps, evaluate_every=steps, checkpoint=None)
        time.sleep(PAUSE)
        Trainer(self.network, {"train": self.train}, self.description, section, observer=clock).train()
        return clock.seconds

    def seconds_by_hand(self, steps: int) -> float:
        """Train the network written by hand, and return how long its steps took."""
        time.sleep(PAUSE)
        began = time.perf_counter()
        self.by_hand.train(steps)
        return time.perf_counter() - began

    def difference(self, steps: int) -> float:
        """Train both on the same minibatches, and return how far apart they are, as a share of how far they moved."""
        before = self.by_hand.values.copy()
        self.seconds_of_mlpkit(steps)
        sampler = WithReplacement(len(self.train), self.spec.training.batch_size, self.spec.seed)
        for step in range(steps):
            self.by_hand.step(sampler.indices(step))
            self.by_hand.update()
        ours = np.concatenate([array.ravel() for array in self.network.parameters.values()])
        by_hand = self.by_hand.values
        return float(np.max(np.abs(ours - by_hand)) / np.max(np.abs(by_hand - before)))


class Data:
    """The training examples: as mlpkit takes them, and as they are before any scaling."""

    def __init__(self) -> None:
        spec = mlpkit.load_spec(SPEC)
        self.train = spec.data().open(spec.seed)["train"]
        x, self.labels = np.empty((len(self.train), 784), np.float32), np.empty(len(self.train), np.int64)
        self.train.take(np.arange(len(self.train)), (x, self.labels))
        self.images = np.rint(x * 255).astype(np.uint8)


def time_shape(data: Data, hidden: int, batch_size: int, *, placements: int, rounds: int, steps: int) -> Timing:
    """Time both steps for one shape.

    Args:
        data: the data set, opened.
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
        placements: how often both start again with other memory.
        rounds: how often each side then has its turn.
        steps: steps of a turn.
    """
    contests = [Contest(data, hidden, batch_size) for _ in range(placements)]  # all at once, or they'd reuse memory
    pairs = []
    with blas_threads(contests[0].plan.threads):
        # In float64, for in float32 roundings alone decide now and then on which side of zero a Relu's input lies.
        difference = Contest(data, hidden, batch_size, dtype="float64").difference(STEPS_COMPARED)
        if not difference < LARGEST_DIFFERENCE:
            sys.exit(f"the two don't do the same: their parameters differ by {difference:g} of how far they moved")
        for contest in contests:
            for _ in range(rounds):
                pairs.append((contest.seconds_of_mlpkit(steps) / steps, contest.seconds_by_hand(steps) / steps))
    ours, theirs = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    return Timing(hidden, batch_size, contests[0].plan.threads, ours, theirs, ratio)


def main() -> None:
    """Time every shape and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--placements", type=int, default=9, help="fresh starts of both sides (default: 9)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side for each (default: 3)")
    parser.add_argument("--steps", type=int, help="steps of a turn (default: a fifth of a second's worth)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()

    about = machine()
    data = Data()
    timings = [
        time_shape(
            data,
            hidden,
            batch_size,
            placements=options.placements,
            rounds=options.rounds,
            steps=options.steps or steps,
        )
        for (hidden, batch_size), steps in SHAPES.items()
    ]
    if options.json:
        print(json.dumps({"machine": about, "limit": LIMIT, "steps": [asdict(timing) for timing in timings]}, indent=2))
        return
    print(heading(about))
    print(f"{'H':>4} {'B':>5} {'threads':>8} {'mlpkit':>10} {'by hand':>10} {'ratio':>6}   limit {LIMIT}")
    for timing in timings:
        print(
            f"{timing.hidden:>4} {timing.batch_size:>5} {timing.threads:>8} {timing.mlpkit:>7.3f} ms "
            f"{timing.by_hand:>7.3f} ms {timing.ratio:>6.3f}   {'met' if timing.ratio <= LIMIT else 'MISSED'}"
        )


if __name__ == "__main__":
    main()

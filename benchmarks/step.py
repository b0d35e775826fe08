"""Times a training step of mlpkit against the same step written out by hand in NumPy.

    python benchmarks/step.py [--json]

Both train 784-H-H-10 on MNIST, minibatches of B drawn with replacement, on as many BLAS threads as mlpkit's plan has.
They take turns in one process, so that other load on the machine affects both. After a few rounds both start again with
other memory: the position of its arrays changes a small step by a tenth. mlpkit's side is the whole loop of
``Trainer``, from drawing a minibatch to asking whether to stop; nothing is evaluated.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from hand_written_step import HandWrittenStep
from report import limit, parser_of, print_report
from rounds import interleaved, ratio, seconds_of

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove
from mlpkit.training.events import Observer
from mlpkit.training.loop import Trainer
from mlpkit.training.minibatches import WithReplacement
from mlpkit.training.workers import blas_threads, choose_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.training.evaluation import Record

SPEC: Final = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
LEARNING_RATE: Final = 0.1
LIMIT: Final = 1.15
STEPS_COMPARED: Final = 20
LARGEST_DIFFERENCE: Final = 1e-10
PAUSE: Final = 0.1
"""Seconds before each turn: BLAS threads spin for some hundredths of a second after their last product."""
SHAPES: Final = {(50, 32): 1500, (50, 1000): 120, (256, 1000): 30}
"""Units of a hidden layer and examples of a minibatch, and how many steps make a round of a fifth of a second."""


class StepClock(Observer):
    """Notes how long the steps took."""

    seconds = 0.0

    def evaluated(self, record: Record, seconds: float) -> None:
        """Note the time that the steps took, after the last."""
        self.seconds = seconds


class Data:
    """The training examples: as mlpkit takes them, and as they are before any scaling."""

    def __init__(self) -> None:
        spec = mlpkit.load_spec(SPEC)
        self.train = spec.data().open(spec.seed)["train"]
        x, self.labels = mlpkit.load_data(spec)
        self.images = np.rint(x * 255).astype(np.uint8)


class OurStep:
    """mlpkit's training of 784-H-H-10 in minibatches of B, with changes of the spec."""

    def __init__(self, data: Data, hidden: int, batch_size: int, changes: Mapping[str, Any]) -> None:
        overrides = {
            "layers.Affine1.units": hidden,
            "layers.Affine2.units": hidden,
            "training.batch_size": batch_size,
            **changes,
        }
        self.spec = mlpkit.load_spec(SPEC, overrides=overrides)
        proved = prove(self.spec)
        self.description, self.train = proved.description, data.train
        self.threads = choose_plan(proved.proof.flops * batch_size).threads
        self.network = build_for(self.spec, proved.proof)

    def seconds(self, steps: int) -> float:
        """Train, and return how long the steps took."""
        clock = StepClock()
        section = replace(self.spec.training, iterations=steps, evaluate_every=steps, checkpoint=None)
        Trainer(self.network, {"train": self.train}, self.description, section, observer=clock, evaluated=()).train()
        return clock.seconds


class Contest:
    """Both steps for one shape, begun from the same parameters, in numbers of a dtype."""

    def __init__(self, data: Data, hidden: int, batch_size: int, *, dtype: str = "float32") -> None:
        optimizer = {"sgd": {"learning_rate": LEARNING_RATE}}
        self.ours = OurStep(data, hidden, batch_size, {"dtype": dtype, "training.optimizer": optimizer})
        parameters = list(self.ours.network.parameters.values())
        self.by_hand = HandWrittenStep(data.images, data.labels, parameters, batch_size, LEARNING_RATE)

    def seconds(self, side: str, steps: int) -> float:
        """Train mlpkit's network or the one written by hand, and return how long its steps took."""
        time.sleep(PAUSE)
        return self.ours.seconds(steps) if side == "mlpkit" else seconds_of(lambda: self.by_hand.train(steps))

    def difference(self, steps: int) -> float:
        """Train both on the same minibatches, and return how far apart they are, as a share of how far they moved."""
        before, spec = self.by_hand.values.copy(), self.ours.spec
        self.ours.seconds(steps)
        sampler = WithReplacement(len(self.ours.train), spec.training.batch_size, spec.seed)
        for step in range(steps):
            self.by_hand.step(sampler.indices(step))
            self.by_hand.update()
        ours = np.concatenate([array.ravel() for array in self.ours.network.parameters.values()])
        by_hand = self.by_hand.values
        return float(np.max(np.abs(ours - by_hand)) / np.max(np.abs(by_hand - before)))


def time_shape(data: Data, hidden: int, batch_size: int, *, placements: int, rounds: int, steps: int) -> dict[str, Any]:
    """Return the milliseconds of both steps for one shape, medians over the rounds, and the median of their ratio.

    Both start again with other memory ``placements`` times, and then have ``rounds`` turns each.
    """
    contests = [Contest(data, hidden, batch_size) for _ in range(placements)]  # all at once, or they'd reuse memory
    times: dict[str, list[float]] = {"mlpkit": [], "by_hand": []}
    threads = contests[0].ours.threads
    with blas_threads(threads):
        # In float64: in float32, rounding may decide whether the input of a Relu is positive.
        difference = Contest(data, hidden, batch_size, dtype="float64").difference(STEPS_COMPARED)
        if not difference < LARGEST_DIFFERENCE:
            sys.exit(f"the two don't do the same: their parameters differ by {difference:g} of how far they moved")
        for contest in contests:
            ways = {name: partial(contest.seconds, name, steps) for name in times}
            for name, seconds in interleaved(ways, rounds).items():
                times[name] += seconds
    medians = {name: 1000 * statistics.median(seconds) / steps for name, seconds in times.items()}
    shape = {"hidden": hidden, "batch_size": batch_size, "threads": threads}
    return {**shape, **medians, "ratio": ratio(times["mlpkit"], times["by_hand"]).median}


def main() -> None:
    """Time every shape and print the results."""
    parser = parser_of(__doc__, rounds=3)
    parser.add_argument("--placements", type=int, default=9, help="fresh starts of both sides (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="steps of a turn (default: a fifth of a second's worth)")
    options = parser.parse_args()
    data = Data()
    found = [
        time_shape(data, *shape, placements=options.placements, rounds=options.rounds, steps=options.steps or steps)
        for shape, steps in SHAPES.items()
    ]
    lines = [f"{'H':>4} {'B':>5} {'threads':>8} {'mlpkit':>10} {'by hand':>10} {'ratio':>6}"]
    lines += [
        f"{each['hidden']:>4} {each['batch_size']:>5} {each['threads']:>8} {each['mlpkit']:>7.3f} ms "
        f"{each['by_hand']:>7.3f} ms {each['ratio']:>6.3f}   {limit(each['ratio'], LIMIT, str(LIMIT))}"
        for each in found
    ]
    print_report(options, {"limit": LIMIT, "steps": found}, lines)


if __name__ == "__main__":
    main()

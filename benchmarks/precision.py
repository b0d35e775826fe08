"""Times a training step with ``precision: bfloat16`` against one with float32.

    python benchmarks/precision.py [--threads 1] [--rounds 25] [--json]

Both train 784-H-H-10 on MNIST in minibatches of B. They take turns, a few steps at a time, and the ratio is that of the
least times, so that other load matters little.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from report import parser_of, print_report
from rounds import interleaved
from step import Data, OurStep
from targets import SHAPES

from mlpkit.training.workers import blas_threads


def time_shape(
    data: Data, hidden: int, batch_size: int, rounds: int, threads: int | None, steps: int
) -> dict[str, Any]:
    """Return the milliseconds of a step in each precision, and float32's time divided by bfloat16's."""
    sides = {name: OurStep(data, hidden, batch_size, {"training.precision": name}) for name in ("float32", "bfloat16")}
    threads = threads or sides["float32"].threads
    with blas_threads(threads):
        times = interleaved({name: partial(side.seconds, steps) for name, side in sides.items()}, rounds)
    least = {name: 1000 * min(seconds) / steps for name, seconds in times.items()}
    shape = {"hidden": hidden, "batch_size": batch_size, "threads": threads}
    return {**shape, **least, "ratio": least["float32"] / least["bfloat16"]}


def main() -> None:
    """Time every shape and print the results."""
    parser = parser_of(__doc__, rounds=25)
    parser.add_argument("--threads", type=int, help="threads of a step (default: those of its plan)")
    parser.add_argument("--steps", type=int, help="steps of a turn (default: 2,000 rows, at least 5 steps)")
    options = parser.parse_args()
    data = Data()
    steps = [
        time_shape(data, *shape, options.rounds, options.threads, options.steps or max(5, 2000 // shape[1]))
        for shape in SHAPES
    ]
    lines = [f"{'H':>4} {'B':>5} {'threads':>8} {'float32':>10} {'bfloat16':>11} ratio"]
    lines += [
        f"{each['hidden']:>4} {each['batch_size']:>5} {each['threads']:>8} {each['float32']:>7.3f} ms "
        f"{each['bfloat16']:>8.3f} ms {each['ratio']:.2f}"
        for each in steps
    ]
    print_report(options, {"steps": steps}, lines)


if __name__ == "__main__":
    main()

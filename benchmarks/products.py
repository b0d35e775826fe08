"""Times the matrix products of a training step, and measures their errors: NumPy's against the compiled kernels'.

    python benchmarks/products.py [--json]

The products are those of a step of 784-H-H-10 and minibatches of B: forward, dW, and dx of all layers but the first, on
as many threads as mlpkit's plan has there, with arrays that lie in memory as mlpkit's do. The two take turns in one
process, on one team of threads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from contestants.matrix_products import MatrixProducts
from contestants.task import Task
from machine import heading, machine
from targets import SHAPES

from mlpkit.components.parameter import gapped_size, padded_view
from mlpkit.training.workers import blas_threads, choose_plan
from mlpkit_plugins.kernels import product, shared_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a step's products, medians over the rounds, and the errors of one of them.

    Args:
        hidden: units of each hidden layer, H.
        batch_size: examples of a minibatch, B.
        threads: threads of a product.
        numpy: milliseconds of NumPy's products.
        kernels: milliseconds of the kernels'.
        ratio: the median of each round's ratio of the two.
        gflops: billions of floating-point operations that the kernels do in a second.
        numpy_error: how far NumPy's product of a minibatch and the weights of the second hidden layer is from the exact
            one, root of the mean of squares, as a share of that of its elements.
        kernels_error: the same of the kernels' product.
    """

    hidden: int
    batch_size: int
    threads: int
    numpy: float
    kernels: float
    ratio: float
    gflops: float
    numpy_error: float
    kernels_error: float


def time_shape(hidden: int, batch_size: int, *, rounds: int, seconds: float) -> Timing:
    """Time both for one shape.

    Args:
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
        rounds: how often each has its turn.
        seconds: how long a turn takes.
    """
    task = Task(hidden=(hidden, hidden), batch_size=batch_size, optimizer="sgd")
    sides = [MatrixProducts(task, multiply, with_gaps_between_rows) for multiply in (np.matmul, product)]
    threads = choose_plan(task.flops).threads
    pairs = []
    with blas_threads(threads), shared_threads():
        steps = np.zeros(max(1, round(seconds / _seconds_of(sides[0], np.zeros(3, np.int64)))), np.int64)
        for _ in range(rounds):
            pairs.append([_seconds_of(side, steps) for side in sides])
    numpy, kernels = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    errors = (_error_of(multiply, hidden, batch_size) for multiply in (np.matmul, product))
    return Timing(hidden, batch_size, threads, numpy, kernels, ratio, task.flops / kernels / 1e6, *errors)


def with_gaps_between_rows(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Return memory for an array, as layers and networks lay it out."""
    return padded_view(np.empty(gapped_size(shape), dtype), shape)


def _seconds_of(side: MatrixProducts, steps: NDArray[np.int64]) -> float:
    side.train(steps[:1])
    began = time.perf_counter()
    side.train(steps)
    return (time.perf_counter() - began) / len(steps)


def _error_of(multiply: Callable[..., Any], hidden: int, batch_size: int) -> float:
    draw = np.random.default_rng(0)
    x, W = (draw.standard_normal((rows, hidden), np.float32) for rows in (batch_size, hidden))
    exact = x.astype(np.float64) @ W.astype(np.float64)
    rounded = np.empty((batch_size, hidden), np.float32)
    multiply(x, W, rounded)
    return float(np.linalg.norm(rounded - exact) / np.linalg.norm(exact))


def main() -> None:
    """Time every shape and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each side (default: 15)")
    parser.add_argument("--seconds", type=float, default=0.1, help="seconds of a turn (default: 0.1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()

    about = machine()
    timings = [time_shape(*shape, rounds=options.rounds, seconds=options.seconds) for shape in SHAPES]
    if options.json:
        report = {"machine": about, "steps": [asdict(timing) for timing in timings]}
        print(json.dumps(report, indent=2))
        return
    print(heading(about))
    print(
        f"{'H':>4} {'B':>5} {'threads':>8} {'NumPy':>11} {'kernels':>11} {'ratio':>6} {'GFLOP/s':>8} "
        f"{'error: NumPy':>13} {'kernels':>8}"
    )
    for timing in timings:
        print(
            f"{timing.hidden:>4} {timing.batch_size:>5} {timing.threads:>8} {timing.numpy:>8.3f} ms "
            f"{timing.kernels:>8.3f} ms {timing.ratio:>6.2f} {timing.gflops:>8.0f} "
            f"{timing.numpy_error:>13.1e} {timing.kernels_error:>8.1e}"
        )


if __name__ == "__main__":
    main()

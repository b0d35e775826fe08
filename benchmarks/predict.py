"""Times predictions in the order of a row (docs/numerics.md) against those in the order of training.

    python benchmarks/predict.py [--json]

The order of training is the fastest there is, with AMX or BLAS for large products. The two take turns in one process, a
prediction a turn, on one thread. The processor's time counts, that of the fastest turn, which other programs disturbed
least. MNIST's test images, most of whose pixels are zero, go through shipped specs, and normally distributed numbers
through networks of their own. Weights aren't trained.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine

import mlpkit
from mlpkit.layers import Affine, Relu, SoftmaxWithLoss
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mlpkit import Sequential

SPECS: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
HIDDEN: Final = ((192,), (1024, 1024))
ROWS: Final = (1, 32, 256, 1000)
FOLDER: Final = Path(__file__).parents[1] / "specs"


@dataclass(frozen=True)
class Timing:
    """What predictions of a network take.

    Args:
        network: the spec, or the widths of the network.
        rows: rows that are predicted together.
        row_order: microseconds of the fastest prediction in the order of a row.
        training_order: microseconds of the fastest one in the order of training.
    """

    network: str
    rows: int
    row_order: float
    training_order: float

    @property
    def throughput(self) -> float:
        """Rows a second in the order of a row, as a share of those in the order of training."""
        return self.training_order / self.row_order


def networks() -> Iterator[tuple[str, Sequential, NDArray[Any]]]:
    """Yield networks, each with its name and 1,000 inputs or more."""
    for name in SPECS:
        spec = mlpkit.load_spec(FOLDER / f"{name}.yaml")
        network, test = mlpkit.build(spec), spec.data().open(spec.seed)["test"]
        x = np.empty((max(ROWS), *network.input_shape), np.float32)
        test.take(np.arange(len(x)), (x, np.empty(len(x), np.int64)))
        yield name, network, x
    x = np.random.default_rng(0).standard_normal((max(ROWS), 784), np.float32)
    for hidden in HIDDEN:
        layers = [layer for units in hidden for layer in (Affine(units), Relu())]
        network = mlpkit.Sequential(
            [*layers, Affine(10), SoftmaxWithLoss()], input_shape=(784,), target=mlpkit.Classes(10)
        )
        yield "-".join(map(str, (784, *hidden, 10))), network, x


def in_training_order(network: Sequential, x: NDArray[Any]) -> NDArray[Any]:
    """Return predictions as ``Sequential.predict_encoded`` would compute them if rows had no order of their own."""
    (replica,) = network.replicas
    with network.computing():
        replica.set_training(False)
        return replica.predict(replica.forward(x)).copy()


def time_rows(name: str, network: Sequential, x: NDArray[Any], rounds: int) -> Timing:
    """Time both orders for some rows.

    Args:
        name: the network's name.
        network: the network.
        x: the rows.
        rounds: turns of each.
    """
    sides = [partial(network.predict_encoded, x), partial(in_training_order, network, x)]
    np.testing.assert_allclose(sides[0](), sides[1](), atol=1e-4)
    turns = [[_seconds_of(side) for side in sides] for _ in range(rounds)]
    return Timing(name, len(x), *(1e6 * min(times) for times in zip(*turns, strict=True)))


def _seconds_of(predict: Callable[[], Any]) -> float:
    began = time.thread_time()
    predict()
    return time.thread_time() - began


def main() -> None:
    """Time every network and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=100, help="turns of each side (default: 100)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()

    about = machine()
    with blas_threads(1):
        timings = [
            time_rows(name, network, x[:rows], options.rounds) for name, network, x in networks() for rows in ROWS
        ]
    if options.json:
        print(json.dumps({"machine": about, "predictions": [asdict(timing) for timing in timings]}, indent=2))
        return
    print(heading(about))
    print(f"{'network':<18} {'rows':>5} {'rows a second':>14} {'in training order':>18} {'share':>6}")
    for each in timings:
        speeds = (1e6 * each.rows / microseconds for microseconds in (each.row_order, each.training_order))
        print(
            f"{each.network:<18} {each.rows:>5} {next(speeds):>14,.0f} {next(speeds):>18,.0f} {each.throughput:>6.2f}"
        )


if __name__ == "__main__":
    main()

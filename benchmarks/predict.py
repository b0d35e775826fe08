"""Times predictions in the order of a row (docs/numerics.md) against those in the order of training, and onnxruntime's.

    python benchmarks/predict.py [--json]

The order of training is the fastest there is, with AMX or BLAS for large products. They take turns in one process, a
prediction a turn, on one thread. The processor's time counts, that of the fastest turn, which other programs disturbed
least. MNIST's test images, most of whose pixels are zero, go through shipped specs and dense networks, and normally
distributed numbers through other dense networks. Weights aren't trained. onnxruntime is left out if it isn't installed.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine

import mlpkit
from mlpkit.graph.model_graph import bare_network
from mlpkit.layers import Affine, Relu, SoftmaxWithLoss
from mlpkit.training.workers import blas_threads
from mlpkit_plugins.exporters.onnx_file import OnnxFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mlpkit import Sequential, Spec

SPECS: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
HIDDEN: Final = ((192,), (1024, 1024))
HIDDEN_AFTER_IMAGES: Final = ((50, 50), (256, 256), (1024, 1024))
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
        onnxruntime: microseconds of onnxruntime's fastest one; None if it isn't installed.
    """

    network: str
    rows: int
    row_order: float
    training_order: float
    onnxruntime: float | None = None

    @property
    def throughput(self) -> float:
        """Rows a second in the order of a row, as a share of those in the order of training."""
        return self.training_order / self.row_order

    @property
    def ratio(self) -> str:
        """onnxruntime's time, as a multiple of that in the order of a row."""
        return "" if self.onnxruntime is None else f"{self.onnxruntime / self.row_order:.2f}"


def networks() -> Iterator[tuple[str, Sequential, NDArray[Any]]]:
    """Yield networks, each with its name and 1,000 inputs or more."""
    for name in SPECS:
        spec = mlpkit.load_spec(FOLDER / f"{name}.yaml")
        network = mlpkit.build(spec)
        images = images_of(spec, network.input_shape)
        yield name, network, images
    flat = images.reshape(len(images), -1)
    for hidden in HIDDEN_AFTER_IMAGES:
        yield f"images-{'-'.join(map(str, hidden))}-10", dense(hidden), flat
    x = np.random.default_rng(0).standard_normal((max(ROWS), 784), np.float32)
    for hidden in HIDDEN:
        yield f"784-{'-'.join(map(str, hidden))}-10", dense(hidden), x


def images_of(spec: Spec, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return test images of a spec."""
    test = spec.data().open(spec.seed)["test"]
    x = np.empty((max(ROWS), *shape), np.float32)
    test.take(np.arange(len(x)), (x, np.empty(len(x), np.int64)))
    return x


def dense(hidden: tuple[int, ...]) -> Sequential:
    """Return a network of affine layers of these widths with Relu, for ten classes."""
    layers = [layer for units in hidden for layer in (Affine(units), Relu())]
    return mlpkit.Sequential([*layers, Affine(10), SoftmaxWithLoss()], input_shape=(784,), target=mlpkit.Classes(10))


def by_onnxruntime(network: Sequential) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what has onnxruntime predict, on one thread."""
    import onnxruntime  # noqa: PLC0415 - an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with TemporaryDirectory() as folder:
        OnnxFile().write(bare_network(network, {"name": "network"}), file := Path(folder) / "network.onnx")
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(["prediction"], {"x": x})[0]


def in_training_order(network: Sequential, x: NDArray[Any]) -> NDArray[Any]:
    """Return predictions as ``Sequential.predict_encoded`` would compute them if rows had no order of their own."""
    (replica,) = network.replicas
    with network.computing():
        replica.set_training(False)
        return replica.predict(replica.forward(x)).copy()


def time_rows(name: str, network: Sequential, x: NDArray[Any], rounds: int) -> Timing:
    """Time both orders, and onnxruntime, for some rows.

    Args:
        name: the network's name.
        network: the network.
        x: the rows.
        rounds: pairs of turns of each.
    """
    sides = [partial(network.predict, x), partial(in_training_order, network, x)]
    if find_spec("onnxruntime") is not None:
        sides.append(partial(by_onnxruntime(network), x))
    for side in sides[1:]:
        np.testing.assert_allclose(sides[0](), side(), atol=1e-4)
    fastest = [math.inf] * len(sides)
    for turn in range(2 * rounds):  # there and back: a side that comes twice in a row finds the weights in the cache
        for i in range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides))):
            fastest[i] = min(fastest[i], _seconds_of(sides[i]))
    return Timing(name, len(x), *(1e6 * seconds for seconds in fastest))


def _seconds_of(predict: Callable[[], Any]) -> float:
    began = time.thread_time()
    predict()
    return time.thread_time() - began


def main() -> None:
    """Time every network and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50, help="pairs of turns of each side (default: 50)")
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
    print(
        f"{'network':<20} {'rows':>5} {'us':>9} {'rows a second':>14} {'in training order':>18} {'share':>6} "
        f"{'onnxruntime / mlpkit':>21}"
    )
    for each in timings:
        speeds = (1e6 * each.rows / microseconds for microseconds in (each.row_order, each.training_order))
        print(
            f"{each.network:<20} {each.rows:>5} {each.row_order:>9,.1f} {next(speeds):>14,.0f} {next(speeds):>18,.0f} "
            f"{each.throughput:>6.2f} {each.ratio:>21}"
        )


if __name__ == "__main__":
    main()

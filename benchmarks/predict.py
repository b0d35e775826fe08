"""Times predictions in the order of a row (docs/numerics.md) against the order of training, and against onnxruntime.

    python benchmarks/predict.py [--json]

The order of training is the fastest there is, with AMX or BLAS for large products. They take turns in one process, a
prediction a turn, on one thread. The processor's time counts, that of the fastest turn, which other programs disturbed
least. MNIST's test images, most of whose pixels are zero, go through shipped specs and dense networks, and normally
distributed numbers through other dense networks. Weights aren't trained. onnxruntime is left out if it isn't installed.
"""

from __future__ import annotations

import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from report import parser_of, print_report
from rounds import interleaved, seconds_of

import mlpkit
from mlpkit.graph.model_graph import bare_network
from mlpkit.layers import Affine, Relu, SoftmaxWithLoss
from mlpkit.training.workers import blas_threads
from mlpkit_plugins.exporters.onnx_file import OnnxFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mlpkit import Sequential

SPECS: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
HIDDEN: Final = ((192,), (1024, 1024))
HIDDEN_AFTER_IMAGES: Final = ((50, 50), (256, 256), (1024, 1024))
ROWS: Final = (1, 32, 256, 1000)
FOLDER: Final = Path(__file__).parents[1] / "specs"


def networks() -> Iterator[tuple[str, Sequential, NDArray[Any]]]:
    """Yield networks, each with its name and 1,000 inputs or more."""
    for name in SPECS:
        spec = mlpkit.load_spec(FOLDER / f"{name}.yaml")
        network = mlpkit.build(spec)
        images, _ = mlpkit.load_data(spec, "test", max(ROWS))
        yield name, network, images
    flat = images.reshape(len(images), -1)
    for hidden in HIDDEN_AFTER_IMAGES:
        yield f"images-{'-'.join(map(str, hidden))}-10", dense(hidden), flat
    x = np.random.default_rng(0).standard_normal((max(ROWS), 784), np.float32)
    for hidden in HIDDEN:
        yield f"784-{'-'.join(map(str, hidden))}-10", dense(hidden), x


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


def time_rows(name: str, network: Sequential, x: NDArray[Any], rounds: int) -> dict[str, Any]:
    """Return the microseconds of the fastest prediction of some rows in both orders, and of onnxruntime's."""
    sides = {"row_order": partial(network.predict, x), "training_order": partial(in_training_order, network, x)}
    if find_spec("onnxruntime") is not None:
        sides["onnxruntime"] = partial(by_onnxruntime(network), x)
    for side in sides.values():
        np.testing.assert_allclose(sides["row_order"](), side(), atol=1e-4)
    ways = {side: partial(seconds_of, predict, time.thread_time) for side, predict in sides.items()}
    fastest = {side: 1e6 * min(seconds) for side, seconds in interleaved(ways, rounds).items()}
    return {"network": name, "rows": len(x), **fastest}


def line_of(timing: dict[str, Any]) -> str:
    """Return a line of the table."""
    ours, rows = timing["row_order"], timing["rows"]
    per_second = [1e6 * rows / timing[order] for order in ("row_order", "training_order")]
    peer = f"{timing['onnxruntime'] / ours:.2f}" if "onnxruntime" in timing else ""
    return (
        f"{timing['network']:<20} {rows:>5} {ours:>9,.1f} {per_second[0]:>14,.0f} {per_second[1]:>18,.0f} "
        f"{timing['training_order'] / ours:>6.2f} {peer:>21}"
    )


def main() -> None:
    """Time every network and print the results."""
    options = parser_of(__doc__, rounds=100).parse_args()
    with blas_threads(1):
        timings = [
            time_rows(name, network, x[:rows], options.rounds) for name, network, x in networks() for rows in ROWS
        ]
    columns = f"{'us':>9} {'rows a second':>14} {'in training order':>18} {'share':>6} {'onnxruntime / mlpkit':>21}"
    lines = [f"{'network':<20} {'rows':>5} {columns}", *map(line_of, timings)]
    print_report(options, {"predictions": timings}, lines)


if __name__ == "__main__":
    main()

"""Times the compiled kernels: activations against a copy of their array, and matrix products against NumPy's.

    python benchmarks/kernels.py [--rounds 25] [--seconds 0.1] [--json]

A kernel's time is that of one call on an array of a hidden layer, on one thread; the least of many calls counts, so
that other load matters little. The first array comes from memory, the others from the processor's caches.

The products are those of a step of 784-H-H-10 and minibatches of B: forward, dW, and dx of all layers but the first, on
as many threads as mlpkit's plan has there, with arrays laid out as mlpkit's are. NumPy and the kernels take turns in
one process, on one team of threads. The error is that of the second layer's product: the root mean square of its
distance from the exact product, relative to the product.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from contestants.matrix_products import MatrixProducts
from contestants.task import Task
from report import parser_of, print_report
from rounds import interleaved, ratio, seconds_of
from targets import SHAPES

from mlpkit.components.parameter import gapped_size, padded_view
from mlpkit.training.workers import blas_threads, choose_plan
from mlpkit_plugins import kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

PARAMETERS: Final[dict[str, tuple[float, ...]]] = {"elu": (1.0,), "leaky_relu": (0.01,)}
ACTIVATIONS: Final = ("sigmoid", "tanh", "softplus", "gelu", "silu", "mish", "selu", "elu", "leaky_relu")
ARRAYS: Final = {(4096, 4096): 1, (256, 256): 20, (50, 1000): 20}
"""Units and examples, and the calls of a turn."""


def calls_of(units: int, batch_size: int) -> dict[str, Callable[[], object]]:
    """Return a call of each kernel by its name, and a copy."""
    x = np.random.default_rng(0).normal(0, 2, (batch_size, units)).astype(np.float32)
    dy, out, products, slope = np.ones_like(x), np.empty_like(x), np.empty_like(x), x[0].copy()
    calls: dict[str, Callable[[], object]] = {"copy": partial(np.copyto, out, x)}
    for name in ACTIVATIONS:
        parameters = PARAMETERS.get(name, ())
        calls[name] = partial(getattr(kernels, name), x, *parameters, out)
        calls[f"{name} back"] = partial(getattr(kernels, f"{name}_gradient"), dy, x, *parameters, out)
    calls["relu"] = partial(kernels.rectify, x, out)
    calls["relu back"] = partial(kernels.keep_where_positive, dy, x, out)
    calls["prelu"] = partial(kernels.prelu, x, slope, out)
    calls["prelu back"] = partial(kernels.prelu_gradient, dy, x, slope, products, out)
    return calls


def time_activations(units: int, batch_size: int, repeats: int, rounds: int) -> dict[str, Any]:
    """Return the microseconds of a copy, and what each kernel takes, forward and back, in copies."""

    def measure(call: Callable[[], object]) -> float:
        return seconds_of(lambda: [call() for _ in range(repeats)]) / repeats * 1e6

    ways = {name: partial(measure, call) for name, call in calls_of(units, batch_size).items()}
    least = {name: min(times) for name, times in interleaved(ways, rounds).items()}
    copy = least.pop("copy")
    copies = {name: [least[name] / copy, least[f"{name} back"] / copy] for name in (*ACTIVATIONS, "relu", "prelu")}
    return {"units": units, "batch_size": batch_size, "copy_us": copy, "copies": copies}


def time_products(units: int, batch_size: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Return the milliseconds of both products for one shape, and their errors."""
    task = Task((units, units), batch_size, "sgd")
    multiply = {"numpy": np.matmul, "kernels": kernels.product}
    sides = {name: MatrixProducts(task, each, with_gaps_between_rows) for name, each in multiply.items()}
    threads = choose_plan(task.flops).threads

    def measure(side: MatrixProducts, steps: int) -> float:
        side.train(np.zeros(1, np.int64))
        return seconds_of(lambda: side.train(np.zeros(steps, np.int64))) / steps

    with blas_threads(threads), kernels.shared_threads():
        steps = max(1, round(seconds / measure(sides["numpy"], 3)))
        times = interleaved({name: partial(measure, side, steps) for name, side in sides.items()}, rounds)
    milliseconds = {name: 1000 * statistics.median(each) for name, each in times.items()}
    return {
        "units": units,
        "batch_size": batch_size,
        "threads": threads,
        **milliseconds,
        "ratio": ratio(times["numpy"], times["kernels"]).median,
        "gflops": task.flops / milliseconds["kernels"] / 1e6,
        **{f"{name}_error": error_of(each, units, batch_size) for name, each in multiply.items()},
    }


def with_gaps_between_rows(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Return memory for an array, as layers and networks lay it out."""
    return padded_view(np.empty(gapped_size(shape), dtype), shape)


def error_of(multiply: Callable[..., Any], units: int, batch_size: int) -> float:
    """Return how far a product of normally distributed numbers is from the exact one, relative to it."""
    draw = np.random.default_rng(0)
    x, W = (draw.standard_normal((rows, units), np.float32) for rows in (batch_size, units))
    exact = x.astype(np.float64) @ W.astype(np.float64)
    rounded = np.empty((batch_size, units), np.float32)
    multiply(x, W, rounded)
    return float(np.linalg.norm(rounded - exact) / np.linalg.norm(exact))


def lines_of(activations: list[dict[str, Any]], products: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the tables."""
    for each in activations:
        yield f"{each['batch_size']} x {each['units']}, copy {each['copy_us']:.1f} us"
        yield f"{'':<12}{'forward, copies':>16}{'back, copies':>14}"
        yield from (f"{name:<12}{forward:>16.1f}{back:>14.1f}" for name, (forward, back) in each["copies"].items())
        yield ""
    yield f"{'H':>4} {'B':>5} {'threads':>8} {'NumPy':>11} {'kernels':>11} {'ratio':>6} {'GFLOP/s':>8} errors"
    for each in products:
        yield (
            f"{each['units']:>4} {each['batch_size']:>5} {each['threads']:>8} {each['numpy']:>8.3f} ms "
            f"{each['kernels']:>8.3f} ms {each['ratio']:>6.2f} {each['gflops']:>8.0f} "
            f"{each['numpy_error']:.1e} {each['kernels_error']:.1e}"
        )


def main() -> None:
    """Time every kernel and print the results."""
    parser = parser_of(__doc__, rounds=25)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a turn of products (default: %(default)s)")
    options = parser.parse_args()
    activations = [time_activations(*array, repeats, options.rounds) for array, repeats in ARRAYS.items()]
    products = [time_products(*shape, options.rounds, options.seconds) for shape in SHAPES]
    print_report(options, {"activations": activations, "products": products}, lines_of(activations, products))


if __name__ == "__main__":
    main()

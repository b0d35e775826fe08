"""Times activations: their kernels against a copy of the array, and training steps with them against steps with Relu.

    python benchmarks/activations.py [--kernels | --steps] [--rounds N] [--threads N]

A kernel's time is that of one call on an array of a hidden layer, beside copying that array; it is on one thread, warm
in cache, the least of many. A first array is so large that it comes from memory. Steps train 784-H-H-10 on MNIST with
each activation in both hidden layers, or with Relu and another layer after it. The networks take turns, a few steps at
a time, and a ratio is that of the least times, so that other load matters little.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine
from step import SPEC, Data, StepClock

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove
from mlpkit.training.loop import Trainer
from mlpkit.training.workers import blas_threads, choose_plan
from mlpkit_plugins import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES: Final = [(256, 256), (50, 1000)]
"""Units of a hidden layer and examples of a minibatch."""

STEPS: Final = 5
"""Steps of a turn."""

PARAMETERS: Final[dict[str, tuple[float, ...]]] = {"elu": (1.0,), "leaky_relu": (0.01,)}
KERNELS: Final = ("sigmoid", "tanh", "softplus", "gelu", "silu", "mish", "selu", "elu", "leaky_relu")
BEYOND_CACHE: Final = (4096, 4096)
"""Units and examples whose arrays lie in memory, and not in the processor's caches."""

COPIES: Final = 1.5
"""Most that a kernel may take, in times of a copy."""

LAYERS: Final[dict[str, tuple[Any, float]]] = {
    **{
        name: (name, 1.2)
        for name in ("Sigmoid", "Tanh", "LeakyRelu", "Prelu", "Elu", "Selu", "Gelu", "Silu", "Mish", "Softplus")
    },
    "Parametric Mish": ({"Parametric": {"activation": "Mish"}}, 1.2),
    **{name: ({"Sequence": {"layers": ["Relu", name]}}, 1.4) for name in ("Dropout", "BatchNorm", "LayerNorm")},
}
"""What takes the place of Relu, and the most that a step may take then, in times of Relu's."""


class Side:
    """A network to be timed.

    Args:
        data: the data set, opened.
        layer: what takes the place of each Relu.
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
    """

    def __init__(self, data: Data, layer: Any, hidden: int, batch_size: int) -> None:
        overrides = {"layers.Affine1.units": hidden, "layers.Affine2.units": hidden, "training.batch_size": batch_size}
        if layer != "Relu":
            overrides |= {"layers.Relu1": layer, "layers.Relu2": layer}
        self.spec = mlpkit.load_spec(SPEC, overrides=overrides)
        proved = prove(self.spec)
        self.description, self.train = proved.description, data.train
        self.threads = choose_plan(proved.proof.flops * batch_size).threads
        self.network = build_for(self.spec, proved.proof)

    def seconds(self) -> float:
        """Train for a turn, and return how long a step took."""
        clock = StepClock()
        section = replace(self.spec.training, iterations=STEPS, evaluate_every=STEPS, checkpoint=None)
        Trainer(self.network, {"train": self.train}, self.description, section, observer=clock).train()
        return clock.seconds / STEPS


def least(calls: dict[str, Callable[[], object]], rounds: int, repeats: int) -> dict[str, float]:
    """Return the microseconds of each call, the least over the rounds, in which the calls take turns."""
    times = dict.fromkeys(calls, inf)
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(repeats):
                call()
            times[name] = min(times[name], (time.perf_counter() - began) / repeats * 1e6)
    return times


def calls_of_kernels(hidden: int, batch_size: int) -> dict[str, Callable[[], object]]:
    """Return a call of each kernel, by its name, and a copy."""
    x = np.random.default_rng(0).normal(0, 2, (batch_size, hidden)).astype(np.float32)
    dy, out, products, slope = np.ones_like(x), np.empty_like(x), np.empty_like(x), x[0].copy()
    calls: dict[str, Callable[[], object]] = {"copy": partial(np.copyto, out, x)}
    for name in KERNELS:
        parameters = PARAMETERS.get(name, ())
        calls[name] = partial(getattr(kernels, name), x, *parameters, out)
        calls[f"{name} back"] = partial(getattr(kernels, f"{name}_gradient"), dy, x, *parameters, out)
    calls["relu"] = partial(kernels.rectify, x, out)
    calls["relu back"] = partial(kernels.keep_where_positive, dy, x, out)
    calls["prelu"] = partial(kernels.prelu, x, slope, out)
    calls["prelu back"] = partial(kernels.prelu_gradient, dy, x, slope, products, out)
    return calls


def time_kernels(hidden: int, batch_size: int, rounds: int, repeats: int = 20) -> None:
    """Time each kernel and print the results."""
    times = least(calls_of_kernels(hidden, batch_size), rounds, repeats)
    copy = times.pop("copy")
    print(f"\nkernels, {batch_size} x {hidden}, copy {copy:.1f} us, limit {COPIES} copies")
    print(f"{'':<16}{'forward':>12}{'copies':>8}{'backward':>12}{'copies':>8}")
    for name in (*KERNELS, "relu", "prelu"):
        forward, backward = times[name], times[f"{name} back"]
        print(f"{name:<16}{forward:>12.1f}{forward / copy:>8.1f}{backward:>12.1f}{backward / copy:>8.1f}")


def time_steps(data: Data, hidden: int, batch_size: int, rounds: int, threads: int | None) -> None:
    """Time a step with each layer and print the results."""
    sides = {"Relu": Side(data, "Relu", hidden, batch_size)}
    sides |= {name: Side(data, layer, hidden, batch_size) for name, (layer, _) in LAYERS.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    threads = threads or sides["Relu"].threads
    with blas_threads(threads):
        for _ in range(rounds):
            for name, side in sides.items():
                times[name].append(side.seconds())
    relu = min(times["Relu"])
    print(f"\nsteps, H {hidden}, B {batch_size}, threads {threads}, Relu {relu * 1000:.3f} ms")
    for name, (_, limit) in LAYERS.items():
        ratio = min(times[name]) / relu
        print(f"{name:<16}{ratio:>8.2f}   limit {limit}   {'met' if ratio <= limit else 'MISSED'}")


def main() -> None:
    """Time every shape and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--kernels", action="store_true", help="only the kernels")
    parser.add_argument("--steps", action="store_true", help="only the steps")
    parser.add_argument("--rounds", type=int, default=25, help="turns of each side (default: 25)")
    parser.add_argument("--threads", type=int, help="threads of a step (default: those of its plan)")
    options = parser.parse_args()
    print(heading(machine()))
    data = None if options.kernels else Data()
    if not options.steps:
        time_kernels(*BEYOND_CACHE, options.rounds // 5, repeats=1)
    for hidden, batch_size in SHAPES:
        if not options.steps:
            time_kernels(hidden, batch_size, options.rounds)
        if data is not None:
            time_steps(data, hidden, batch_size, options.rounds, options.threads)


if __name__ == "__main__":
    main()

"""Times activations: their kernels against a copy of the array, and training steps with them against steps with Relu.

    python benchmarks/activations.py [--kernels | --steps] [--rounds N] [--threads N]

A kernel's time is that of one call on an array of a hidden layer, beside copying that array; it is on one thread, warm
in cache, the least of many. Steps train 784-H-H-10 on MNIST with each activation in both hidden layers, or with Relu
and another layer after it. The networks take turns, a few steps at a time, and a ratio is that of the least times, so
that other load matters little.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine
from step import SPEC, Data, StepClock

import mlpkit
from mlpkit.jobs.build import build_for, prove
from mlpkit.jobs.training_job import settings_of
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
        settings = replace(settings_of(self.spec), iterations=STEPS, evaluate_every=STEPS)
        Trainer(self.network, {"train": self.train}, self.description, settings, observer=clock).train()
        return clock.seconds / STEPS


def least(call: Callable[[], object], rounds: int, calls: int = 50) -> float:
    """Return the microseconds of a call, the least over the rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - began) / calls)
    return min(times) * 1e6


def time_kernels(hidden: int, batch_size: int, rounds: int) -> None:
    """Time each kernel and print the results."""
    x = np.random.default_rng(0).normal(0, 2, (batch_size, hidden)).astype(np.float32)
    dy, out = np.ones_like(x), np.empty_like(x)
    copy = least(lambda: np.copyto(out, x), rounds)
    print(f"\nkernels, {batch_size} x {hidden}, copy {copy:.1f} us")
    print(f"{'':<32}{'forward':>12}{'copies':>8}{'backward':>10}{'copies':>8}")
    for name in KERNELS:
        function, gradient = getattr(kernels, name), getattr(kernels, f"{name}_gradient")
        parameters = PARAMETERS.get(name, ())
        forward = least(lambda f=function, p=parameters: f(x, *p, out), rounds)  # type: ignore[misc]
        backward = least(lambda g=gradient, p=parameters: g(dy, x, *p, out), rounds)  # type: ignore[misc]
        print(f"{name:<32}{forward:>12.1f}{forward / copy:>8.1f}{backward:>10.1f}{backward / copy:>8.1f}")


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
    for hidden, batch_size in SHAPES:
        if not options.steps:
            time_kernels(hidden, batch_size, options.rounds)
        if data is not None:
            time_steps(data, hidden, batch_size, options.rounds, options.threads)


if __name__ == "__main__":
    main()

"""A training step with each activation, with dropout, and with a normalization, beside PyTorch's and JAX's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import targets
from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import JAX, OURS, PYTORCH
from contestants.task import Task

from workloads.steps import time_steps

if TYPE_CHECKING:
    from bench import Bench

SHAPES: Final = ((256, 256), (50, 1000))
"""Units of each hidden layer and examples of a minibatch."""
ACTIVATIONS: Final = ("Relu", "LeakyRelu", "Elu", "Selu", "Silu", "Mish", "Gelu", "Softplus", "Sigmoid", "Tanh")
AFTER_RELU: Final = ("Dropout", "BatchNorm", "LayerNorm")
"""What comes after Relu in networks that JAX, which has no layers, leaves to PyTorch."""


def activations(bench: Bench) -> list[Comparison]:
    """Compare steps of plain gradient descent by what comes after their affine layers."""
    with_jax = [(name,) for name in ACTIVATIONS]
    without = [("Prelu",), *(("Relu", name) for name in AFTER_RELU)]
    return [
        activation_comparison(bench, hidden, batch_size, after, against_jax=after in with_jax)
        for hidden, batch_size in SHAPES
        for after in [*with_jax, *without]
    ]


def activation_comparison(
    bench: Bench, hidden: int, batch_size: int, after: tuple[str, ...], *, against_jax: bool
) -> Comparison:
    """Compare a step of 784-H-H-10.

    Args:
        bench: the options.
        hidden: units of each hidden layer, H.
        batch_size: examples of a minibatch.
        after: what comes after each hidden affine layer.
        against_jax: JAX takes part as well.
    """
    title = f"step with {' and '.join(after)}, 784-{hidden}-{hidden}-10, minibatches of {batch_size}"
    say(f"{title} ...")
    known = (PYTORCH, JAX) if against_jax else (PYTORCH,)
    entries = [OURS, *(entry for entry in bench.peers if entry in known)]
    measured = time_steps(bench, Task((hidden, hidden), batch_size, "sgd", after=after), entries, rounds=bench.rounds())
    about = {"hidden": hidden, "batch_size": batch_size, "after": list(after)}
    compared = Comparison(
        "activations", title, "s", figures_of(measured, "seconds"), about, failures=failures_of(measured)
    )
    pytorch, jax = targets.ACTIVATION_AGAINST_PYTORCH, targets.ACTIVATION_AGAINST_JAX
    compared.ask_ratio(compared.figure("pytorch"), pytorch, "PyTorch eager / mlpkit")
    compared.ask_ratio(compared.figure("jax"), jax, "JAX / mlpkit")
    return compared

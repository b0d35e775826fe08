"""JAX, a whole step in one ``jax.jit``, and the base of contestants that use JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from contestants.contestant import Arrays, Contestant, check_loss
from contestants.task import BETA1, BETA2, EPSILON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contestants.task import Task

Activation = Callable[[jax.Array], jax.Array]
ACTIVATIONS: Final[dict[str, Activation]] = {
    "Relu": lambda x: jnp.maximum(x, 0),
    "LeakyRelu": jax.nn.leaky_relu,
    "Elu": jax.nn.elu,
    "Selu": jax.nn.selu,
    "Silu": jax.nn.silu,
    "Mish": jax.nn.mish,
    "Gelu": partial(jax.nn.gelu, approximate=False),
    "Softplus": jax.nn.softplus,
    "Sigmoid": jax.nn.sigmoid,
    "Tanh": jnp.tanh,
}
"""JAX's activations, by the names of mlpkit's layers."""


class OnJax(Contestant):
    """Trains with a compiled step that returns its state, the parameters first, and the loss.

    The loss of a step is read while the next one runs: waiting for it immediately would leave the processor idle.
    """

    data: tuple[jax.Array, jax.Array]
    state: Any
    step: Callable[..., tuple[Any, jax.Array]]

    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Take a step on each minibatch."""
        previous = None
        for rows in minibatches.astype(np.int32):
            self.state, loss = self.step(self.state, *self.data, rows)
            if previous is not None:
                check_loss(float(previous))
            previous = loss
        if previous is not None:
            check_loss(float(previous))
            jax.block_until_ready(self.state)

    def parameters(self) -> list[NDArray[np.float32]]:
        """Return the parameters."""
        return [np.asarray(value) for value in self.state[0]]


class JaxJit(OnJax):
    """Gathers, computes loss and gradient, and updates in one compiled function, whose old parameters are donated."""

    def __init__(self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: Arrays) -> None:
        (activation,) = task.after
        self.activate = ACTIVATIONS[activation]
        self.data = (jnp.asarray(images), jnp.asarray(labels, jnp.int32))
        values = [jnp.array(array) for array in parameters]
        update, slots = (sgd, 0) if task.optimizer == "sgd" else (adam, 2)
        moments = [[jnp.zeros_like(value) for value in values] for _ in range(slots)]
        self.state: Any = (values, moments, jnp.zeros((), jnp.int32))
        self.step = jax.jit(
            partial(step, activate=self.activate, update=partial(update, learning_rate=task.learning_rate)),
            donate_argnames="state",
        )
        self.probabilities = jax.jit(partial(probabilities, activate=self.activate))

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        return np.asarray(self.probabilities(self.state[0], x))


def logits(values: list[jax.Array], x: jax.Array, activate: Activation) -> jax.Array:
    """Return what goes into the softmax."""
    for W, b in zip(values[:-2:2], values[1:-2:2], strict=True):
        x = activate(x @ W + b)
    return x @ values[-2] + values[-1]


def mean_loss(values: list[jax.Array], x: jax.Array, t: jax.Array, activate: Activation) -> jax.Array:
    """Return the mean cross-entropy."""
    scores = logits(values, x, activate)
    at_target = jnp.take_along_axis(scores, t[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - at_target)


def minibatch(images: jax.Array, labels: jax.Array, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return pixels between 0 and 1, and classes, of the examples at these positions."""
    x = images.at[rows].get(mode="promise_in_bounds").astype(jnp.float32) * (1 / 255)
    return x, labels.at[rows].get(mode="promise_in_bounds")


def step(
    state: Any, images: jax.Array, labels: jax.Array, rows: jax.Array, *, activate: Activation, update: Any
) -> tuple[Any, jax.Array]:
    """Return parameters, moments and steps done after a step, and its loss."""
    values, moments, done = state
    loss, gradients = jax.value_and_grad(mean_loss)(values, *minibatch(images, labels, rows), activate)
    done = done + 1
    values, moments = update(values, gradients, moments, done)
    return (values, moments, done), loss


def sgd(values: Any, gradients: Any, moments: Any, done: jax.Array, *, learning_rate: float) -> tuple[Any, Any]:
    """Move every parameter down its gradient."""
    return [value - learning_rate * gradient for value, gradient in zip(values, gradients, strict=True)], moments


def adam(values: Any, gradients: Any, moments: Any, done: jax.Array, *, learning_rate: float) -> tuple[Any, Any]:
    """Move every parameter by Adam's rule."""
    first, second = moments
    first = [BETA1 * m + (1 - BETA1) * gradient for m, gradient in zip(first, gradients, strict=True)]
    second = [BETA2 * v + (1 - BETA2) * gradient * gradient for v, gradient in zip(second, gradients, strict=True)]
    length = learning_rate / (1 - BETA1**done)
    correction = 1 / (1 - BETA2**done)
    values = [
        value - length * m / (jnp.sqrt(v * correction) + EPSILON)
        for value, m, v in zip(values, first, second, strict=True)
    ]
    return values, [first, second]


def probabilities(values: list[jax.Array], x: jax.Array, *, activate: Activation) -> jax.Array:
    """Return the probability of each class."""
    return jax.nn.softmax(logits(values, x, activate), axis=1)

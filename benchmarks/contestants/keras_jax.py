"""Keras on JAX, with a compiled training step of its stateless functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

from contestants.jax_jit import OnJax, minibatch
from contestants.task import BETA1, BETA2, EPSILON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contestants.contestant import Arrays
    from contestants.task import Task


class KerasJax(OnJax):
    """A ``Sequential`` of ``Dense``, trained as Keras's guide for JAX says, which is faster than ``fit``."""

    def __init__(self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: Arrays) -> None:
        self.data = (jnp.asarray(images), jnp.asarray(labels, jnp.int32))
        layers = [keras.layers.Dense(units, activation="relu") for units in task.hidden]
        network = keras.Sequential([keras.Input((task.widths[0],)), *layers, keras.layers.Dense(task.widths[-1])])
        network.set_weights(parameters)
        optimizer = optimizer_of(task)
        optimizer.build(network.trainable_variables)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        def mean_loss(values: Any, others: Any, x: jax.Array, t: jax.Array) -> tuple[jax.Array, Any]:
            scores, others = network.stateless_call(values, others, x, training=True)
            return loss_of(t, scores), others

        def step(state: Any, images: jax.Array, labels: jax.Array, rows: jax.Array) -> tuple[Any, jax.Array]:
            values, others, slots = state
            gradient_of = jax.value_and_grad(mean_loss, has_aux=True)
            (loss, others), gradients = gradient_of(values, others, *minibatch(images, labels, rows))
            values, slots = optimizer.stateless_apply(slots, gradients, values)
            return (values, others, slots), loss

        def probabilities(values: Any, others: Any, x: jax.Array) -> jax.Array:
            scores, _ = network.stateless_call(values, others, x, training=False)
            return keras.ops.softmax(scores)

        self.step = jax.jit(step, donate_argnums=0)
        self.probabilities = jax.jit(probabilities)
        variables = (network.trainable_variables, network.non_trainable_variables, optimizer.variables)
        self.state: Any = tuple([jnp.array(variable.value) for variable in group] for group in variables)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        values, others, _ = self.state
        return np.asarray(self.probabilities(values, others, x))


def optimizer_of(task: Task) -> keras.optimizers.Optimizer:
    """Return the task's optimizer."""
    if task.optimizer == "sgd":
        return keras.optimizers.SGD(task.learning_rate)
    return keras.optimizers.Adam(task.learning_rate, beta_1=BETA1, beta_2=BETA2, epsilon=EPSILON)

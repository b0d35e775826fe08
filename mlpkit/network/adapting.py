"""First values that are adapted to a batch of inputs, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from typing import Any

from numpy.typing import ArrayLike

from mlpkit.array import Array
from mlpkit.components.initializer import Initializer
from mlpkit.components.operation import Operation, own_parameters
from mlpkit.components.parameter import Parameter
from mlpkit.components.randomness import keyed_generator
from mlpkit.network.component_errors import check_first_values, component_errors
from mlpkit.network.contexts import replaced_methods
from mlpkit.network.sequential import Sequential


def seeing_parameters(layers: Iterable[Operation]) -> list[str]:
    """Return the paths of the parameters whose initializers see data."""
    declared = (parameter for layer in layers for parameter in layer.declared_parameters())
    return [
        each.path for each in declared if isinstance(each.initializer, Initializer) and each.initializer.sees_inputs
    ]


def adapt(network: Sequential, x: ArrayLike, parameters: Collection[str] | None = None) -> None:
    """Adapt first values to a batch of inputs, layer by layer, if their initializers see data.

    ``mlpkit.run`` and ``mlpkit.fit`` do so before the first step, with up to 1,000 training rows in random order; the
    ``fit`` of a network trains the parameters that it has. Each layer is adapted to what the layers before it return
    without dropout, as in evaluation, but batch normalization has the statistics of the batch, as in training; state,
    such as running means, doesn't change.

    Args:
        network: the network.
        x: inputs, encoded as in training, shape (rows, *input_shape).
        parameters: names of the parameters to adapt; by default all those whose initializers see data.

    Raises:
        UsageError: ``encoder`` finds that the inputs plainly aren't encoded.
        ShapeError: the inputs have another shape.
        ComponentFailure: an initializer failed.
    """
    seeing = seeing_parameters(network.layers)
    chosen = seeing if parameters is None else [path for path in seeing if path in parameters]
    inputs, replica = network._inputs(x), network.replicas[0]
    with network._turn, network.computing(), ExitStack() as stack:
        state = replica.state.copy()
        replica.position.step = 0
        for layer in replica.operations():
            layer.training = layer.couples_examples and not layer._frozen
            own = [parameter for parameter in own_parameters(layer) if parameter.path in chosen]
            if own:
                stack.enter_context(replaced_methods(layer, forward=_adapting(layer, own, network.seed)))
        replica.forward(inputs)
        replica.state[...] = state


def _adapting(layer: Any, parameters: list[Parameter], seed: int) -> Callable[[Array], Array]:
    """Return a ``forward`` that adapts parameters to the inputs of its first call."""
    forward, waiting = layer.forward, list(parameters)

    def adapting_forward(x: Array) -> Array:
        while waiting:
            _adapt(waiting.pop(0), forward, x, seed)
        y: Array = forward(x)
        return y

    return adapting_forward


def _adapt(parameter: Parameter, forward: Callable[[Array], Array], x: Array, seed: int) -> None:
    def outputs(values: Array) -> Array:
        parameter.value[...] = values
        return forward(x).copy()

    generator = keyed_generator(seed, "adapted", parameter.path)
    initializer: Initializer = parameter.initializer  # type: ignore[assignment]  # the proof has built it
    with component_errors(f"the initializer of {parameter.path} failed in adapt"):
        values = initializer.adapt(parameter.value.copy(), outputs, parameter.unit_axis, generator)
    parameter.value[...] = check_first_values(parameter, values)

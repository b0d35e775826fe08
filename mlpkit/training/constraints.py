"""Constraints: what parameters must satisfy after each step."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlpkit.components.operation import own_parameters
from mlpkit.network.component_errors import component_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from mlpkit.components.parameter import Parameter
    from mlpkit.network.sequential import Sequential

Update: TypeAlias = "Callable[[float, int], None]"
"""Takes a step, from the learning rate and the number of the step."""


def constrained(update: Update, network: Sequential, max_weight_norm: Mapping[str, float]) -> Update:
    """Return an update that is followed by the constraints of layers and by limits of norms, if there are any.

    Args:
        update: takes a step.
        network: the network; its arrays stay where they are, and frozen layers are left alone.
        max_weight_norm: the longest that the incoming weights of a unit may be, by the parameter's path or a pattern,
            the last that matches counting.
    """
    constraints = list(_constraints(network, max_weight_norm))
    if not constraints:
        return update

    def constrained_update(learning_rate: float, step: int) -> None:
        update(learning_rate, step)
        for constrain in constraints:
            constrain()

    return constrained_update


def _constraints(network: Sequential, max_weight_norm: Mapping[str, float]) -> Iterator[Callable[[], None]]:
    for operation in network.replicas[0].operations():
        for parameter in own_parameters(operation) if operation.needs_parameter_gradients else ():
            if parameter.constraint is not None:
                yield partial(_constrain, parameter.constraint, parameter)
            limits = [limit for pattern, limit in max_weight_norm.items() if fnmatchcase(parameter.path, pattern)]
            if limits:
                yield partial(limit_norms, parameter, limits[-1])


def _constrain(constraint: Callable[[NDArray[Any]], None], parameter: Parameter) -> None:
    with component_errors(f"the constraint of {parameter.path} failed"):
        constraint(parameter.value)


def limit_norms(parameter: Parameter, limit: float) -> None:
    """Shorten the incoming weights w of each unit that are longer than the limit, w = w min(1, limit / ‖w‖).

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: A Simple Way to Prevent Neural
        Networks from Overfitting (2014), section 5.1.

    Args:
        parameter: the weights; its unit axis counts the units.
        limit: the longest that the weights of a unit may be.
    """
    weights = np.moveaxis(parameter.value, parameter.unit_axis, -1)
    lengths = np.sqrt(np.square(weights).sum(axis=tuple(range(weights.ndim - 1))))
    if (lengths > limit).any():
        weights *= limit / np.maximum(lengths, limit)

"""Weights that take the place of those of the last step, for an evaluation or for good."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.callback import Weights
from mlpkit.network.component_errors import component_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.network.sequential import Sequential


def weights_of(network: Sequential) -> Weights:
    """Return a network's parameters and layers' state; to write into them changes the network."""
    return Weights(network.values, network.replicas[0].state)


def replace_weights(live: Weights, stand_in: Weights) -> None:
    """Write weights into those of a network.

    Args:
        live: what ``weights_of`` returned.
        stand_in: what takes their place.

    Raises:
        ComponentFailure: the arrays are not of the same size.
    """
    with component_errors("a callback's stand_in can't take the place of the weights"):
        for array, other in zip(live, stand_in, strict=True):
            np.copyto(array, np.reshape(other, array.shape))


@contextmanager
def swapped_weights(live: Weights, stand_in: Weights | None) -> Iterator[None]:
    """Put weights in the place of a network's for the time of a block.

    Args:
        live: what ``weights_of`` returned.
        stand_in: what takes their place; None for nothing.
    """
    if stand_in is None:
        yield
        return
    trained = live.copy()
    replace_weights(live, stand_in)
    try:
        yield
    finally:
        replace_weights(live, trained)

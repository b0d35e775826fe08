"""Finding where numbers stopped being finite, once something is known to be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.network.sequential import Sequential


def is_finite(network: Sequential, slots: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all that training has changed so far is finite: parameters, layers' state, the optimizer's slots."""
    flat = (network.values, network.replicas[0].state, *slots.values())
    return all(bool(np.isfinite(array).all()) for array in flat)


def arrays_not_finite(network: Sequential, slots: Mapping[str, NDArray[Any]]) -> list[str]:
    """Say which arrays are not finite, and how much of each; parameters first, those next to the loss before others.

    A gradient goes from the loss back through the layers, and what is wrong with it goes the same way.
    """
    layout = network.layout
    named = {f"the parameter {path}": array for path, array in reversed(list(network.parameters.items()))}
    named |= {f"the state {path}": array for path, array in network.states.items()}
    for slot, flat in slots.items():
        named |= {f"the slot {slot} of {path}": layout.view(flat, path) for path in reversed(list(network.parameters))}
    found = []
    for name, array in named.items():
        bad = array.size - int(np.isfinite(array).sum())
        if bad:
            found.append(f"{name} ({bad:,} of {array.size:,} values)")
    return found


def origin_of_loss(network: Sequential, x: NDArray[Any], t: NDArray[Any]) -> str:
    """Say where, on the way from a minibatch to its loss, the first number is not finite.

    Args:
        network: the network, as it was when the loss was computed.
        x: the minibatch's inputs.
        t: its targets.
    """
    if not np.isfinite(x).all():
        return f"the inputs of the minibatch, in {_rows(x)}"
    if t.dtype.kind == "f" and not np.isfinite(t).all():
        return f"the targets of the minibatch, in {_rows(t)}"
    replica = network.replicas[0]
    replica.position.forwards += 1  # the layers draw the random numbers of this step again
    for layer in replica.layers:
        x = layer.forward(x)
        if not np.isfinite(x).all():
            return f"the output of {layer.path} ({layer.type_name}), in {_rows(x)}"
    return f"the loss {replica.loss.path} ({replica.loss.type_name}) itself"


def _rows(values: NDArray[Any]) -> str:
    bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    return f"row {bad[0]}" if len(bad) == 1 else f"{len(bad)} of {len(values)} rows, the first of them row {bad[0]}"

"""Refusing numbers that are not finite, and finding where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np

from mlpkit.array import Array
from mlpkit.errors import DivergenceError
from mlpkit.network.contexts import all_of
from mlpkit.network.sequential import Sequential
from mlpkit.training.update import Slot


def is_finite(network: Sequential, slots: Mapping[str, Slot]) -> bool:
    """Whether all that training has changed so far is finite: parameters, layers' state, the optimizer's slots."""
    flat = (network.values, network.replicas[0].state, *(slot.flat for slot in slots.values()))
    return all(bool(np.isfinite(array).all()) for array in flat)


_NAMED = 3


def _not_finite(network: Sequential, slots: Mapping[str, Slot]) -> str:
    """Name the first few arrays that are not finite, with the verb; empty if all are finite.

    Parameters are first, those next to the loss before others: a gradient goes from the loss back through the layers,
    and what is wrong with it goes the same way.
    """
    if is_finite(network, slots):
        return ""
    named = {f"the parameter {path}": array for path, array in reversed(list(network.parameters.items()))}
    named |= {f"the state {path}": array for path, array in network.states.items()}
    backwards = list(network.parameters)[::-1]
    for name, slot in slots.items():
        named |= {f"the slot {name} of {path}": array for path, array in slot.views(backwards).items()}
    found = []
    for name, array in named.items():
        bad = array.size - int(np.isfinite(array).sum())
        if bad:
            found.append(f"{name} ({bad:,} of {array.size:,} values)")
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(found[:_NAMED])}{more} {'is' if len(found) == 1 else 'are'}"


def _origin_of_loss(network: Sequential, x: Array, t: Array) -> str:
    """Return where, on the way from a minibatch to its loss, the first number is not finite."""
    if not np.isfinite(x).all():
        return f"the inputs of the minibatch, in {_rows(x)}"
    if t.dtype.kind == "f" and not np.isfinite(t).all():
        return f"the targets of the minibatch, in {_rows(t)}"
    replica = network.replicas[0]
    replica.position.forwards += 1  # the layers draw the random numbers of this step again
    with all_of(replica.step_contexts):
        for layer in replica.layers:
            x = layer.forward(x)
            if not np.isfinite(x).all():
                return f"the output of {layer.path} ({layer.type_name}), in {_rows(x)}"
    return f"the loss {replica.loss.path} ({replica.loss.type_name}) itself"


def _rows(values: Array) -> str:
    bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    return f"row {bad[0]}" if len(bad) == 1 else f"{len(bad)} of {len(values)} rows, the first of them row {bad[0]}"


def without_warnings() -> np.errstate:
    """Return a context in which NumPy stays quiet: a separate check finds losses that are not finite."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def refuse_loss(loss: float, step: int, learning_rate: float, network: Sequential, x: Array, t: Array) -> NoReturn:
    """Raise ``DivergenceError``, which names the first number that isn't finite on the way to a loss.

    The parameters are still those before the step, which is numbered from 1; the learning rate is that of the step
    before.
    """
    found = f"training diverged: the loss of step {step} is {_name(loss)}."
    if wrong := _not_finite(network, {}):
        raise DivergenceError(
            f"{found} Before that, {wrong} no longer finite: the update of step {step - 1}, or an earlier one, "
            f"overflowed. {_remedy(learning_rate)}"
        )
    raise DivergenceError(
        f"{found} The first value that isn't finite is {_origin_of_loss(network, x, t)}. The parameters were left as "
        f"they were before that step. {_remedy(learning_rate)}"
    )


def require_finite(network: Sequential, slots: Mapping[str, Slot], step: int, learning_rate: float) -> None:
    """Raise ``DivergenceError`` if parameters, state or slots aren't finite, before they are written anywhere."""
    if wrong := _not_finite(network, slots):
        raise DivergenceError(
            f"training diverged: after step {step}, {wrong} no longer finite. {_remedy(learning_rate)}"
        )


def require_finite_model(network: Sequential, file: Path) -> None:
    """Raise ``DivergenceError`` if a parameter or a state of a trained network isn't finite."""
    if wrong := _not_finite(network, {}):
        raise DivergenceError(f"{file}: can't be used: {wrong} not finite; train again, with a lower learning rate")


def require_finite_losses(results: Mapping[str, Mapping[str, float]], step: int, learning_rate: float) -> None:
    """Raise ``DivergenceError`` if a loss of an evaluation isn't finite; the parameters are unchanged."""
    for split, values in results.items():
        if not math.isfinite(values["loss"]):
            raise DivergenceError(
                f"training diverged: after step {step} the {split} loss is {_name(values['loss'])}. "
                f"{_remedy(learning_rate)}"
            )


def _remedy(learning_rate: float) -> str:
    weights_or_data = "smaller initial weights, or check the data for values out of scale"
    return f"Try a learning rate below {learning_rate:g}, {weights_or_data}"


def _name(loss: float) -> str:
    return "not a number" if math.isnan(loss) else "infinite"

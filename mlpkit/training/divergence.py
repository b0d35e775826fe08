"""Noticing that numbers are no longer finite, before they are written anywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from mlpkit.errors import DivergenceError
from mlpkit.training.divergence_origin import arrays_not_finite, is_finite, origin_of_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.network.sequential import Sequential

_NAMED = 3


def without_warnings() -> np.errstate:
    """Return a context in which NumPy stays quiet: a loss that is not finite is noticed by a check of its own."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def refuse_loss(
    loss: float, step: int, learning_rate: float, network: Sequential, x: NDArray[Any], t: NDArray[Any]
) -> NoReturn:
    """End a run whose loss is not finite.

    Args:
        loss: the loss.
        step: number of the step that found it, from 1.
        learning_rate: the learning rate of the step before, or of this one if it is the first.
        network: the network; its parameters are still those before this step.
        x: inputs of the step.
        t: their targets.

    Raises:
        DivergenceError: always; it says where the first number is not finite.
    """
    found = f"training diverged: the loss of step {step} is {_name(loss)}."
    wrong = arrays_not_finite(network, {})
    if wrong:
        raise DivergenceError(
            f"{found} Before that, {_listed(wrong)} not finite any more: the update of step {step - 1} overflowed, or "
            f"an earlier one. {_remedy(learning_rate)}"
        )
    raise DivergenceError(
        f"{found} What is not finite first is {origin_of_loss(network, x, t)}. The parameters were left as they were "
        f"before that step. {_remedy(learning_rate)}"
    )


def expect_finite(network: Sequential, slots: Mapping[str, NDArray[Any]], step: int, learning_rate: float) -> None:
    """Make sure that parameters, layers' state and slots are finite; to be called before they are written anywhere.

    Args:
        network: the network.
        slots: the optimizer's slots.
        step: steps done.
        learning_rate: the learning rate of the last step.

    Raises:
        DivergenceError: they are not; it names those that are not, the nearest to the loss first.
    """
    if not is_finite(network, slots):
        wrong = _listed(arrays_not_finite(network, slots))
        raise DivergenceError(
            f"training diverged: after step {step}, {wrong} not finite any more. {_remedy(learning_rate)}"
        )


def expect_finite_losses(figures: Mapping[str, Mapping[str, float]], step: int, learning_rate: float) -> None:
    """Make sure that an evaluation found losses that are numbers.

    Args:
        figures: loss and metrics by split.
        step: steps done.
        learning_rate: the learning rate of the last step.

    Raises:
        DivergenceError: a loss is not finite; the parameters are those that it was found with.
    """
    for split, values in figures.items():
        if not math.isfinite(values["loss"]):
            raise DivergenceError(
                f"training diverged: after step {step} the {split} loss is {_name(values['loss'])}. "
                f"{_remedy(learning_rate)}"
            )


def _listed(wrong: list[str]) -> str:
    """Return the first few of what is wrong, and the verb."""
    more = f", and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return f"{', '.join(wrong[:_NAMED])}{more} {'is' if len(wrong) == 1 else 'are'}"


def _remedy(learning_rate: float) -> str:
    return (
        f"Try a learning rate below {learning_rate:g}, smaller first weights, or check the data for values out of scale"
    )


def _name(loss: float) -> str:
    return "not a number" if math.isnan(loss) else "infinite"

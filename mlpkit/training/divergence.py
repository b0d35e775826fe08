"""Noticing that a loss is no longer a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from mlpkit.errors import DivergenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REMEDY = "smaller first weights, or check the data for values out of scale"


def without_warnings() -> np.errstate:
    """Return a context in which NumPy stays quiet: a loss that is not finite is noticed by a check of its own."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def refuse_loss(loss: float, step: int, learning_rate: float) -> NoReturn:
    """End a run whose loss is not finite.

    Args:
        loss: the loss.
        step: number of the step that found it, from 1.
        learning_rate: the learning rate of the step before, or of this one if it is the first.

    Raises:
        DivergenceError: always; the parameters are still those before this step.
    """
    raise DivergenceError(
        f"training diverged: the loss of step {step} is {_name(loss)}. The parameters were left as they were before "
        f"that step. Try a learning rate below {learning_rate:g}, {_REMEDY}"
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
                f"Try a learning rate below {learning_rate:g}, {_REMEDY}"
            )


def _name(loss: float) -> str:
    return "not a number" if math.isnan(loss) else "infinite"

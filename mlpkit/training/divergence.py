"""Noticing that a loss is no longer a number."""

from __future__ import annotations

from typing import NoReturn

from mlpkit.errors import DivergenceError


def refuse_loss(loss: float, step: int, learning_rate: float) -> NoReturn:
    """End a run whose loss is not finite.

    Args:
        loss: the loss.
        step: number of the step that found it, from 1.
        learning_rate: the learning rate of the step before, or of this one if it is the first.

    Raises:
        DivergenceError: always; the parameters are still those before this step.
    """
    what = "not a number" if loss != loss else "infinite"  # noqa: PLR0124 - the definition of not-a-number
    raise DivergenceError(
        f"training diverged: the loss of step {step} is {what}. The parameters were left as they were before that "
        f"step. Try a learning rate below {learning_rate:g}, smaller first weights, or check the data for values "
        "out of scale"
    )

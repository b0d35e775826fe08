"""Looking for a learning rate: training while the rate grows, to see where the loss falls and where it explodes."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.callback import Callback, TrainingView
from mlpkit.components.schedule import Progress, Schedule
from mlpkit.errors import DivergenceError, UsageError
from mlpkit.jobs.open_training import only_steps, open_training
from mlpkit.jobs.prove import prove
from mlpkit.jobs.schedules import scale_of_rate
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.training.events import StopRequest
from mlpkit.verbs.tune_rate.rate_range import HIGHEST, LOWEST, STEPS

FEWEST_STEPS: Final = 20

SMOOTHED_OVER: Final = 0.12
"""Powers of ten of the learning rate that a smoothed loss is averaged over: the deviation of a normal curve."""

EXPLODED: Final = 4.0
"""The test ends when the smoothed loss is this many times its minimum; or as far above it, if losses are below 0."""

BOTTOM: Final = 0.02
"""Share of the whole fall that a loss may be above the lowest and be at the bottom; noise decides where in it."""

BELOW_BOTTOM: Final = 3.0
"""How many times lower than where the bottom begins the suggested rate is: half a power of ten."""


@dataclass(frozen=True, repr=False)
class RateTest:
    """What a test of learning rates found.

    Args:
        rates: the learning rate of each step.
        losses: the loss of the minibatch of each step.
        smoothed: the losses, smoothed.
        exploded: whether the loss grew so far that the test ended before the highest rate.
        suggestion: the learning rate to train with.
        bottom_from: the learning rate from which on the loss didn't fall any further.
        key: the key of the spec that the suggestion goes to.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    exploded: bool
    suggestion: float
    bottom_from: float
    key: str

    def __repr__(self) -> str:
        why = f"above {self.bottom_from:.2g}, the loss doesn't fall any further"
        return f"<RateTest of {len(self.rates)} steps: {self.override}; {why}>"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        columns = zip(self.rates, self.losses, self.smoothed, strict=True)
        return {
            "suggestion": self.suggestion,
            "set": self.override,
            "bottom_from": self.bottom_from,
            "exploded": self.exploded,
            "steps": [dict(zip(("learning_rate", "loss", "smoothed"), row, strict=True)) for row in columns],
        }

    @property
    def override(self) -> str:
        """The suggestion, as ``--set`` and ``load_spec(..., overrides=[...])`` take it."""
        return f"{self.key}={self.suggestion:g}"


def tune_rate(
    spec: Spec, *, steps: int = STEPS, lowest: float = LOWEST, highest: float = HIGHEST, stop: StopRequest | None = None
) -> RateTest:
    """Train the network of a spec with a learning rate that grows from step to step, and suggest one.

        rate = lowest (highest / lowest)^(step / (steps - 1))

    The test ends when the smoothed loss is four times its lowest value so far, or isn't finite; of a loss that can be
    below 0, when it is three times the mean size of losses above its lowest. Optimizer, minibatches, augmentation and
    clipping are the spec's; nothing is written.

    The suggestion is a third of the first rate at which the smoothed loss has done 98 % of its fall.
    From there on steps overshoot in some directions as much as they gain in others, and a constant rate needs some room
    for directions that get steeper. Where in that bottom the very lowest loss is, or where a loss falls fastest, moves
    far more with the noise of minibatches.

    Args:
        spec: the spec.
        steps: how many rates to try.
        lowest: the first.
        highest: the last.
        stop: may ask the test to end after the step that it is in.

    Raises:
        UsageError: the argument isn't a Spec, the rates don't grow, the optimizer has no learning rate, or no loss was
            lower than the first.
        SpecShapeError: the layers don't fit each other or the data.
        DataError: a data file is not what it should be.

    Source: Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3.
    """
    require_spec(spec, "tune_rate")
    _require_range(steps, lowest, highest)
    key = _key_of_rate(spec)
    rates, losses = _losses(spec, _Growing(lowest, highest, steps), steps, stop)
    smoothed = _smoothed(rates, losses)
    best = int(np.argmin(smoothed))
    if best == 0:
        raise UsageError(
            f"no learning rate from {lowest:g} up lowers the loss of {smoothed[0]:.4g}; try lower "
            "ones, or look at the data: mlpkit data SPEC"
        )
    bottom = float(rates[np.argmax(smoothed <= smoothed[best] + BOTTOM * (smoothed[0] - smoothed[best]))])
    return RateTest(
        tuple(rates.tolist()),
        tuple(losses.tolist()),
        tuple(smoothed.tolist()),
        exploded=len(rates) < steps,
        suggestion=float(f"{bottom / BELOW_BOTTOM:.2g}"),
        bottom_from=bottom,
        key=key,
    )


class _Growing(Schedule):
    """A learning rate that grows by the same factor each step."""

    def __init__(self, lowest: float, highest: float, steps: int) -> None:
        self._lowest = lowest
        self._factor = (highest / lowest) ** (1 / (steps - 1))

    def __call__(self, progress: Progress) -> float:
        return float(self._lowest * self._factor**progress.step)


class _LossWatch(Callback):
    """Keeps the loss of each step, and ends the training when it has exploded."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self._average, self._lowest, self._sizes = 0.0, math.inf, 0.0

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Keep the loss."""
        self.losses.append(loss)
        kept = 0.8
        self._average = kept * self._average + (1 - kept) * loss
        average = self._average / (1 - kept ** len(self.losses))
        self._lowest = min(self._lowest, average)
        self._sizes += abs(loss)
        size = self._lowest if min(self.losses) >= 0 else self._sizes / len(self.losses)
        if average > self._lowest + (EXPLODED - 1) * size:
            training.stop("the loss exploded")


def _losses(
    spec: Spec, growing: _Growing, steps: int, stop: StopRequest | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train with a growing rate, and return the rate and the loss of each step."""
    proved = prove(spec)
    watch = _LossWatch()
    optimizer = proved.spec.training.optimizer
    optimizer = replace(optimizer, arguments={**optimizer.arguments, "learning_rate": growing})
    section = only_steps(proved.spec.training, optimizer=optimizer, iterations=steps, epochs=None, metrics=())
    with open_training(proved) as training:
        network = training.network()
        trainer = training.trainer(network, section, steps=steps, callbacks=[watch], evaluated=(), stop=stop)
        with suppress(DivergenceError):  # the loss exploded all at once
            trainer.train()
    losses = np.array(watch.losses)
    rates = np.array([growing(Progress(step, 0.0, steps)) for step in range(len(losses))])
    return rates, losses


def _smoothed(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each loss averaged with its neighbours, weighted by a normal curve over the logarithm of the rate."""
    positions = np.log10(rates)
    weights = np.exp(-0.5 * ((positions[:, np.newaxis] - positions) / SMOOTHED_OVER) ** 2)
    return np.asarray(weights @ losses / weights.sum(axis=1))


def _require_range(steps: int, lowest: float, highest: float) -> None:
    numbers = all(isinstance(rate, Real) for rate in (lowest, highest))
    if not numbers or not 0 < lowest < highest < math.inf:
        low, high = (f"{rate:g}" if numbers else repr(rate) for rate in (lowest, highest))
        raise UsageError(
            f"there are no learning rates from {low} to {high}; expected positive rates, the lower one first"
        )
    if not hasattr(steps, "__index__"):
        raise UsageError(f"{steps!r} is not a number of steps; expected an integer, at least {FEWEST_STEPS}")
    if steps < FEWEST_STEPS:
        raise UsageError(f"{steps} steps are too few to see how the loss changes; expected at least {FEWEST_STEPS}")


def _key_of_rate(spec: Spec) -> str:
    """Return the key that sets the learning rate: its schedule's scale, if that has one, or the rate itself."""
    optimizer = spec.training.optimizer
    if "learning_rate" not in optimizer.arguments:
        raise UsageError(f"optimizer {optimizer.name} has no parameter learning_rate, so nothing can be suggested")
    scale = scale_of_rate(optimizer)
    return f"training.optimizer.{optimizer.name}.learning_rate" if scale is None else scale[0]

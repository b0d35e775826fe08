"""The schedule that rises once and falls once."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt

from mlpkit import Progress, Schedule


class OneCycle(Schedule):
    """One cycle over the whole training: a straight line up to the peak, and a straight line down to zero.

        value(step) = peak min(1, (step + 1) / w, (T - step) / (T - w)),  w = warmup T

    where step is the number of steps taken so far, and T the number of steps of the whole training. The last step has
    the value peak / (T - w); the next one would have 0. Early steps are small because the first gradients, and an
    optimizer's averages of them, are poor estimates; late steps are small so that the parameters settle.

    The paper's 1cycle has three straight lines: up from a value above 0, down to it again in as many steps, and in the
    remaining steps down by some more orders of magnitude. Here the value starts near 0 and falls along one line, not
    along a cosine, which is the default of PyTorch's OneCycleLR. Momentum doesn't change.

    Args:
        peak: the largest value.
        warmup: share of the training's steps on the way up.

    Raises:
        OpenEndedError: the training ends after a given time, so its number of steps isn't known.

    Source: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2018),
        section 3.
    """

    peak: Annotated[float, Gt(0)]
    warmup: Annotated[float, Ge(0), Lt(1)] = 0.25

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        step, total = progress.step, progress.total_steps
        rising = self.warmup * total
        share = min(1.0, (total - step) / (total - rising))
        if rising > 0:
            share = min(share, (step + 1) / rising)
        return self.peak * share

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a peak after the usual rise, and at the very first step."""
        return [{"peak": 0.2}, {"peak": 0.2, "warmup": 0}]

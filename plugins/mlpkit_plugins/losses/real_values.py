"""The base of losses on real values, and its checks of targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Loss, ShapeError, Target, TargetError, Values
from mlpkit_plugins.kernels import exp, row_order
from mlpkit_plugins.losses.mean_over_rows import remedy_for_axes


class RealValuesLoss(Loss):
    """A mean over rows and elements of a function of an input and a target value, such as of r = x - t.

    Attributes:
        one_input_per: what has one input each, in words.
    """

    compares_values = True
    takes_weights = True
    evaluation_context = row_order
    one_input_per = "value"

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Require one input per target value."""
        if target is None:
            return
        wanted = self.expected_inputs(target)
        if wanted is None:
            raise TargetError(
                f"{self.path} compares real values, but the data gives {target}",
                expected="data whose target is real values",
            )
        if input_shape != wanted:
            otherwise = f"put Reshape: {{shape: {list(wanted)}}} before it"
            if len(wanted) == 1:
                otherwise = f"give the last layer before it {wanted[0]} unit{'' if wanted[0] == 1 else 's'}"
            raise ShapeError(
                f"{self.path} gets inputs of shape {input_shape} for {target}",
                expected=f"inputs of shape {wanted}, one per {self.one_input_per}",
                remedy=remedy_for_axes(input_shape, len(wanted), otherwise),
            )

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return the shape of the target values."""
        return target.shape if isinstance(target, Values) else None

    def exp(self, x: Array, out: Array) -> Array:
        """Set out to exp(x), and return it."""
        return exp(x, out)

    def residual(self, x: Array, t: Array) -> Array:
        """Return r = x - t, in scratch memory."""
        self.require_values(x, t)
        r = self.buffer("residual", x.shape)
        np.subtract(x, t, out=r)
        return r

    def require_values(self, x: Array, t: Array) -> None:
        """Require numbers of the shape of x as targets; NumPy would broadcast other shapes."""
        if t.shape != x.shape or t.dtype.kind not in "fiu":
            raise ShapeError(
                f"{self.path} can't take targets of {t.dtype} of shape {t.shape}",
                expected=f"numbers of shape {x.shape}, as the inputs have",
            )

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on one value and on several."""
        return [({}, (1,)), ({}, (2, 3))]

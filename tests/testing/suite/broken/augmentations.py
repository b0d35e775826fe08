"""Augmentations that break what augmentations promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import AddNoise

from mlpkit import ShapeError


@caught_by("writes_into_out")
class ReturnsANewArray(AddNoise):
    """returns a new array and leaves out alone"""

    def __call__(self, x, rng, out):
        return x + 0.1 * rng.normal(size=x.shape).astype(x.dtype)


@caught_by("writes_into_out")
class LeavesABorder(AddNoise):
    """leaves the first feature of out as it was"""

    def __call__(self, x, rng, out):
        out[..., 1:] = x[..., 1:] + 0.1 * rng.normal(size=x.shape)[..., 1:]
        return out


@caught_by("leaves_the_minibatch_alone")
class ChangesInPlace(AddNoise):
    """changes the minibatch in place"""

    def __call__(self, x, rng, out):
        x += 0.1 * rng.normal(size=x.shape).astype(x.dtype)
        out[...] = x
        return out


@caught_by("writes_into_out")
class OverflowsInSingle(AddNoise):
    """overflows in float32"""

    def __call__(self, x, rng, out):
        with np.errstate(over="ignore"):
            np.multiply(x + 0.1 * rng.normal(size=x.shape).astype(x.dtype), x.dtype.type(1e30), out=out)
            out *= x.dtype.type(1e30)
        out /= x.dtype.type(1e30)
        return out


@caught_by("other_minibatches_leave_no_trace")
class MixesWithTheLast(AddNoise):
    """mixes in what it saw last"""

    last = 0.0

    def __call__(self, x, rng, out):
        out[...] = x + 0.1 * rng.normal(size=x.shape) + 0.1 * self.last
        self.last = float(x.mean())
        return out


@caught_by("draws_from_rng")
class AlwaysTheSame(AddNoise):
    """does the same to every minibatch"""

    def __call__(self, x, rng, out):
        out[...] = 1 - x
        return out


@caught_by("refuses_inputs_it_can_not_change")
class MirrorsEverything(AddNoise):
    """has nothing against inputs without an axis to mirror, and fails"""

    def __call__(self, x, rng, out):
        out[...] = np.flip(x, axis=1) + 0.1 * rng.normal(size=x.shape)
        return out


@caught_by("leaves_the_minibatch_alone")
class WritesAndRestores(AddNoise):
    """writes into the minibatch, and writes the old values back"""

    def __call__(self, x, rng, out):
        before = x.copy()
        x += 1
        x[...] = before
        return super().__call__(x, rng, out)


@caught_by("writes_into_out")
class ReturnsItsShape(AddNoise):
    """returns out in another shape"""

    def __call__(self, x, rng, out):
        return super().__call__(x, rng, out).reshape(-1)


@caught_by("writes_into_out")
class FailsOnOneRow(AddNoise):
    """divides by the number of other rows"""

    def __call__(self, x, rng, out):
        super().__call__(x, rng, out)
        out /= np.float64(len(x) - 1) or np.nan
        return out


@caught_by("refuses_inputs_it_can_not_change")
class RefusesItsExample(AddNoise):
    """refuses the shape that it is shown with"""

    def expect_inputs(self, input_shape):
        if input_shape == (6,):
            raise ShapeError("not six")


@caught_by("refuses_inputs_it_can_not_change")
class StumblesOverShapes(AddNoise):
    """unpacks a shape before it refuses any"""

    def expect_inputs(self, input_shape):
        (_,) = input_shape

"""Initializers that break what initializers promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Uniform


@caught_by("values_fill_a_parameter")
class FlatValues(Uniform):
    """returns a flat array"""

    def __call__(self, shape, fans, rng, dtype):
        return super().__call__(shape, fans, rng, dtype).reshape(-1)


@caught_by("values_fill_a_parameter")
class DoubleValues(Uniform):
    """returns float64 always"""

    def __call__(self, shape, fans, rng, dtype):
        return rng.uniform(size=shape)


@caught_by("values_fill_a_parameter")
class LogarithmOfZero(Uniform):
    """is infinite in one place"""

    def __call__(self, shape, fans, rng, dtype):
        values = super().__call__(shape, fans, rng, dtype)
        values.flat[0] = np.inf
        return values


@caught_by("an_initializer_keeps_nothing")
class GrowsWider(Uniform):
    """draws wider from call to call"""

    def __init__(self) -> None:
        self.width = 1.0

    def __call__(self, shape, fans, rng, dtype):
        self.width *= 2
        return (self.width * rng.uniform(size=shape)).astype(dtype)


@caught_by("values_fill_a_parameter")
class OneArrayForAll(Uniform):
    """returns the same array again"""

    def __call__(self, shape, fans, rng, dtype):
        self.array = getattr(self, "array", np.empty(shape, dtype))
        if self.array.dtype != dtype:
            self.array = np.empty(shape, dtype)
        self.array[...] = rng.uniform(size=shape)
        return self.array


@caught_by("adapted_values_can_be_trained")
class DividesByZero(Uniform):
    """divides by the deviation of outputs that don't vary"""

    def adapt(self, values, outputs, unit_axis, rng):
        with np.errstate(all="ignore"):
            return (values / outputs(values).std(axis=0)).astype(values.dtype)


@caught_by("adapted_values_can_be_trained")
class DoubleAdapted(Uniform):
    """adapts to float64 always"""

    def adapt(self, values, outputs, unit_axis, rng):
        return values.astype(np.float64)


@caught_by("an_initializer_keeps_nothing")
class CountsCalls(Uniform):
    """counts its calls"""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, shape, fans, rng, dtype):
        self.calls += 1
        return super().__call__(shape, fans, rng, dtype)


@caught_by("adapted_values_can_be_trained")
class ReplacesAMissingDeviation(Uniform):
    """divides by the deviation of outputs, which is not finite for random inputs"""

    def adapt(self, values, outputs, unit_axis, rng):
        return values / values.dtype.type(np.nan if outputs(values).any() else 1)

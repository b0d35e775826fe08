"""What the tests of optimizers share: a few steps on random gradients, in any blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mlpkit import Step

SIZE = 20


class Steps:
    """A value and its gradients, drawn from a seed."""

    def __init__(self, seed, steps=100, scale=1.0, dtype="float64", size=SIZE):
        generator = np.random.default_rng(seed)
        self.dtype = np.dtype(dtype)
        self.value = generator.normal(size=size).astype(dtype)
        self.gradients = (scale * generator.normal(size=(steps, size))).astype(dtype)

    def taken_by(self, optimizer, *, rates=0.01, cuts=(), decay=True):
        """Return the value and the slots after all steps, each taken in blocks."""
        value = self.value.copy()
        slots = {name: np.zeros_like(value) for name in optimizer.slots}
        rates = np.broadcast_to(rates, len(self.gradients)).tolist()
        for step, (rate, gradient) in enumerate(zip(rates, self.gradients.copy(), strict=True), start=1):
            for edges in pairwise([0, *sorted(cuts), value.size]):
                block = slice(*edges)
                parts = {name: slot[block] for name, slot in slots.items()}
                optimizer.update(value[block], gradient[block], parts, Step(rate, step, decay))
        return value, slots

    def expect(self, value, expected):
        """Make sure that a value is the one of the published rule: to 1e-10, or 1e-4 in single precision."""
        assert value.dtype == self.dtype
        tolerance = 1e-10 if self.dtype == np.float64 else 1e-4
        np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.fixture(scope="session")
def make_steps():
    """The class of steps."""
    return Steps

"""The schedule of several cosine waves, each as long as all before it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import Progress
from mlpkit_plugins.schedules.coslog import Coslog


@given(peak=st.floats(1e-3, 1e3), cycles=st.integers(1, 8), total=st.integers(1, 1000))
def test_is_as_published(peak, cycles, total):
    t = np.arange(total) / total
    expected = peak / 2 * (1 - np.cos(2 * np.pi * np.log2(1 + (2.0**cycles - 1) * t)))
    coslog = Coslog(peak, cycles=cycles)
    found = [coslog(Progress(step, 0.0, total)) for step in range(total)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * peak)


def test_waves_begin_and_end_at_zero_and_each_is_twice_as_long_as_the_one_before():
    coslog = Coslog(0.04)
    assert [coslog(Progress(step, 0.0, 15)) for step in (0, 1, 3, 7, 15)] == pytest.approx([0] * 5, abs=1e-12)
    assert max(coslog(Progress(step, 0.0, 1500)) for step in range(1500)) == pytest.approx(0.04, rel=1e-4)

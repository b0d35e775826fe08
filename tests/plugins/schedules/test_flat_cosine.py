"""The schedule that stays for half of the training, and then falls along half a cosine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import Progress
from mlpkit_plugins.schedules.cosine import Cosine
from mlpkit_plugins.schedules.flat_cosine import FlatCosine


@given(first=st.floats(1e-3, 1e3), half=st.integers(1, 500))
def test_the_first_half_is_flat_and_the_second_is_a_cosine(first, half):
    flat_cosine, cosine = FlatCosine(first), Cosine(first)
    found = [flat_cosine(Progress(step, 0.0, 2 * half)) for step in range(2 * half + 1)]
    assert found[:half] == [first] * half
    assert found[half:] == pytest.approx(
        [cosine(Progress(step, 0.0, half)) for step in range(half + 1)], abs=1e-9 * first
    )

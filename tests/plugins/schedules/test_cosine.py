"""The schedule that falls along half a cosine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.cosine import Cosine


def test_begins_with_the_first_value_is_halfway_in_the_middle_and_ends_with_the_last():
    cosine = Cosine(0.4, last=0.2)
    assert [cosine(Progress(step, 0.0, 10)) for step in (0, 5, 10)] == pytest.approx([0.4, 0.3, 0.2])


@settings(deadline=None, max_examples=50)
@given(first=st.floats(1e-3, 1e3), share=st.floats(0, 1))
def test_is_pytorchs(learning_rates, first, share):
    cosine = Cosine(first, last=share * first)
    expected = learning_rates(
        first, lambda schedulers, optimizer: schedulers.CosineAnnealingLR(optimizer, 100, share * first)
    )
    found = [cosine(Progress(step, 0.0, 100)) for step in range(100)]
    assert found == pytest.approx(expected, rel=1e-9)  # PyTorch goes from value to value, and gathers rounding errors


def test_it_does_not_rise():
    with pytest.raises(ParameterError) as caught:
        Cosine(0.1, last=0.5)
    assert str(caught.value) == "last: 0.5 is greater than first, 0.1; expected at most 0.1"

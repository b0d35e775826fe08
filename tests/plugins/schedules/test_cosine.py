"""The schedule that falls along half a cosine."""

from __future__ import annotations

import math

import pytest

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.cosine import Cosine


def test_begins_with_the_first_value_is_halfway_in_the_middle_and_ends_with_the_last():
    cosine = Cosine(0.4, last=0.2)
    falling = [0.3 + 0.1 * math.cos(math.pi * step / 12) for step in range(13)]
    assert falling[0::6] == pytest.approx([0.4, 0.3, 0.2])
    assert [cosine(Progress(step, 0.0, 12)) for step in range(13)] == pytest.approx(falling)


def test_it_does_not_rise():
    with pytest.raises(ParameterError) as caught:
        Cosine(0.1, last=0.5)
    assert str(caught.value) == "last: 0.5 is greater than first, 0.1; expected at most 0.1"

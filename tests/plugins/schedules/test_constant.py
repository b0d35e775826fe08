"""The schedule that doesn't change."""

from __future__ import annotations

import pytest

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.constant import Constant


def test_is_the_same_at_every_step():
    constant = Constant(0.3)
    assert {constant(Progress(step, step / 10, 100)) for step in (0, 1, 50, 100)} == {0.3}


def test_has_no_default():
    with pytest.raises(ParameterError, match="missing parameter 'value' of Constant"):
        Constant()


def test_nothing_may_be_the_value_and_less_may_not():
    assert Constant(0)(Progress(0, 0.0, 1)) == 0
    with pytest.raises(ParameterError, match=r"value: -0\.1 is out of range; expected a number, at least 0$"):
        Constant(-0.1)

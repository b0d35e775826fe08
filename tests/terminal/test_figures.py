"""How numbers and values are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.terminal.figures import duration, figure, figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.43124, "0.4312"),
        (2.30258, "2.3026"),
        (12.345, "12.35"),
        (-0.5, "-0.5000"),
        (1234.5, "1234"),
        (0.0000321, "3.21e-05"),
        (113_321.4, "113321"),
        (-1_133_214, "-1133214"),
        (1.5e9, "1.50e+09"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_figure_is_short(value, text):
    assert figure(value) == text


@given(st.floats(1e-99, 1e99))
def test_a_figure_needs_no_more_than_eight_characters(value):
    text = figure(value)
    assert len(text) <= 8
    assert float(text) == pytest.approx(value, rel=0.05, abs=5e-5)


def test_figures_of_a_split_stand_on_a_line():
    assert figures({"loss": 0.5, "accuracy": 0.91}) == "loss 0.5000, accuracy 0.9100"
    assert figures({"loss": 508_123_456.0, "mean": 12.345}) == "loss 508,100,000, mean 12.35"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (4320, "1 h 12 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_a_duration_is_as_precise_as_it_deserves(seconds, text):
    assert duration(seconds) == text

"""Comparing a submission's arrays with the right ones, naming the likely mistake, and timing it."""

from __future__ import annotations

import re
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest

from mlpkit.verbs.homework.isolation import SubmissionError
from mlpkit.verbs.homework.kinds.task import literal, require_equal, require_fast

RIGHT = np.array([[1.0, -2.0, 0.25], [3.0, 0.0, -1.5]])
X = RIGHT[::-1] + 10
KNOWN = {"x": X, "dy": RIGHT**2}
COUNTS = {"the number of rows": 4, "the number of elements": 8}
ONE_WRONG, TWO_WRONG, HOLE = RIGHT.copy(), RIGHT.copy(), RIGHT.copy()
ONE_WRONG[1, 2] = 1.5
TWO_WRONG[0, 0], TWO_WRONG[1, 1] = 1.5, 0.125
HOLE[0, 1] = np.nan


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (RIGHT.T, "y has shape (3, 2), expected (2, 3); it is transposed"),
        (RIGHT.T + 1, "y has shape (3, 2), expected (2, 3)"),
        (RIGHT[0], "y has shape (3,), expected (2, 3)"),
        (RIGHT * 0, "y is zero everywhere"),
        (RIGHT**2, "y equals dy"),
        (-RIGHT, "y has the wrong sign"),
        (4 * RIGHT, "y is 4 times what is expected, everywhere, the number of rows"),
        (8 * RIGHT, "y is 8 times what is expected, everywhere, the number of elements"),
        (RIGHT / 8, "y is 0.125 times what is expected, everywhere: it is divided by the number of elements"),
        (-3 * RIGHT, "y is -3 times what is expected, everywhere"),
        (RIGHT + 0.25, "y differs from what is expected by 0.25 everywhere"),
        (
            ONE_WRONG,
            "y[1, 2] is 1.5, expected -1.5, error 3, where x is 10.25; 1 of 6 elements are wrong",
        ),
        (TWO_WRONG, "y[0, 0] is 1.5, expected 1, error 0.5, where x is 13; 2 of 6 elements are wrong"),
        (HOLE, "y[0, 1] is nan, expected -2, error inf, where x is 10; 1 of 6 elements are wrong"),
    ],
)
def test_the_likely_mistake_is_named(found, reason):
    with pytest.raises(SubmissionError) as caught:
        require_equal("y", found, RIGHT, KNOWN, COUNTS)
    assert str(caught.value) == reason


@pytest.mark.parametrize(("expected", "limit"), [(RIGHT, 3e-6 + 1e-9), (RIGHT * 0, 1e-9)])
def test_small_differences_are_allowed(expected, limit):
    difference = np.zeros_like(expected)
    difference[0, 2] = limit
    require_equal("y", expected + 0.99 * difference, expected, {})
    require_equal("y", expected - 0.99 * difference, expected, {})
    with pytest.raises(SubmissionError, match=r"y\[0, 2\] is .*; 1 of 6 elements|y differs"):
        require_equal("y", expected + 1.01 * difference, expected, {"x": X[:, :2]})


def test_a_single_number_has_no_place_and_no_cause():
    with pytest.raises(SubmissionError) as caught:
        require_equal("the loss", np.array(0.0), np.array(0.5), {"x": X})
    assert str(caught.value) == "the loss is 0, expected 0.5, error 0.5"


def test_an_array_is_written_as_python():
    assert literal(np.array([[1.0, 1 / 3], [-1234567.0, 1e-9]])) == "np.array([[1.0, 0.333333], [-1234570.0, 1e-09]])"
    assert literal(np.array([3, 1234567])) == "np.array([3, 1234567])"


def test_what_takes_much_longer_than_vectors_is_refused():
    asked = []

    def ask(*steps, arrays):
        asked.append((steps, arrays))
        sleep(0.15)
        return {"y": len(asked)}

    slow = SimpleNamespace(ask=ask, transport=0.0)
    with pytest.raises(SubmissionError) as caught:
        require_fast(slow, ["forward", [1]], ["before"], ["after"], [X])
    assert asked == [(("before", ["do", "forward", [1], 10], "after"), [X])] * 5
    reason = r"forward takes (\d+) ms for 100,000 numbers; .* vectors take about (\d+\.\d) ms: (\d+) times as fast"
    milliseconds, vectors, times = map(float, re.fullmatch(reason, str(caught.value)).groups())
    assert milliseconds >= 15
    assert milliseconds / vectors == pytest.approx(times, rel=0.5)
    slow.transport = 0.15
    assert require_fast(slow, ["forward", [1]], [], [], []) == {"y": 6}

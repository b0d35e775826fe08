"""Comparing results."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.testing import CheckFailure
from mlpkit.testing.suite.check import check_close, check_same_bits


def test_equal_bits_are_equal_even_if_they_are_nan():
    odd = np.array([0.0, -0.0, np.nan, np.inf])
    check_same_bits({"y": odd}, {"y": odd.copy()}, "when repeated", "")
    check_close({"y": odd}, {"y": odd.copy()}, "when repeated", "", tolerance=1e-9)


def test_a_message_says_which_array_and_by_how_much():
    message = r"^y changed by up to 0\.25 when repeated; expected the same bits; look again$"
    with pytest.raises(CheckFailure, match=message):
        check_same_bits(
            {"x": np.ones(2), "y": np.array([1.25, 1])},
            {"x": np.ones(2), "y": np.ones(2)},
            "when repeated",
            "look again",
        )
    with pytest.raises(CheckFailure, match=r"^y changed \(one of them contains NaN\)"):
        check_close({"y": np.array([np.nan])}, {"y": np.ones(1)}, "when repeated", "", tolerance=1e-9)


def test_shapes_and_dtypes_are_compared_first():
    with pytest.raises(CheckFailure, match=r"^y became float32 of shape \(2,\) .*expected float64 of shape \(3,\)"):
        check_close({"y": np.ones(2, np.float32)}, {"y": np.ones(3)}, "when repeated", "", tolerance=1)


def test_a_zero_with_another_sign_is_other_bits_and_yet_close():
    check_close({"y": np.array([0.0])}, {"y": np.array([-0.0])}, "when repeated", "", tolerance=0)
    with pytest.raises(CheckFailure, match="changed by up to 0"):
        check_same_bits({"y": np.array([0.0])}, {"y": np.array([-0.0])}, "when repeated", "")


def test_rounding_is_measured_against_the_largest_element():
    check_close({"y": np.array([1e9 + 0.5, 0])}, {"y": np.array([1e9, 0])}, "when repeated", "", tolerance=1e-9)
    with pytest.raises(CheckFailure):
        check_close({"y": np.array([1e9 + 1.5, 0])}, {"y": np.array([1e9, 0])}, "when repeated", "", tolerance=1e-9)
    check_close({"y": np.empty((0, 3))}, {"y": np.empty((0, 3))}, "when repeated", "", tolerance=0)

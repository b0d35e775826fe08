"""Which inputs are far from the scale at which networks learn best."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DataWarning
from mlpkit_plugins.arrays.scaling import warnings_about_scale


def spread(*columns):
    """Rows with some means and standard deviations."""
    return np.array([[mean - std for mean, std in columns], [mean + std for mean, std in columns]])


def warning(which, mean, std):
    scale = f"has the mean {mean} and the standard deviation {std}; networks learn best near 0 and 1"
    return DataWarning("standardize", f"{which} of x, counted from 0, {scale}", "pass standardize=True to scale inputs")


@pytest.mark.parametrize(
    ("inputs", "divide_by", "expected"),
    [
        (spread((0, 1), (0, 10), (-10, 1), (0, 0.015625)), 1, []),
        (spread((0, 1), (0, 10.5)), 1, [("column 1", "0", "10.5")]),
        (spread((0, 1), (-10.5, 1)), 1, [("column 1", "-10.5", "1")]),
        (spread((0, 0.0078125), (0, 1)), 1, [("column 0", "0", "0.007812")]),
        (spread((0.5, 0.0078125), (77, 0)), 1, []),
        (spread((0, 100), (0, 0.001), (0, 900)), 1, [("column 1", "0", "0.001")]),
        (spread((0, 100), (0, 0.002), (0, 900)), 1, [("column 2", "0", "900")]),
        (spread((0, 200)), 20, []),
        (spread((0, 210)), 20, [("column 0", "0", "10.5")]),
        (spread((0, 210))[:, 0], 1, [("the number", "0", "210")]),
        (spread((0, 1), (0, 1), (0, 50), (0, 1)).reshape(2, 2, 2), 1, [("element [1, 0]", "0", "50")]),
        (np.concatenate([spread((0, 1))] * 5000 + [spread((0, 1e9))]), 1, []),
        (np.zeros((0, 3)), 1, []),
    ],
)
def test_the_element_farthest_from_one_is_warned_about(inputs, divide_by, expected):
    assert warnings_about_scale(inputs, divide_by) == tuple(warning(*each) for each in expected)

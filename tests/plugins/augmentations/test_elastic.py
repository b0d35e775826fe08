"""Elastic distortion: how far pixels move, and how much their neighbours move with them."""

from __future__ import annotations

from math import exp, pi, sqrt

import numpy as np
import pytest

from mlpkit import ParameterError
from mlpkit_plugins.augmentations.elastic import Elastic


def moves(places, changed, alpha, sigma):
    """Return how far the middle pixels of many images move down and across, by row and pixel."""
    size, middle = 41, slice(16, 25)
    x = places(1000, size, size)
    return (changed(Elastic(alpha, sigma, fill=0.0), x) - x)[:, :, middle, middle]


@pytest.mark.parametrize(("alpha", "sigma"), [(34.0, 4.0), (8.0, 1.5)])
def test_moves_follow_the_convolution_of_noise_with_a_gaussian(alpha, sigma, places, changed):
    found = moves(places, changed, alpha, sigma)
    variance = (found**2).mean()
    assert sqrt(variance) == pytest.approx(alpha / (sigma * sqrt(12 * pi)), rel=0.03)
    assert abs(found.mean()) < 0.05 * sqrt(variance)
    for apart in (1, 2, 4):
        down = (found[:, :, apart:] * found[:, :, :-apart]).mean() / variance
        across = (found[..., apart:] * found[..., :-apart]).mean() / variance
        assert down == pytest.approx(exp(-(apart**2) / (4 * sigma**2)), abs=0.03)
        assert across == pytest.approx(exp(-(apart**2) / (4 * sigma**2)), abs=0.03)


class OneSpot:
    """Noise of 1 at one pixel for the way down, and of 0 elsewhere."""

    def random(self, size, dtype):
        noise = np.full(size, 0.5, dtype)
        noise[0, size[1] // 2, size[2] // 2] = 1
        return noise


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 1e9])
def test_moves_are_the_gaussian_of_the_formula(sigma, places):
    x = places(1, 9, 11)
    found = Elastic(2.0, sigma, fill=100.0)(x, OneSpot(), np.empty_like(x)) - x
    i, j = np.mgrid[-4:5, -5:6]
    expected = 2.0 * np.exp(-(i**2 + j**2) / (2 * sigma**2)) / (2 * pi * sigma**2)
    np.testing.assert_allclose(found[0, 0, 1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-12)
    np.testing.assert_allclose(found[0, 1, 1:-1, 1:-1], 0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [1e-300, 1e6])
@pytest.mark.parametrize("sigma", [0.5, 1e9, 1e308])
def test_whatever_its_parameters_images_stay_small_and_finite(alpha, sigma, dtype, changed):
    found = changed(Elastic(alpha, sigma), np.ones((2, 6, 8), dtype))
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("arguments", [{"sigma": 1e-200}, {"sigma": 0.49}, {"alpha": 1e308}, {"alpha": 0}])
def test_parameters_that_would_make_noise_of_images_are_refused(arguments):
    with pytest.raises(ParameterError, match=r"is out of range; expected a number, (at least 0\.5|greater than 0 and)"):
        Elastic(**arguments)


def test_down_and_across_have_nothing_to_do_with_each_other(places, changed):
    found = moves(places, changed, 34.0, 4.0)
    assert abs(np.corrcoef(found[:, 0, 4, 4], found[:, 1, 4, 4])[0, 1]) < 0.1
    assert abs(np.corrcoef(found[:-1, 0, 4, 4], found[1:, 0, 4, 4])[0, 1]) < 0.1

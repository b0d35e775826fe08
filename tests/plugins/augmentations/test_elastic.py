"""Elastic distortion: how far pixels move, and how much their neighbours move with them."""

from __future__ import annotations

from math import exp, pi, sqrt

import numpy as np
import pytest

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


def test_down_and_across_have_nothing_to_do_with_each_other(places, changed):
    found = moves(places, changed, 34.0, 4.0)
    assert abs(np.corrcoef(found[:, 0, 4, 4], found[:, 1, 4, 4])[0, 1]) < 0.1
    assert abs(np.corrcoef(found[:-1, 0, 4, 4], found[1:, 0, 4, 4])[0, 1]) < 0.1

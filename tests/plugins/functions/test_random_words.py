"""Random numbers of few bits."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.functions.random_words import random_words


def test_all_numbers_are_equally_likely():
    words = random_words(np.random.Generator(np.random.Philox(0)), (1024, 1024))
    assert words.dtype == np.uint16
    counts = np.bincount(words.ravel(), minlength=65536)
    assert abs(counts - 16).max() < 30  # seven standard deviations
    assert ((counts - 16) ** 2 / 16).sum() == pytest.approx(65535, abs=5 * np.sqrt(2 * 65535))
    by_place = words.reshape(-1, 4).mean(axis=0)
    np.testing.assert_allclose(by_place, 32767.5, atol=200)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 3, 4)])
def test_any_shape_is_drawn_in_order(shape):
    words = random_words(np.random.Generator(np.random.Philox(0)), shape)
    assert words.shape == shape
    more = random_words(np.random.Generator(np.random.Philox(0)), (100,))
    np.testing.assert_array_equal(words.ravel(), more[: words.size])

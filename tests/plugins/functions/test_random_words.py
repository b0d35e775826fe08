"""Random numbers of few bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.functions.random_words import random_words


def words_of(bits, shape):
    return random_words(np.random.Generator(bits), np.empty(shape, np.uint16))


def test_all_numbers_are_equally_likely():
    words = words_of(np.random.Philox(0), (1024, 1024))
    counts = np.bincount(words.ravel(), minlength=65536)
    assert abs(counts - 16).max() < 30  # seven standard deviations
    assert ((counts - 16) ** 2 / 16).sum() == pytest.approx(65535, abs=5 * np.sqrt(2 * 65535))
    by_place = words.reshape(-1, 4).mean(axis=0)
    np.testing.assert_allclose(by_place, 32767.5, atol=200)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 3, 4)])
def test_any_shape_is_drawn_in_order(shape):
    words = words_of(np.random.Philox(0), shape)
    np.testing.assert_array_equal(words.ravel(), words_of(np.random.Philox(0), (100,))[: words.size])


@pytest.mark.parametrize("generator", [np.random.Philox, np.random.PCG64])
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(0, 200) | st.just(40_001), max_size=4))
def test_words_are_what_the_generator_draws_and_so_is_what_comes_next(generator, seed, sizes):
    ours, numpys = generator(seed), generator(seed)
    for size in sizes:
        drawn = numpys.random_raw(-(-size // 4)).astype("<u8").view("<u2")[:size]
        np.testing.assert_array_equal(words_of(ours, size), drawn)
    np.testing.assert_array_equal(ours.random_raw(9), numpys.random_raw(9))

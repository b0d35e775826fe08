"""Plain stochastic gradient descent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import ParameterError
from mlpkit_plugins.optimizers.sgd import Sgd
from mlpkit_plugins.schedules.constant import Constant

finite = arrays.arrays(np.float64, 20, elements=st.floats(-1e6, 1e6))


@given(
    value=finite,
    gradient=finite,
    rate=st.floats(0, 10),
    cuts=st.sets(st.integers(1, 19)),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_takes_a_step_down_the_gradient_in_any_blocks(value, gradient, rate, cuts, dtype):
    value, gradient = value.astype(dtype), gradient.astype(dtype)
    expected = value - gradient * np.array(rate, dtype)
    edges = [0, *sorted(cuts), 20]
    for begin, end in pairwise(edges):
        block = value[begin:end]
        Sgd().update(block, gradient[begin:end], {}, learning_rate=rate, step=1, decay=True)
    assert value.tobytes() == expected.tobytes()


def test_needs_no_slots_and_works_element_by_element():
    assert (Sgd.slots, Sgd.elementwise) == ((), True)


def test_the_learning_rate_is_a_number_or_a_schedule():
    constant = Constant(0.1)
    assert Sgd().learning_rate == 0.01
    assert Sgd(1).learning_rate == 1.0
    assert Sgd(constant).learning_rate is constant
    with pytest.raises(ParameterError, match="learning_rate: nan is not finite"):
        Sgd(float("nan"))

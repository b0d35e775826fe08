"""A component's state goes through JSON and comes back to the same bits."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpkit.training.checkpointing import pack, unpack

DTYPES = [np.float32, np.float64, np.int8, np.int64, np.bool_]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_side=3)))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    ARRAYS,
    ARRAYS.filter(lambda array: array.size > 0).map(lambda array: array.ravel()[0]),
)
KEYS = st.one_of(st.text(), st.sampled_from(["!array", "!scalar", "!tuple", "!float", "!mapping"]))
STATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
)


def same(one: object, other: object) -> bool:
    """Whether two states are the same in type and bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return math.isnan(one) == math.isnan(other) and (math.isnan(one) or repr(one) == repr(other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one == other


@given(STATES)
@example({"!array": {"!float": 2.0}})
@example({"!mapping": {"!tuple": (math.inf, np.ones(2))}})
def test_what_is_packed_comes_back(state):
    arrays = {}
    packed = json.loads(json.dumps(pack(state, arrays, "callbacks/0"), allow_nan=False))
    assert all(name.startswith("callbacks/0/") for name in arrays)
    assert same(unpack(packed, arrays), state)


LONG = {
    "floats": [0.1, float("nan"), -0.0, float("inf")] * 50_000,
    "integers": [-(2**63), 2**63 - 1, 0] * 50_000,
    "scalars": [np.float32(0.1), np.float32(7)] * 50_000,
    "a tuple": (0.5, 2.0) * 50_000,
}
MIXED = {
    "numbers of two kinds": [1, 2.0] * 80,
    "truth values": [True, False] * 80,
    "integers beyond 64 bits": [2**63, 1] * 80,
    "integers below 64 bits": [-(2**63) - 1, 1] * 80,
    "scalars of two kinds": [np.float32(1), np.float64(1)] * 80,
    "mappings": [{"loss": 0.5}] * 160,
}


@pytest.mark.parametrize("state", LONG.values(), ids=list(LONG))
def test_a_long_list_of_numbers_takes_one_array(state):
    arrays = {}
    packed = json.dumps(pack({"losses": state}, arrays, "callbacks/0"), allow_nan=False)
    assert len(arrays) == 1
    assert len(packed) < 100
    assert same(unpack(json.loads(packed), arrays), {"losses": state})


@pytest.mark.parametrize("state", MIXED.values(), ids=list(MIXED))
def test_a_long_list_of_other_things_comes_back_too(state):
    arrays = {}
    packed = json.loads(json.dumps(pack(state, arrays, "callbacks/0"), allow_nan=False))
    assert all(array.dtype.kind in "biuf" for array in arrays.values())
    assert same(unpack(packed, arrays), state)


def test_an_array_that_changes_afterwards_changes_nothing():
    arrays, average = {}, np.zeros(2)
    packed = pack({"average": average}, arrays, "c")
    average += 1
    restored = unpack(packed, arrays)["average"]
    restored += 5
    assert arrays["c/0"].tolist() == [0, 0]


@pytest.mark.parametrize("state", [object(), {1: 2}, {"a": {2.0: 3}}, [set()], 1j])
def test_what_is_no_plain_data_is_refused(state):
    with pytest.raises(TypeError):
        pack(state, {}, "c")

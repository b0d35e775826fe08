"""The columns that inputs come from: how they travel with a shape, and how a model file keeps them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from mlpkit import InputColumn, InputShape
from mlpkit.components.input_columns import columns_from_plain, columns_of, columns_to_plain

COLUMNS = (
    InputColumn("age", "numbers"),
    InputColumn("born", "dates", 2),
    InputColumn("town", "one_hot", 3),
    InputColumn("job", "categories", values=7),
)


def test_a_shape_takes_its_columns_along():
    shape = InputShape([7], COLUMNS)
    assert shape == (7,)
    for same in (shape, copy.deepcopy(shape), pickle.loads(pickle.dumps(shape))):
        assert (same, columns_of(same)) == ((7,), COLUMNS)
    assert columns_of((7,)) == columns_of(InputShape((7,))) == ()


def test_columns_are_kept_as_plain_data():
    plain = json.loads(json.dumps(columns_to_plain(COLUMNS)))
    assert columns_from_plain(plain, 7) == COLUMNS
    assert columns_from_plain([], 7) == ()
    for width in (6, 8):
        with pytest.raises(ValueError, match="columns"):
            columns_from_plain(plain, width)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        "age",
        [["age", "numbers", 1]],
        [[3, "numbers", 1, 0]],
        [["age", "words", 1, 0]],
        [["age", "numbers", 1, -1]],
        [["age", "numbers", "1", 0]],
        [["age", "numbers", 1, 0], ["born", "dates", 0, 0]],
    ],
)
def test_other_plain_data_holds_no_columns(plain):
    with pytest.raises(ValueError, match="columns"):
        columns_from_plain(plain, 1)

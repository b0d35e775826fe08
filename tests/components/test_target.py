"""Targets: how they are kept, how they read, how they are saved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlpkit import Classes, Labels, Values
from mlpkit.components.target import target_from_plain, target_to_plain

FLOAT = np.dtype(np.float32)


@pytest.mark.parametrize(
    ("target", "shape", "dtype", "text"),
    [
        (Classes(10), (), "int64", "10 classes"),
        (Classes(10, one_hot=True), (10,), FLOAT, "10 classes"),
        (Labels(5), (5,), FLOAT, "5 labels"),
        (Values((3, 2)), (3, 2), FLOAT, "real values of shape (3, 2)"),
        (Values(()), (), FLOAT, "real values of shape ()"),
    ],
)
def test_a_target_says_how_it_is_kept(target, shape, dtype, text):
    assert target.array(FLOAT) == (shape, dtype)
    assert str(target) == text
    assert target_from_plain(json.loads(json.dumps(target_to_plain(target)))) == target


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"type": "Boxes"},
        {"type": "Classes"},
        {"type": "Classes", "count": 3, "colour": 1},
        {"type": "Values"},
        {"type": "Classes", "count": 3},
        {"type": "Classes", "count": "3", "one_hot": False},
        {"type": "Classes", "count": 3.0, "one_hot": False},
        {"type": "Classes", "count": -3, "one_hot": False},
        {"type": "Classes", "count": True, "one_hot": False},
        {"type": "Classes", "count": 3, "one_hot": 1},
        {"type": "Labels", "count": 0},
        {"type": ["Classes"], "count": 3, "one_hot": False},
        {"type": "Values", "shape": 3},
        {"type": "Values", "shape": "3"},
        {"type": "Values", "shape": [3, 0.5]},
        None,
    ],
)
def test_other_plain_data_is_no_target(plain):
    with pytest.raises(ValueError, match=r"is not a target$"):
        target_from_plain(plain)

"""Which keys of an evaluation are losses and metrics, and of which split."""

import pytest

from mlpkit.runs.json_files import decisive_split, fits, is_number, is_result, optional, splits_by_name

RECORD = ("iteration", "epoch", "learning_rate", "train_loss", "validation_loss", "train_top_k", "validation_top_k")


def test_results_are_grouped_by_name():
    assert splits_by_name(RECORD) == {"loss": ["train", "validation"], "top_k": ["train", "validation"]}


@pytest.mark.parametrize("key", ["iteration", "learning_rate", "test_loss", "train", "train_", "training_loss"])
def test_other_keys_are_no_results(key):
    assert not is_result(key)
    assert splits_by_name([key]) == {}


def test_the_validation_data_decides_if_there_is_any():
    assert decisive_split(RECORD) == "validation"
    assert decisive_split(["epoch", "train_loss"]) == "train"
    assert decisive_split([]) == "train"


@pytest.mark.parametrize(
    ("shape", "right", "wrong"),
    [
        (int, [0, -7], [True, 1.0, "1", None]),
        (bool, [True, False], [0, None]),
        (str, [""], [None, 3]),
        (is_number, [0, 0.5], [True, "1", None]),
        ([int], [[], [1, 2]], [[1, 2.0], [None], (1,), {}, 1, None]),
        ({"a": int, "b": [str]}, [{"a": 1, "b": []}, {"a": 1, "b": ["c"], "d": 2}], [{"a": 1}, {"a": 1, "b": [2]}, []]),
        (optional(int), [None, 3], [True, "3"]),
        (optional([{"a": str}]), [None, [], [{"a": "b"}]], [[None], [{"a": None}], {}]),
        (lambda value: value in (1, 2), [1, 2], [3]),
    ],
)
def test_a_value_has_a_shape_or_not(shape, right, wrong):
    assert [fits(value, shape) for value in right] == [True] * len(right)
    assert [fits(value, shape) for value in wrong] == [False] * len(wrong)

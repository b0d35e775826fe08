"""Which keys of an evaluation are losses and metrics, and of which split."""

import pytest

from mlpkit.runs.json_files import decisive_split, is_result, splits_by_name

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

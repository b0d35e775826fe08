"""What components do unless they say otherwise: data sets, callbacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlpkit import Callback, DataError, Dataset, Progress, TrainingView


class Points(Dataset):
    """A data set with nothing beyond what it must have."""

    def describe(self):
        raise NotImplementedError

    def open(self, seed):
        raise NotImplementedError


def test_a_data_set_takes_raw_inputs_as_they_are_and_remembers_nothing():
    points, raw = Points(), np.ones((2, 3))
    assert points.encode(raw) is raw
    assert points.encoder_state() == {}
    assert points.load_encoder_state({}) is None
    assert points.fingerprint() == ""
    assert points.class_names() is None
    assert points.warnings() == ()
    assert points.target_remedy() == ""
    assert points.row_names(Path("points.csv")) is None


def test_a_data_set_without_formats_of_its_own_says_which_there_are():
    with pytest.raises(DataError, match=r"^points\.csv: unknown file type '\.csv'; expected \.npy or \.npz$"):
        Points().read(Path("points.csv"))


def test_a_data_set_without_columns_says_so_of_what_was_given():
    points = Points()
    assert points.column_names() is None
    for method, given, message in (
        (points.from_columns, {"x": [1]}, "the rows: this data set takes an array, not named columns"),
        (points.read_examples, {"x": [1]}, "the rows: this data set doesn't read inputs and targets together; "),
        (points.read_examples, Path("x.npy"), "x.npy: this data set doesn't read inputs and targets together; "),
        (points.read_table, Path("x.csv"), "x.csv: this data set can't return the raw columns of a file"),
    ):
        with pytest.raises(DataError) as caught:
            method(given)
        assert str(caught.value).startswith(message)


def test_a_callback_does_nothing_unless_it_is_written():
    callback = Callback()
    view = TrainingView(Progress(0, 0.0, 10), {})
    callback.on_start(view)
    callback.on_step(view, 0.5)
    callback.on_evaluation(view, {"train_loss": 0.5})
    callback.on_end(view)
    callback.load_state(callback.state())
    assert callback.state() == {}
    assert (view.stop_reason, view.folder) == ("", None)
    assert [array.size for array in view.weights.copy()] == [0, 0]


def test_a_callback_may_ask_to_stop():
    view = TrainingView(Progress(0, 0.0, 10), {})
    view.stop("the loss no longer falls")
    assert view.stop_reason == "the loss no longer falls"

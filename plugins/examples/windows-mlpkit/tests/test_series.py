"""The data set series."""

import numpy as np
import pytest
from windows_mlpkit.series import Series

from mlpkit import DataError, ParameterError, ShapeError


@pytest.fixture
def file(tmp_path):
    """Return a series of forty steps, of which the step's number can be read."""
    (tmp_path / "short.csv").write_text("y,z\n" + "".join(f"{i},{100 + i}\n" for i in range(40)))
    return str(tmp_path / "short.csv")


def test_windows_are_followed_by_their_targets(file):
    series = Series(file, "y", inputs=["z", "y"], window=4, horizon=2, stride=3, validation=0.25, test=0.25)
    assert series.describe().sizes == {"train": 5, "validation": 3, "test": 3}
    splits = series.open(0)
    for name, last_step in {"train": 20, "validation": 30, "test": 40}.items():
        count = len(splits[name])
        x, t = np.empty((count, 4, 2)), np.empty((count, 2))
        splits[name].take(np.arange(count), (x, t))
        raw = series.raw_rows(name, np.arange(count))
        np.testing.assert_array_equal(raw[:, :, 0] - raw[:, :, 1], 100)
        np.testing.assert_array_equal(np.diff(raw[:, :, 1]), 1)
        np.testing.assert_array_equal(np.diff(raw[:, 0, 1]), 3)
        np.testing.assert_array_equal(t, raw[:, -1:, 1] + [1, 2])
        assert last_step - 10 - 10 * (name == "train") <= t.min()
        assert t.max() < last_step
        np.testing.assert_allclose(x, (raw - [109.5, 9.5]) / np.arange(20).std())


def test_a_file_to_predict_for_ends_with_its_last_row(file):
    series = Series(file, "y", window=4, stride=5)
    np.testing.assert_array_equal(series.read(file)[-1, :, 0], [36, 37, 38, 39])
    assert series.row_names(file)[-1] == f"{file}, to row 41"
    np.testing.assert_array_equal(series.read_examples(file)[1][:2, 0], [4, 9])


@pytest.mark.parametrize("wrong", [{"target": "x"}, {"inputs": ["y", "x"]}, {"file": "none.csv"}, {"window": 40}])
def test_what_does_not_fit_is_an_error_at_its_parameter(wrong, file):
    with pytest.raises(ParameterError) as error:
        Series(**{"file": file, "target": "y"} | wrong).describe()
    assert [error.value.parameter] == list(wrong)


def test_shares_leave_steps_to_train_on(file):
    with pytest.raises(ParameterError, match="nothing is left"):
        Series(file, "y", validation=0.5, test=0.5)


def test_other_files_and_windows_are_refused(file, tmp_path):
    series = Series(file, "y", window=4)
    (tmp_path / "bad.csv").write_text("y\n1\n2\n\n3\n")
    with pytest.raises(DataError) as error:
        series.read(tmp_path / "bad.csv")
    assert (error.value.row, error.value.column) == (4, "y")
    with pytest.raises(ShapeError, match="a window has shape"):
        series.encode(np.zeros((1, 5, 1)))

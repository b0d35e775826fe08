"""The data set table."""

import numpy as np
import pytest
from survival_mlpkit.table import SurvivalTable

from mlpkit import DataError, ParameterError

ROWS = "age,weeks,died\n" + "".join(f"{20 + i},{10 * i},{i % 2}\n" for i in range(10))


@pytest.fixture
def file(tmp_path):
    """Return a small table."""
    (tmp_path / "small.csv").write_text(ROWS)
    return str(tmp_path / "small.csv")


def test_splits_and_scales(file):
    table = SurvivalTable(file, "weeks", "died", validation=0.2, test=0.3)
    assert table.describe().sizes == {"train": 5, "validation": 2, "test": 3}
    train = table.open(0)["train"]
    x, t = np.empty((5, 1)), np.empty((5, 2))
    train.take(np.arange(5), (x, t))
    assert x.mean() == pytest.approx(0)
    assert x.std() == pytest.approx(1)
    np.testing.assert_array_equal(t[:, 1], t[:, 0] / 10 % 2)
    np.testing.assert_array_equal(table.raw_rows("train", np.arange(5))[:, 0], t[:, 0] / 10 + 20)


@pytest.mark.parametrize("wrong", [{"time": "week"}, {"event": "dead"}, {"ignore": ["sex"]}, {"file": "missing.csv"}])
def test_what_is_not_there_is_an_error_at_its_parameter(wrong, file):
    table = SurvivalTable(**{"file": file, "time": "weeks", "event": "died"} | wrong)
    with pytest.raises(ParameterError) as error:
        table.describe()
    assert [error.value.parameter] == list(wrong)


def test_shares_leave_rows_to_train_on():
    with pytest.raises(ParameterError, match="nothing is left"):
        SurvivalTable("any.csv", "weeks", "died", validation=0.5, test=0.5)


def test_a_text_is_an_error_at_its_row(tmp_path):
    (tmp_path / "bad.csv").write_text("age,weeks,died\n20,3,1\nold,4,0\n")
    with pytest.raises(DataError) as error:
        SurvivalTable(str(tmp_path / "bad.csv"), "weeks", "died").describe()
    assert (error.value.row, error.value.column) == (3, "age")

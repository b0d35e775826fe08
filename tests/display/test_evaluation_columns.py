"""Which columns a terminal has room for, and which rows are worth reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.display.screen import fitting_columns

RECORD = {
    "iteration": 500,
    "epoch": 9.0909,
    "learning_rate": 0.1,
    "train_loss": 0.43124,
    "validation_loss": 0.41,
    "train_accuracy": 0.88,
    "validation_accuracy": 0.875,
}


def _shown(record, width):
    columns = fitting_columns(record, width)
    return [*columns.heading(), columns.row(record)]


def test_all_columns_fit_into_eighty_characters():
    assert _shown(RECORD, 80) == [
        "                              loss                  accuracy",
        "iteration    epoch      train   validation      train   validation",
        "      500     9.09     0.4312       0.4100     0.8800       0.8750",
    ]


def test_at_forty_the_validation_accuracy_outlasts_the_epoch_and_the_train_accuracy():
    assert _shown(RECORD, 40) == [
        "                  loss         accuracy",
        "iteration     train       val       val",
        "      500    0.4312    0.4100    0.8750",
    ]


def test_the_iteration_is_always_there():
    assert _shown(RECORD, 1) == ["", "iteration", "      500"]


def test_without_a_validation_split_and_metrics_the_table_is_small():
    record = {"iteration": 5, "epoch": 1.0, "learning_rate": 0.1, "train_loss": float("nan")}
    assert _shown(record, 80) == [
        "                       loss",
        "iteration    epoch      train",
        "        5     1.00        nan",
    ]


def test_a_long_name_has_room_above_its_columns():
    record = {"iteration": 5, "epoch": 1.0, "train_loss": 1.0, "train_mean_absolute_error": 0.5}
    heading = fitting_columns(record, 80).heading()[0]
    assert heading.endswith("mean_absolute_error")


@pytest.mark.parametrize(
    ("splits", "letters", "shown"),
    [
        (["train"], 20, "m" * 20),
        (["train"], 21, "m" * 19 + "…"),
        (["train", "validation"], 22, "m" * 22),
        (["train", "validation"], 23, "m" * 21 + "…"),
    ],
)
def test_a_name_that_is_wider_than_its_columns_is_cut(splits, letters, shown):
    record = {"iteration": 5, "epoch": 1.0} | {f"{split}_{'m' * letters}": 0.5 for split in splits}
    assert fitting_columns(record, 120).heading()[0].split() == [shown]


def test_where_there_is_little_room_a_name_is_cut_to_twelve_letters():
    record = {"iteration": 5, "epoch": 1.0, "train_loss": 0.5, f"train_{'m' * 14}": 0.5}
    assert fitting_columns(record, 43).heading()[0].split() == ["loss", "m" * 14]
    assert fitting_columns(record, 42).heading()[0].split() == ["loss", "m" * 11 + "…"]


@given(st.integers(9, 200), st.integers(0, 4), st.booleans())
def test_no_line_is_longer_than_the_terminal_is_wide(width, metrics, validation):
    record = {"iteration": 123456789, "epoch": 99.99}
    for name in ["loss", *(f"metric{i}" for i in range(metrics))]:
        record |= {f"train_{name}": 1e-9} | ({f"validation_{name}": 1e9} if validation else {})
    assert all(len(line) <= width for line in _shown(record, width))


@given(st.integers(9, 120))
def test_a_wider_terminal_never_shows_less(width):
    narrow = {column.key for column in fitting_columns(RECORD, width).chosen}
    assert narrow <= {column.key for column in fitting_columns(RECORD, width + 1).chosen}


@pytest.mark.parametrize(
    ("width", "columns", "gap", "title"),
    [
        (200, 6, 3, "validation"),
        (66, 6, 3, "validation"),
        (65, 6, 2, "validation"),
        (61, 6, 2, "validation"),
        (60, 6, 2, "val"),
        (57, 6, 2, "val"),
        (56, 6, 1, "validation"),
        (55, 6, 1, "val"),
        (52, 6, 1, "val"),
        (51, 5, 2, "validation"),
        (43, 5, 1, "val"),
        (42, 4, 3, "val"),
        (41, 4, 2, "val"),
    ],
)
def test_gaps_and_titles_shrink_before_a_column_is_left_out(width, columns, gap, title):
    """Widths are those of figures and titles: 9 for the iteration, 6 for the epoch, 8 or 10 for the others."""
    found = fitting_columns(RECORD, width)
    assert (len(found.chosen), found.gap, found.chosen[-1].title) == (columns, gap, title)
    assert found.width <= width


def test_each_metric_stands_above_its_own_columns_whatever_the_order_of_the_history():
    record = {"iteration": 5, "epoch": 1.0, "train_loss": 1.0, "validation_loss": 1.0}
    for split in ("train", "validation"):
        record |= {f"{split}_accuracy": 0.5, f"{split}_f1": 0.25}
    assert _shown(record, 100) == [
        "                              loss                  accuracy                   f1",
        "iteration    epoch      train   validation      train   validation      train   validation",
        "        5     1.00     1.0000       1.0000     0.5000       0.5000     0.2500       0.2500",
    ]


def test_what_has_no_column_is_named():
    record = {"iteration": 5, "epoch": 1.0} | {f"train_{name}": 1.0 for name in ("loss", "accuracy", "f1")}
    assert fitting_columns(record, 28).left_out == ("f1",)
    assert fitting_columns(record, 200).left_out == ()

"""Importance of inputs by shuffling them."""

import numpy as np
import pytest

from mlpkit.reports.importance import importance, importance_section, rows_for_importance


def loss_of_column(name):
    """A loss that looks at one column alone."""
    return lambda columns: float(np.abs(np.array(columns[name]) - np.arange(len(columns[name]))).mean())


COLUMNS = {"noise": list(range(20)), "signal": list(range(20))}


def test_what_the_loss_looks_at_is_important_and_nothing_else():
    found = importance(COLUMNS, loss_of_column("signal"), seed=0)

    assert [each.name for each in found] == ["signal", "noise"]
    assert found[0].gain > 1
    assert found[1].gain == 0


def test_the_same_seed_gives_the_same_figures_and_another_seed_others():
    first, again, other = (importance(COLUMNS, loss_of_column("signal"), seed) for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_columns_of_an_array():
    rows = np.arange(60.0).reshape(20, 3)

    found = importance(rows, lambda x: float(np.abs(x[:, 1] - rows[:, 1]).mean()), 0, ["a", "b", "c"])

    assert [each.name for each in found] == ["b", "a", "c"]
    assert found[0].gain > 0


def test_patches_of_images():
    images = np.random.default_rng(0).integers(0, 256, (30, 14, 14), np.uint8)

    def loss(x):
        return float(np.abs(x[:, 2:4, 4:6].astype(int) - images[:, 2:4, 4:6]).mean())

    found = importance(images, loss, 0)

    assert len(found) == 49
    assert found[0].name == "rows 2 to 3, columns 4 to 5"
    assert found[0].gain > 0
    assert {each.gain for each in found[1:]} == {0}
    assert "rows 2 to 3, columns 4 to 5" in importance_section(
        found, "30 rows of test", images.mean(0).astype(np.uint8)
    )


def columns(count):
    return {str(i): [1] for i in range(count)}


@pytest.mark.parametrize(
    ("raw", "flops", "rows"),
    [
        (None, 1, 0),
        ({"a": [1]}, 1, 0),
        (columns(10), 1, 1000),
        (columns(40), 1, 250),
        (columns(201), 1, 0),
        (np.zeros((1, 28, 28), np.uint8), 250_000, 816),
        (np.zeros((1, 28, 28), np.uint8), 10**9, 50),
        (np.zeros((1, 784)), 1, 0),
    ],
)
def test_as_many_rows_as_there_is_time_for(raw, flops, rows):
    assert rows_for_importance(raw, flops) == rows

"""Importance of inputs by shuffling them."""

import numpy as np
import pytest

from mlpkit.verbs.report.importance import (
    POSITIVE,
    Importance,
    _heat,
    importance,
    importance_of_many,
    importance_section,
    rows_for_importance,
)


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
        (columns(201), 1, 124),
        (columns(5000), 1, 50),
        (columns(5000), 10**6, 0),
        (np.zeros((1, 28, 28), np.uint8), 250_000, 816),
        (np.zeros((1, 28, 28), np.uint8), 10**9, 50),
        (np.zeros((1, 784)), 1, 1000),
        (np.zeros((1, 784)), 10**7, 0),
    ],
)
def test_as_many_rows_as_there_is_time_for(raw, flops, rows):
    assert rows_for_importance(raw, flops) == rows


class Encoder:
    """Encodes columns: one of texts as zeros and ones at the end, the others as numbers, one of which is constant."""

    def __init__(self):
        self.calls = 0

    def __call__(self, rows):
        self.calls += 1
        numbers = [rows[name] for name in rows if name != "text"]
        texts = [[float(text == each) for text in rows["text"]] for each in ("red", "blue")]
        return np.array([*numbers, *texts]).T


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    numbers = {f"number{i}": rng.normal(size=60).tolist() for i in range(100)}
    return {**numbers, "text": rng.choice(["red", "blue"], 60).tolist(), "constant": [1.0] * 60}


def test_of_many_columns_the_importance_is_that_of_shuffling_each(table):
    encode = Encoder()
    x = encode(table)

    def loss(inputs):
        return float(np.abs(inputs[:, 7] - x[:, 7] + 3 * (inputs[:, -1] - x[:, -1])).mean())

    found = importance_of_many(table, encode, loss, 0)

    assert encode.calls == 2 + 2 * 7
    assert found == importance(table, lambda rows: loss(Encoder()(rows)), 0)
    assert [each.name for each in found[:2]] == ["text", "number7"]
    assert len(found) == 102


def test_of_many_columns_of_an_array(table):
    rows = np.array([table[f"number{i}"] for i in range(100)]).T.reshape(60, 10, 10)

    found = importance_of_many(
        rows, lambda raw: 2 * raw, lambda x: float(np.abs(x[:, 4, 2] - 2 * rows[:, 4, 2]).mean()), 0
    )

    assert (found[0].name, found[0].gain > 0) == ("input 42", True)
    assert {each.gain for each in found[1:]} == {0.0}


def test_inputs_that_mix_columns_have_no_importance(table):
    assert importance_of_many(table, lambda rows: np.cumsum(Encoder()(rows), axis=1), lambda x: float(x.sum()), 0) == []


def test_if_all_columns_are_shown_the_page_leaves_out_their_number():
    found = importance(COLUMNS, loss_of_column("signal"), seed=0)
    assert "most important of" not in importance_section(found, "20 rows of test")


def test_the_picture_is_opaque_where_the_image_matters_most_and_clear_where_it_does_not():
    places = [(0, 2, 0, 2), (0, 2, 2, 4), (2, 4, 0, 4)]
    found = [Importance(str(gain), gain, place) for gain, place in zip([2.0, 1.0, -3.0], places, strict=True)]
    pixels = _heat(found, np.zeros((4, 4), np.uint8))
    assert pixels[..., 3].tolist() == [[255, 255, 128, 128]] * 2 + [[0] * 4] * 2
    assert {tuple(pixel) for pixel in pixels[..., :3].reshape(-1, 3)} == {POSITIVE}


def test_of_many_columns_the_page_says_how_many_it_shows(table):
    found = importance(table, loss_of_column("number7"), 0)

    assert "The 25 most important of 102 columns." in importance_section(found, "60 rows of test")

"""Importance of inputs by shuffling them."""

import json
import math
import re

import numpy as np
import pytest

from mlpkit.verbs.report.importance import (
    POSITIVE,
    Importance,
    _heat,
    _number,
    _places,
    _places_of_names,
    _text,
    importance,
    importance_of_patches,
    importance_section,
    rows_for_importance,
)

ROWS = np.stack([np.arange(20.0), np.arange(20.0)], axis=1)
"""Rows of two columns, noise and signal."""


def by_signal(seed=0):
    """Return the importance of the columns for a loss that looks at the signal alone."""
    columns, names = np.array([0, 1]), ["noise", "signal"]
    return importance(ROWS, names, columns, lambda x: float(np.abs(x[:, 1] - ROWS[:, 1]).mean()), seed)


def test_what_the_loss_looks_at_is_important_and_nothing_else():
    found = by_signal()

    assert [each.name for each in found] == ["signal", "noise"]
    assert found[0].gain > 1
    assert found[1].gain == 0


def test_the_same_seed_gives_the_same_figures_and_another_seed_others():
    first, again, other = map(by_signal, (0, 0, 1))

    assert first == again
    assert first != other


def test_inputs_of_a_column_are_shuffled_together_and_what_is_constant_is_not():
    rows = np.arange(80.0).reshape(20, 4)
    seen = []

    def loss(x):
        seen.append(x)
        return float(np.abs(x - rows).sum())

    found = importance(rows, ["a", "b", "c"], np.array([0, 1, 1, -1]), loss, 0)

    assert {each.name: each.gain > 0 for each in found} == {"a": True, "b": True, "c": False}
    assert [np.flatnonzero((x != rows).any(axis=0)).tolist() for x in seen] == [[], [0], [1, 2]]
    assert (seen[2][:, 2] - seen[2][:, 1] == 1).all()


def test_patches_of_images():
    images = np.random.default_rng(0).integers(0, 256, (30, 14, 14), np.uint8)

    def loss(x):
        return float(np.abs(x[:, 2:4, 4:6].astype(int) - images[:, 2:4, 4:6]).mean())

    found = importance_of_patches(images, loss, 0)

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
        ({"a": [1]}, 1, 0),
        (columns(10), 1, 1000),
        (columns(40), 1, 833),
        (columns(200), 10**9, 50),
        (columns(201), 1, 124),
        (columns(201), 9_950_248, 50),
        (columns(201), 9_950_249, 0),
        (columns(2), 10_000_000, 500),
        (columns(2), 0, 1000),
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


def test_if_all_columns_are_shown_the_page_leaves_out_their_number():
    assert "most important of" not in importance_section(by_signal(), "20 rows of test")


def test_the_picture_is_opaque_where_the_image_matters_most_and_clear_where_it_does_not():
    places = [(0, 2, 0, 2), (0, 2, 2, 4), (2, 4, 0, 4)]
    found = [Importance(str(gain), gain, place) for gain, place in zip([2.0, 1.0, -3.0], places, strict=True)]
    pixels = _heat(found, np.zeros((4, 4), np.uint8))
    assert pixels[..., 3].tolist() == [[255, 255, 128, 128]] * 2 + [[0] * 4] * 2
    assert {tuple(pixel) for pixel in pixels[..., :3].reshape(-1, 3)} == {POSITIVE}


def test_of_many_columns_the_page_says_how_many_it_shows():
    rows = np.random.default_rng(0).normal(size=(60, 102))

    found = importance(rows, list(map(str, range(102))), np.arange(102), lambda x: float(x[0, 7]), 0)

    assert "The 25 most important of 102 columns." in importance_section(found, "60 rows of test")


def test_importance_in_words_and_bars():
    found = [Importance(f"c{i}", 30 - i) for i in range(26)]
    part = importance_section(found, "9 rows of test", dependence="<p>curves</p>")
    chart = json.loads(re.search(r'<script type="application/json">(.*?)</script>', part)[1])
    assert chart["data"]["values"] == [{"input": f"c{i}", "loss added": 30 - i} for i in range(25)]
    assert chart["encoding"]["x"]["title"] == "loss added"
    assert "<figcaption>Loss increase when a column is shuffled</figcaption>" in part
    cells = re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", part)
    assert (cells[:4], len(cells)) == (["column", "loss added", "c0", "30.00"], 2 * 26)
    assert re.findall("<p>(.*?)</p>", part) == [
        "How much the loss increases when a column is shuffled among 9 rows of test. Redundant inputs share their "
        "importance. The 25 most important of 26 columns.",
        "How predictions change with a column: the mean over rows in which it is set to each value, and where the "
        "middle half and nine tenths of these rows are.",
        "curves",
    ]


def test_importance_of_patches_in_words_and_pictures():
    found = [Importance(f"p{i}", 30 - i, (0, 2, 0, 2)) for i in range(26)]
    part = importance_section(found, "9 rows of test", np.zeros((2, 2), np.uint8))
    assert re.findall("<p>(.*?)</p>", part) == [
        "How much the loss increases when a patch is shuffled among 9 rows of test. Redundant inputs share their "
        "importance."
    ]
    assert re.findall("<figcaption>(.*?)</figcaption>", part) == ["mean of the images", "loss increase by patch"]
    assert part.count("<tr>") == 26
    assert "<th" in part.partition("<summary>Numbers</summary>")[2]
    assert _heat(found, np.zeros((3, 129, 2), np.uint8)).shape == (43, 1, 4)
    assert _heat([Importance("p", 0.0, (0, 2, 0, 2))], np.zeros((2, 64), np.uint8))[..., 3].max() == 0
    assert _heat(found, np.zeros((2, 64), np.uint8)).shape == (2, 64, 4)


def test_images_of_few_pixels_have_a_patch_each():
    images = np.arange(20 * 6, dtype=np.uint8).reshape(20, 2, 3)
    found = importance_of_patches(images, lambda x: float(np.abs(x[:, 1, 2].astype(int) - images[:, 1, 2]).sum()), 0)
    assert found[0].place == (1, 2, 2, 3)
    assert sorted(each.place for each in found) == [(i, i + 1, j, j + 1) for i in range(2) for j in range(3)]
    assert found[0].name == "rows 1 to 1, columns 2 to 2"


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (None, math.nan, "missing"),
        ("", math.nan, "missing"),
        ("nan", math.nan, "missing"),
        ("2.50", 2.5, "2.50"),
        (0, 0.0, "0"),
        ("red", math.inf, "red"),
        ((1,), math.inf, "(1,)"),
    ],
)
def test_a_value_of_a_column_is_a_number_or_a_name(value, number, text):
    assert _number(value) == pytest.approx(number, nan_ok=True)
    assert _text(value) == text


def test_more_than_eight_numbers_are_places_on_an_axis():
    assert _places(np.array([1.0] * 5 + [*range(2, 9)])) == {}
    numbers = np.array([9.0, *range(1, 9), math.nan])
    assert _places(numbers) == {float(i): i for i in range(1, 9)} | {9.0: 0}
    assert _places(np.array([*range(1, 12), math.inf])) == {}
    assert [*_places(np.arange(49.0)[::-1]).items()] == [(2.0 * i, 48 - 2 * i) for i in range(25)]


def test_eight_names_are_places_the_most_common_in_their_order():
    texts = [*"zyxabcde", *"abcde", "z", "10", "9", "9", "10"]
    assert _places_of_names(texts) == {text: texts.index(text) for text in ("9", "10", *"abcde", "z")}
    assert [*_places_of_names(texts)] == ["9", "10", *"abcde", "z"]
    assert _places_of_names(["b", "10", "9", "b", "missing"]) == {"9": 2, "10": 1, "b": 0, "missing": 4}
    each = [f"{i:02}x" for i in range(15)]
    assert _places_of_names(each[::-1]) == {f"{i:02}x": 14 - i for i in range(0, 15, 2)}

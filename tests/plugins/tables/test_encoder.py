"""What the encoder of a table does with columns that taught it little."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from data import taken

from mlpkit import DataError, ModelFileError, ParameterError, ShapeError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.encodings.min_max import MinMax
from mlpkit_plugins.encodings.standardize import Standardize
from mlpkit_plugins.tables import encoder
from mlpkit_plugins.tables import table as tables

ROWS = 12


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes x.csv from rows."""
    monkeypatch.chdir(tmp_path)
    return lambda rows: (tmp_path / "x.csv").write_text("\n".join(rows))


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, -1e9])
@pytest.mark.parametrize("missing", ["fill", "indicate"])
def test_columns_that_are_equal_in_all_training_rows_are_left_out(write, constant, missing):
    rows = [f"{i},{constant!r},{['', constant][i % 2]},red,2024-01-0{1 + i % 9},{'pq'[i % 2]}" for i in range(ROWS)]
    write(["x,a,b,colour,day,t", *rows])
    options = {"categorical": ("colour",), "dates": ("day",), "missing": missing, "unknown": "zeros"}
    dataset = Csv("x.csv", "t", validation=0, test=0, split="shuffle", **options)
    known = {"x": ["3"], "a": [constant], "b": [constant], "colour": ["red"], "day": ["2024-01-03"]}
    other = known | {"a": [constant + 7], "b": [constant - 2], "colour": ["blue"], "day": ["2024-12-04"]}
    elapsed = 336  # days from one to the other, which is a multiple of a week

    with pytest.warns(UserWarning, match="never trained on"):
        encoded = [dataset.encode(dataset.from_columns(row)) for row in (known, other)]

    indicator = ("b is missing",) if missing == "indicate" else ()
    assert dataset.feature_names() == ("x", "day (elapsed)", "day (weekday)", *indicator)
    assert np.flatnonzero(encoded[0] != encoded[1]).tolist() == [1]
    std = dataset.encoder_state()["stds"][3]
    assert encoded[1][0, 1] - encoded[0][0, 1] == pytest.approx(elapsed / std)
    again = Csv("x.csv", "t", validation=0, test=0, split="shuffle", **options)
    again.load_encoder_state(json.loads(json.dumps(dataset.encoder_state())))
    assert again.encode(again.from_columns(known)).tobytes() == encoded[0].tobytes()


def test_a_table_in_which_no_input_varies_is_refused(write):
    write(["a,c,t", *(f"5,red,{'pq'[i % 2]}" for i in range(ROWS))])
    dataset = Csv("x.csv", "t", categorical=("c",), validation=0, test=0, split="shuffle")
    with pytest.raises(DataError, match=r"x.csv: no input varies in the training rows"):
        dataset.describe()


def split_by_group(**options):
    """Return a data set whose training rows are those of group 1, whichever seed it takes."""
    options = {"missing": "fill", **options}
    for seed in range(100):
        dataset = Csv("x.csv", "t", split_by="g", validation=0.5, test=0, split_seed=seed, **options)
        with suppress(ParameterError):  # both groups came into one split
            if dataset.describe().sizes == {"train": ROWS, "validation": ROWS + 1}:
                return dataset
    raise AssertionError


@pytest.mark.parametrize("missing", ["fill", "indicate"])
def test_a_column_of_numbers_that_all_training_rows_lack_is_left_out(write, missing):
    rows = [f"1,{i},,{'pq'[i % 2]}" for i in range(ROWS)]
    write(["g,a,b,t", *rows, *(f"2,{i},{i},{'pq'[i % 2]}" for i in range(ROWS + 1))])
    dataset = split_by_group(missing=missing)
    assert {name: dataset.encoder_state()[name][1] for name in ("means", "stds", "fills", "extents")} == {
        "means": 0.0,
        "stds": 1.0,
        "fills": 0.0,
        "extents": [0.0, 0.0],
    }
    assert dataset.feature_names() == ("a",)


def test_a_column_of_categories_that_all_training_rows_lack_has_none(write):
    rows = [f"1,{i},,{'pq'[i % 2]}" for i in range(ROWS)]
    write(["g,a,b,t", *rows, *(f"2,{i},x,{'pq'[i % 2]}" for i in range(ROWS + 1))])
    dataset = split_by_group(categorical=("b",), unknown="zeros")
    assert dataset.encoder_state()["categories"] == [["b", []]]
    assert taken(dataset, "validation")[0].shape == (ROWS + 1, 1)
    with pytest.raises(DataError, match=r"column 'b': the category 'x' occurs in no training row"):
        split_by_group(categorical=("b",))


def test_a_long_table_teaches_with_all_its_rows(write, monkeypatch):
    monkeypatch.setattr(tables, "_VALUES", 1)  # so that a block has the fewest rows, 256
    rows = [f"{i},{i if i < 699 else ''},{i**2},{'red' if i < 650 else 'blue'},{'pq'[i % 2]}" for i in range(700)]
    known = {"a": [1, 2], "b": [3, None], "c": [5, 6], "colour": ["red", "blue"]}
    given = {"numbers_by_column": {"c": MinMax()}, "numbers": Standardize(), "encode_one_hot": True}
    encoded = []
    for order in (rows, rows[::-1]):
        write(["a,b,c,colour,t", *order])
        options = {"categorical": ("colour",), "missing": "indicate", **given}
        dataset = Csv("x.csv", "t", validation=0, test=0, split="shuffle", **options)
        dataset.describe()
        encoded.append(dataset.encode(dataset.from_columns(known)))
        assert dataset.encoder_state()["extents"] == [[0, 699], [0, 698], [0, 699**2]]
    np.testing.assert_allclose(*encoded, rtol=1e-6)
    names = dict(zip(dataset.feature_names(), encoded[0].T, strict=True))
    np.testing.assert_allclose(names["a"], (np.array([1, 2]) - 349.5) / np.arange(700).std(), rtol=1e-6)
    np.testing.assert_allclose(names["b"], (np.array([3, 349]) - 349) / np.arange(699).std(), rtol=1e-6)
    np.testing.assert_allclose(names["b is missing"], [0, 1])
    np.testing.assert_allclose(names["c"], np.array([5, 6]) / 699**2, rtol=1e-6)
    share = 50 / 700
    np.testing.assert_allclose(names["colour=blue"], (np.array([0, 1]) - share) / np.sqrt(share * (1 - share)), 1e-6)


@pytest.fixture
def shapes(write):
    """Return a function that makes a data set with a constant column, two of numbers and two of categories."""
    rows = [f"5,{100 + 10 * i},{i % 3}.5,{'ab'[i % 2]}{i % 3},{'xyz'[i % 3]},{'pq'[i % 2]}" for i in range(ROWS)]

    def of(**options):
        write(["c,length,width,kind,form,t", *rows])
        options = {"categorical": ("kind", "form"), "categories_by_column": {"form": "one_hot"}, **options}
        dataset = Csv("x.csv", "t", validation=0, test=0, split="shuffle", missing="indicate", **options)
        dataset.describe()
        return dataset, taken(dataset)[0]

    return of


def changed(x, row, column, value):
    x = x.copy()
    x[row, column] = value
    return x


@pytest.mark.parametrize(
    ("row", "column", "value", "why"),
    [
        (0, 0, -1e9, ""),
        ([2, 5], 1, np.nan, "row 2, counted from 0, has no 'width', but encoding fills in the mean"),
        ([1, 4], 2, 0.5, "row 1, counted from 0, has 0.5 for 'kind=a0', but encoding writes 0 or 1"),
        (3, 7, 2, "row 3, counted from 0, has 2 for 'kind=b2', but encoding writes 0 or 1"),
        (11, 10, -0.25, "row 11, counted from 0, has -0.25 for 'form=z', but encoding writes 0 or 1"),
        (4, 9, -1, ""),
        (4, 9, 0, ""),
    ],
)
def test_rows_that_are_not_encoded_are_named_by_place_and_value(shapes, row, column, value, why):
    dataset, x = shapes()
    assert dataset.why_not_encoded(x) == dataset.why_perhaps_not_encoded(x) == ""
    assert dataset.why_not_encoded(changed(x, row, column, value)) == why


def test_encoded_one_hot_columns_may_hold_any_number(shapes):
    dataset, x = shapes(numbers=Standardize(), encode_one_hot=True)
    assert dataset.why_not_encoded(changed(x, 1, 2, 0.5)) == ""
    assert dataset.why_not_encoded(changed(x, 1, 1, np.nan)).startswith("row 1, counted from 0, has no 'width', but ")


def test_numbers_in_the_raw_range_are_named_if_it_is_far_from_the_encoded_range(shapes):
    dataset, x = shapes()
    std = 10 * np.arange(ROWS).std()
    assert dataset.why_perhaps_not_encoded(changed(x[:2], 1, slice(2), (150, 1.5))) == (
        f"row 1, counted from 0, has 150 for 'length', which encoded is {-55 / std:.3g} to {55 / std:.3g}"
    )
    assert dataset.why_perhaps_not_encoded(changed(x[:2], 1, slice(2), (150, 3.5))) == ""
    dataset, x = shapes(numbers=MinMax())
    assert dataset.why_perhaps_not_encoded(changed(x[:2], 1, slice(2), (150, 1.5))) == ""


KINDS = "0 to 5 for a0, a1, a2, b0, b1, b2; -1 for any other"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            np.zeros((2, 4)),
            "inputs of shape (2, 4) don't fit the table; expected (rows, 5): c, length, width, kind, fo",
        ),
        (
            np.zeros((2, 6)),
            "inputs of shape (2, 6) don't fit the table; expected (rows, 5): c, length, width, kind, fo",
        ),
        (np.zeros(5), "inputs of shape (5,) don't fit the table; expected (rows, 5): "),
        (np.full((2, 5), "1"), "inputs of shape (2, 5) don't fit the table; expected (rows, 5): "),
        (np.array([[5, 100, 1, 5, 2], [5, 100, 1, 6, 2]]), f"number of the column 'kind' is not the code of {KINDS}"),
        (np.array([[5, 100, 1, 0.5, 2]]), f"number of the column 'kind' is not the code of {KINDS}"),
        (np.array([[5, 100, 1, 0, -2]]), "number of the column 'form' is not the code of 0 to 2 for x, y, z; -1 for a"),
    ],
)
def test_raw_inputs_that_no_table_holds_are_refused_with_what_it_holds(shapes, raw, said):
    dataset, _ = shapes()
    with pytest.raises(ShapeError) as caught:
        dataset.encode(raw)
    assert said in str(caught.value).replace("a category; expected ", "")


def test_codes_of_unknown_and_missing_categories_are_zeros(shapes):
    dataset, x = shapes()
    rows = np.array([[5, 100, 0.5, 0, 0], [5, 100, 0.5, -1, 0], [5, 100, 0.5, np.nan, 0], [5, 100, np.nan, 0, 0]])
    found = dataset.encode(rows)
    np.testing.assert_allclose(found[0], x[0], rtol=1e-6)
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_array_equal(found[1] - found[0], np.eye(len(x[0]))[2] * -1)
    assert found[3, 1] == 0


@pytest.mark.parametrize("order", ["abc", ["length", "width", "kind", "form"], [*"abcde"], None, 1])
def test_a_state_orders_all_columns_that_it_encodes(shapes, order):
    dataset, _ = shapes()
    state = dataset.encoder_state()
    assert state["order"] == ["c", "length", "width", "kind", "form"]
    dataset.load_encoder_state(state | {"order": state["order"][::-1]})
    assert dataset.column_names() == ("form", "kind", "width", "length", "c")
    with pytest.raises(ModelFileError, match="doesn't order the columns that it encodes"):
        dataset.load_encoder_state(state | {"order": order})


@pytest.mark.parametrize(
    "change",
    [
        {"constant": ["z"]},
        {"constant": ["c", "c"]},
        {"constant": "c"},
        {"indicators": ["kind"]},
        {"indicators": ["length", "length"]},
        {"with_other": ["kind"]},
        {"with_other": ["c"]},
        {"classes": ["p"]},
        {"classes": []},
        {"classes": "pq"},
        {"categories": [["kind", ["a", "b"]], ["kind", ["x", "y"]]]},
        {"categories": [["kind", ["a", "a"]], ["form", ["x", "y"]]]},
        {"categories": [["kind", ["a", "b"]], ["length", ["x", "y"]]]},
        {"extents": [[0.0, 1.0]] * 2},
        {"extents": [[0.0, 1.0]] * 4},
        {"extents": [[0.0, 1.0]] * 2 + [[0.0, 1.0, 2.0]]},
        {"fills": [0.0] * 2},
        {"means": [0.0] * 4},
        {"stds": [1.0, 1.0, -1.0]},
        {"held": []},
        {"held": ["one_hot", "numbers"]},
        {"encodings": [{}]},
        {"of_categories": {"columns": [], "learned": {}}},
    ],
    ids=str,
)
def test_a_state_that_no_table_of_the_spec_has_is_refused(shapes, change):
    dataset, x = shapes()
    state = dataset.encoder_state()
    with pytest.raises(ModelFileError):
        dataset.load_encoder_state(state | change)
    assert taken(dataset)[0].tobytes() == x.tobytes()


@pytest.mark.parametrize(("most", "is_refused"), [(24, False), (23, True)])
def test_a_state_has_names_of_features_up_to_a_length(shapes, monkeypatch, most, is_refused):
    dataset, x = shapes()
    state = dataset.encoder_state()  # 6 times the name kind, 3 times form
    monkeypatch.setattr(encoder, "LONGEST_FEATURE_NAMES", most)
    if is_refused:
        with pytest.raises(ModelFileError, match="which no data set of this kind writes"):
            dataset.load_encoder_state(state)
        return
    dataset.load_encoder_state(state)
    assert taken(dataset)[0].tobytes() == x.tobytes()


def test_a_state_has_what_was_learned_and_no_more(shapes):
    dataset, _ = shapes(ignore=("form",), categorical=("kind",), categories_by_column={})
    kinds, std = ["a0", "a1", "a2", "b0", "b1", "b2"], float(np.arange(ROWS).std())
    assert dataset.encoder_state() == {
        "numbers": ["c", "length", "width"],
        "means": [5, 155, 1.5],
        "stds": [1, pytest.approx(10 * std), pytest.approx((2 / 3) ** 0.5)],
        "fills": [5, 155, 1.5],
        "categories": [["kind", kinds]],
        "classes": ["p", "q"],
        "extents": [[5, 5], [100, 210], [0.5, 2.5]],
        "held": ["one_hot"],
        "constant": ["c"],
        "order": ["c", "length", "width", "kind"],
    }

"""The spec that is proposed for a table."""

from __future__ import annotations

import json
import random
import re
import statistics
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from requirements import Optional

from mlpkit import DataError, shown_number
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables import column_guess

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

ROWS = 200
PRECAUTION = "no value is missing here; in new rows, the mean replaces it"


@pytest.fixture
def columns():
    """Return columns by name, drawn at random."""
    rng = random.Random(0)
    return {
        "size": [f"{rng.gauss(10, 3):.3f}" for _ in range(ROWS)],
        "colour": rng.choices(["red", "green", "blue"], k=ROWS),
        "kind": rng.choices(["a", "b"], k=ROWS),
    }


@pytest.fixture
def propose(tmp_path, monkeypatch):
    """Return a function that writes a CSV file and returns the proposal for it."""
    monkeypatch.chdir(tmp_path)

    def proposed(columns, target="kind", delimiter=",", name="t.csv", wishes=MappingProxyType({}), **files):
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        (tmp_path / name).write_text("".join(delimiter.join(map(_quoted, row)) + "\n" for row in rows))
        return Csv.propose({"train": name, **files}, target, **wishes)

    return proposed


def _quoted(text):
    return f'"{text}"' if set(str(text)) & set(",;") else str(text)


def data_of(proposal):
    ((_, parameters),) = proposal.spec["data"].items()
    return parameters


def reason(proposal, column):
    """Return why a column is left out; None if it isn't."""
    ignored = data_of(proposal).get("ignore", [])
    return proposal.comments["data", "csv", "ignore", ignored.index(column)] if column in ignored else None


def test_numbers_and_categories(propose, columns):
    assert data_of(propose(columns)) == {
        "file": "t.csv",
        "target": "kind",
        "predict": "classes",
        "categorical": ["colour"],
        "unknown": "zeros",
        "missing": "fill",
        "validation": 0.2,
        "test": 0.2,
    }


def test_files_of_splits_are_named(propose, columns):
    data = data_of(propose(columns, validation="v.csv", test="w.csv"))
    assert (data["validation"], data["test"]) == ("v.csv", "w.csv")


def test_large_tables_hold_out_the_usual_shares(propose):
    columns = {"size": list(range(0, 3000, 3)), "kind": ["a", "b"] * 500}
    assert not {"validation", "test"} & set(data_of(propose(columns)))


RARE_HALF = [f"town {i % 25}" for i in range(100)]
UNNAMED = "no name in the header, as an index of rows"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("PassengerId", [1000 + 7 * i for i in range(ROWS)], "an id: every row has a different number"),
        ("n", list(range(1, ROWS + 1)), "an id: every row has a different number"),
        ("n", list(range(ROWS)), "an id: every row has a different number"),
        ("", list(range(10, ROWS + 10)), UNNAMED),
        ("", [7 * i % 13 for i in range(ROWS)], UNNAMED),
        ("", ["1.5"] * (ROWS - 1) + ["2"], UNNAMED),
        ("Unnamed: 0", list(range(ROWS)), "an index, as pandas writes it"),
        ("country", ["NL"] * ROWS, "every value is 'NL'"),
        ("fax", [""] * ROWS, "every value is missing"),
        ("note", [f"text {i}" for i in range(ROWS)], "nearly every row has a different text, such as 'text 0'"),
        ("street", [f"street {i % 60}" for i in range(ROWS)], "60 different texts in 200 rows are too many"),
        ("street", [f"street {i % 100}" for i in range(ROWS)], "100 different texts in 200 rows are too many"),
        (
            "street",
            [f"street {i % 101}" for i in range(ROWS)],
            "nearly every row has a different text, such as 'street 0'",
        ),
        ("street", [f"street {i % 50}" for i in range(ROWS)], "50 different texts in 200 rows are too many"),
        ("town", [*RARE_HALF, "Ulm", *["Rom"] * 99], "27 different texts in 200 rows are too many"),
        (
            "when",
            [f"2020-01-{i % 28 + 1:02d}" if i % 2 else f"{i % 28 + 1}.1.2020" for i in range(ROWS)],
            "dates or times that are not all written in one common way, such as '1.1.2020'",
        ),
    ],
)
def test_what_is_left_out_and_why(propose, columns, name, values, expected):
    proposal = propose({name: values, **columns})
    assert reason(proposal, name) == expected
    assert name not in data_of(proposal).get("categorical", [])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("year", [1900 + i for i in range(ROWS)]),
        ("n", [i * i for i in range(ROWS)]),
        ("n", list(range(2, ROWS + 2))),
        ("ID", [i // 2 for i in range(ROWS)]),
        ("ID", [1000 + 7 * max(i, 21) for i in range(ROWS)]),
        ("rooms", [i % 5 for i in range(ROWS)]),
        ("member", ["true" if i % 3 else "False" for i in range(ROWS)]),
    ],
)
def test_numbers_that_are_kept(propose, columns, name, values):
    proposal = propose({name: values, **columns})
    assert reason(proposal, name) is None
    assert data_of(proposal)["categorical"] == ["colour"]


@pytest.mark.parametrize("values", [[f"street {i % 40}" for i in range(ROWS)], [*RARE_HALF, *["Rom"] * 100]])
def test_categories_of_which_at_most_half_the_rows_are_rare_are_kept(propose, columns, values):
    assert data_of(propose({"place": values, **columns}))["categorical"] == ["place", "colour"]


@pytest.mark.parametrize(("rows", "kept"), [(9, True), (10, False)])
def test_fewer_than_ten_numbers_are_no_ids(propose, rows, kept):
    few = {
        "ID": [3 * i for i in range(rows)],
        "size": [i % 4 for i in range(rows)],
        "kind": ["ab"[i % 2] for i in range(rows)],
    }
    assert (reason(propose(few), "ID") is None) == kept


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([f"2020-01-{i % 28 + 1:02d}" for i in range(ROWS)], ["when"]),
        ([f"{i % 28 + 1}.1.2020" for i in range(ROWS)], {"when": "%d.%m.%Y"}),
    ],
)
def test_dates(propose, columns, values, written):
    assert data_of(propose({"when": values, **columns}))["dates"] == written


@pytest.mark.parametrize(
    ("values", "parameter", "expected"),
    [
        ([f"${i}.50" for i in range(ROWS)], "symbols", ("$",)),
        ([f"{i / 7:.2f} %" for i in range(ROWS)], "symbols", ("%",)),
        ([f"{i + 1},{i:03d}" for i in range(ROWS)], "thousands", ","),
        ([f"$ {i + 1},{i:03d}.5" for i in range(ROWS)], "thousands", ","),
    ],
)
def test_ways_to_write_numbers(propose, columns, values, parameter, expected):
    proposal = propose({"price": values, **columns})
    assert data_of(proposal)[parameter] == expected
    assert reason(proposal, "price") is None


def test_numbers_with_a_few_texts_that_come_often_are_categories(propose, columns):
    proposal = propose({"dependants": ["0", "1", "2", "3+"] * 50, **columns})
    assert data_of(proposal)["categorical"] == ["dependants", "colour"]


def test_many_categories_are_kept_if_most_rows_are_of_frequent_ones(propose, columns):
    streets = [f"street {i % 30}" if i < 150 else f"lane {i}" for i in range(ROWS)]
    proposal = propose({"street": streets, **columns})
    assert data_of(proposal)["categorical"] == ["street", "colour"]
    assert data_of(proposal)["rare"] == 5
    assert proposal.comments["data", "csv", "rare"] == "with fewer rows, a category counts as other: 50 of street"
    streets = [f"street {i % 10}" if i < 90 else f"lane {i}" for i in range(ROWS)]
    assert reason(propose({"street": streets, **columns}), "street").startswith("nearly every row has a different text")


def test_dates_whose_day_may_be_the_month_say_so(propose, columns):
    proposal = propose({"when": [f"{i % 12 + 1}/{i % 9 + 1}/2020" for i in range(ROWS)], **columns})
    assert data_of(proposal)["dates"] == {"when": "%d/%m/%Y"}
    assert proposal.comments["data", "csv", "dates", "when"] == "all of them fit '%m/%d/%Y', too"


def test_texts_that_mean_a_missing_class(propose, columns):
    columns["kind"][:20] = ["n/a"] * 10 + ["?"] * 10
    proposal = propose(columns)
    assert data_of(proposal)["missing_texts"] == ["", "NA", "NaN", "nan", "null", "?", "n/a"]
    assert ("no target", "10% of the rows, left out") in proposal.decisions


def test_signs_may_be_classes(propose, columns):
    columns["kind"] = ["+", "-"] * (ROWS // 2)
    assert "missing_texts" not in data_of(propose(columns))


def test_copies_of_the_target_are_left_out(propose, columns):
    written = {"a": "ham", "b": "egg"}
    codes = [written[kind] for kind in columns["kind"]]
    assert reason(propose({"copy": codes, **columns}), "copy") == (
        "a copy of the target: it equals 'kind' in nearly every row"
    )
    codes[3] = "egg" if codes[3] == "ham" else "ham"
    assert reason(propose({"copy": codes, **columns}), "copy") is None
    assert data_of(propose({"copy": [*codes[:10], *["egg"] * (ROWS - 10)], **columns}))["categorical"] == [
        "copy",
        "colour",
    ]


@pytest.mark.parametrize(("others", "is_copy"), [(1, True), (2, False)])
def test_a_copy_of_classes_agrees_in_all_but_one_of_2000_rows(propose, others, is_copy):
    kinds = ["abc"[i % 3] for i in range(2000)]
    copy = ["xyz"[i % 3 if i >= others else 1 - i] for i in range(2000)]
    columns = {"size": [i * 7 % 13 for i in range(2000)], "copy": copy, "kind": kinds}
    assert (reason(propose(columns), "copy") is not None) == is_copy
    columns["copy"][9] = "w"
    assert reason(propose(columns), "copy") is None


@pytest.mark.parametrize(("values", "is_copy"), [(10, True), (9, False)])
def test_a_copy_of_numbers_has_ten_of_them_and_their_order(propose, values, is_copy):
    prices = [0.5 + i * 7 % values for i in range(ROWS)]
    columns = {"size": [i * 11 % 17 for i in range(ROWS)], "cost": [-(price**3) for price in prices], "price": prices}
    columns["cost"][3], columns["price"][4] = "", ""
    assert (reason(propose(columns, "price"), "cost") is not None) == is_copy
    columns["cost"][5:9] = [0.25, 0.125, 0.0625, 0.0]
    assert reason(propose(columns, "price"), "cost") is None


@pytest.mark.parametrize(("step", "is_copy"), [(56, True), (64, False)])  # Spearman's correlation 0.99957 and 0.99946
@pytest.mark.parametrize("sign", [1, -1])
def test_equal_numbers_share_their_mean_rank(propose, step, is_copy, sign):
    order = [i * 37 % ROWS for i in range(ROWS)]
    columns = {"size": [i * 11 % 17 for i in range(ROWS)], "price": [place + 0.5 for place in order]}
    columns["cost"] = [sign * int(place**1.5 / step) for place in order]
    for target, other in (("price", "cost"), ("cost", "price")):
        assert (reason(propose(columns, target, wishes={"predict": "values"}), other) is not None) == is_copy


@pytest.mark.parametrize(("rows", "split"), [(49, "shuffle"), (50, None)])
def test_few_rows_of_values_are_split_at_random(propose, rows, split):
    columns = {"size": [i * 7 % 23 for i in range(rows)], "price": [i * i / 4 for i in range(rows)]}
    assert data_of(propose(columns, "price")).get("split") == split
    assert "split" not in data_of(propose(columns, "price", validation="v.csv", test="w.csv"))
    assert data_of(propose(columns, "price", validation="v.csv")).get("split") == split


def test_a_rising_function_of_a_target_of_numbers_is_a_copy(propose, columns):
    cubes = {"cube": [float(size) ** 3 for size in columns["size"]], **columns}
    assert reason(propose(cubes, target="size"), "cube").startswith("a copy of the target")
    assert reason(propose(columns, target="size"), "kind") is None


def test_a_column_that_is_there_only_where_the_target_is_constant_is_no_copy(propose):
    half = ROWS // 2
    columns = {"size": [*range(half), *[""] * half], "price": [*[7.5] * half, *(i * 0.37 for i in range(half))]}
    assert reason(propose(columns, target="price"), "size") is None


@pytest.mark.parametrize(
    ("values", "predict"),
    [
        (["a", "b"] * 100, "classes"),
        ([0, 1] * 100, "classes"),
        ([0.5, 1.5] * 100, "classes"),
        ([1, 2, 3, 4] * 50, "classes"),
        ([0.5, 1, 1.5, 2] * 50, "values"),
        (list(range(100)) * 2, "values"),
        ([i * 0.37 for i in range(200)], "values"),
        (["1", "2", "?", "3"] * 50, "classes"),
        ([0, 0, 1, 2] * 49 + [9, 15, 23, 48], "values"),
    ],
)
def test_classes_or_values(propose, columns, values, predict):
    proposal = propose({**columns, "y": values}, target="y")
    assert data_of(proposal)["predict"] == predict
    assert (proposal.spec["layers"][-1] == "MeanSquaredError") == (predict == "values")


def test_large_numbers_and_whole_ones_are_written_plainly(propose, columns):
    columns["price"] = [113_000 + 100 * (i * 37 % 101) for i in range(ROWS)]
    columns["owns"] = [("0.0", "1.0")[i % 2] for i in range(ROWS)]
    assert "mean 118,000, standard deviation 2,9" in dict(propose(columns, target="price").decisions)["target"]
    assert dict(propose(columns, target="owns").decisions)["target"] == "owns, 2 classes: 0 50%, 1 50%"


def test_poisson_is_named_for_counts(propose, columns):
    columns["visits"] = [0, 0, 1, 2] * 49 + [9, 15, 23, 48]
    proposal = propose(columns, target="visits")
    advice = "if they are counts, try Poisson in place of MeanSquaredError, with scale_target: none"
    assert advice in proposal.comments["data", "csv", "predict"]
    assert advice in dict(proposal.decisions)["target"]
    assert "Poisson" not in dict(propose(columns, target="size").decisions)["target"]
    for least, is_named in ((1, True), (2, False)):
        columns["visits"] = [least, *[least + 1, least + 1, least + 3] * 66, 40]
        assert (advice in dict(propose(columns, target="visits").decisions)["target"]) == is_named
    columns["visits"][7] = 1.5
    assert "Poisson" not in dict(propose(columns, target="visits").decisions)["target"]


@pytest.mark.parametrize("target", [("a", "b"), ("b", "a", "b")])
@pytest.mark.parametrize(
    ("values", "predict", "loss"), [([1.5, 2, 4], "values", "MeanSquaredError"), (None, "labels", "SigmoidWithLoss")]
)
def test_several_targets(propose, columns, target, values, predict, loss):
    rng = random.Random(1)
    columns |= {name: rng.choices(values or choices, k=ROWS) for name, choices in (("a", ["yes", "no"]), ("b", [0, 1]))}
    proposal = propose(columns, target[0], wishes={"targets": target})
    data = data_of(proposal)
    assert (set(data["target"]), data["predict"]) == ({"a", "b"}, predict)
    assert proposal.spec["layers"][-1] == loss
    assert not {"a", "b"} & {*data.get("ignore", ())}
    file, given = data.pop("file"), {key: value for key, value in data.items() if key != "target"}
    assert Csv(file, tuple(data["target"]), **given).describe().input_shape == (6,)


def test_rows_that_lack_one_of_several_targets_are_counted(propose, columns):
    rng = random.Random(1)
    columns |= {name: [rng.gauss(0, 1) for _ in range(ROWS)] for name in "ab"}
    columns["a"][3], columns["b"][5] = "", ""
    decisions = dict(propose(columns, "a", wishes={"targets": ("a", "b")}).decisions)
    assert decisions["no target"] == "1% of the rows, left out"
    assert decisions["target"].startswith("a, b, numbers: a: mean ")


def test_a_text_among_several_targets(propose, columns):
    expected = r"t.csv, row 2, column 'colour': '\w+' is not a number, but labels and values are numbers; "
    with pytest.raises(DataError, match=expected + "predict it in a separate spec"):
        propose(columns, "size", wishes={"targets": ("size", "colour")})


@pytest.mark.parametrize(
    ("predict", "values", "expected"),
    [
        ("values", [1, 2, 3, 4] * 50, "MeanSquaredError"),
        ("values", ["yes", "no"] * 100, "MeanSquaredError"),
        ("classes", [*range(40)] * 5, "SoftmaxWithLoss"),
        ("labels", ["yes", "no"] * 100, "SigmoidWithLoss"),
        (
            "values",
            ["red", "blue"] * 100,
            "row 2, column 'y': 'red' is not a number, but labels and values are numbers; ",
        ),
        ("labels", [0, 1, 1, 7] * 50, "row 5, column 'y': 7 is not a label; expected 0 or 1; write --predict values"),
    ],
)
def test_what_to_predict_can_be_said(propose, columns, predict, values, expected):
    given = {"columns": {**columns, "y": values}, "target": "y", "wishes": {"predict": predict}}
    if " " in expected:
        with pytest.raises(DataError, match=re.escape(expected)):
            propose(**given)
        return
    proposal = propose(**given)
    assert data_of(proposal)["predict"] == predict
    assert expected in str(proposal.spec["layers"][-1])


def test_columns_to_drop_and_the_one_that_says_what_belongs_together(propose, columns):
    columns["patient"] = [f"p{i // 4}" for i in range(ROWS)]
    proposal = propose(columns, wishes={"drop": ("colour",), "id": "patient"})
    data = data_of(proposal)
    assert (data["ignore"], data["split"]) == (["colour"], {"group": "patient"})
    assert "categorical" not in data
    assert reason(proposal, "colour") == "dropped with --drop"
    assert dict(proposal.decisions)["id"] == "patient: rows of the same come into the same split"


def test_missing_values_are_filled_and_their_texts_named(propose, columns):
    for row, text in ((3, "?"), (7, ""), (9, "n/a")):
        columns["size"][row] = text
    proposal = propose(columns)
    data = data_of(proposal)
    assert data["missing"] == "fill"
    assert proposal.comments["data", "csv", "missing"] == "2% of size"
    assert data["missing_texts"] == ["", "NA", "NaN", "nan", "null", "?", "n/a"]


def test_numbers_that_mark_missing_values_are_listed_in_inputs_and_targets(propose, columns):
    columns["size"][:10] = [-999] * 10
    columns["height"] = [*columns["size"][10:], *["-99.9"] * 10]
    proposal = propose(columns, target="height")
    others = sorted(map(float, columns["height"][:190]))
    about = f"in 10 rows, all others from {others[0]:.12g} to {others[-1]:.12g}"
    data = data_of(proposal)
    assert (data["missing_numbers"], data["missing"]) == ({"size": [-999], "height": [-99.9]}, "indicate")
    assert proposal.comments["data", "csv", "missing_numbers", "height"] == f"-99.9 {about}"
    assert proposal.comments["data", "csv", "missing"] == "5% of size"
    named = [text for label, text in proposal.decisions if label == "sentinel"]
    assert [text.partition(":")[0] for text in named] == [f"size has -999 {about}", f"height has -99.9 {about}"]
    assert ("no target", "5% of the rows, left out") in proposal.decisions
    mean, deviation = shown_number(statistics.fmean(others)), shown_number(statistics.pstdev(others))
    assert proposal.comments["data", "csv", "predict"] == f"numbers: mean {mean}, standard deviation {deviation}"


def test_rows_without_a_target_are_counted(propose, columns):
    columns["kind"][5] = ""
    proposal = propose(columns)
    assert proposal.comments["data", "csv", "missing"] == PRECAUTION
    assert ("no target", "1 of the rows, left out") in proposal.decisions


def test_decimal_commas_and_semicolons(propose, columns):
    columns["size"] = [size.replace(".", ",") for size in columns["size"]]
    data = data_of(propose(columns, delimiter=";"))
    assert (data["delimiter"], data["decimal"]) == (";", ",")
    assert data["categorical"] == ["colour"]


def test_a_file_without_names_has_columns_by_number(propose, columns, tmp_path):
    propose(columns)
    lines = (tmp_path / "t.csv").read_text().splitlines(keepends=True)
    (tmp_path / "u.csv").write_text("".join(lines[1:]))
    data = data_of(Csv.propose({"train": "u.csv"}, "column3"))
    assert data["header"] == ["column1", "column2", "column3"]
    assert data["categorical"] == ["column2"]


def test_a_large_table_is_guessed_from_rows_all_over_it(propose, columns, monkeypatch):
    monkeypatch.setattr(column_guess, "MOST_CELLS", 3000)
    many = {name: values * 20 for name, values in columns.items()}
    many["size"][::40] = ["?"] * 100
    proposal = propose(many)
    label, text = proposal.decisions[0]
    assert label == "rows"
    found = re.fullmatch(r"4,000 of t.csv; what its columns hold was guessed from (\d+) of its 4,000 rows", text)
    assert 400 <= int(found[1]) <= 1000
    data = data_of(proposal)
    assert data["missing"] == "fill"
    assert "?" in data["missing_texts"]


def test_a_wide_table_is_guessed_from_few_rows(propose, columns, monkeypatch):
    monkeypatch.setattr(column_guess, "MOST_CELLS", 3000)
    wide = {f"x{number}": range(number, number + ROWS) for number in range(500)}
    proposal = propose({**wide, **columns})
    assert re.search(r"guessed from \d\d of its 200 rows", proposal.decisions[0][1])


def test_rows_that_come_in_a_rhythm_are_all_seen(propose, monkeypatch):
    monkeypatch.setattr(column_guess, "MOST_CELLS", 100)
    columns = {"size": [number * 0.1 for number in range(1024)], "kind": ["a", "b"] * 512}
    assert "2 classes: a " in propose(columns).decisions[1][1]


def test_a_file_of_another_kind_is_left_to_other_data_sets():
    assert Csv.propose({"train": "a.parquet"}, "kind") is None
    assert Parquet.propose({"train": "a.csv"}, "kind") is None


def test_parquet_gives_the_same_columns_as_csv(propose, columns, tmp_path):
    columns["size"][4] = ""
    columns = {"id": list(range(ROWS)), **columns, "nothing": [""] * ROWS}
    from_csv = data_of(propose(columns))
    table = pa.table(
        {
            **columns,
            "size": [float(size) if size else None for size in columns["size"]],
            "nothing": pa.nulls(ROWS),
            "tags": [["a", "b"]] * ROWS,
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    from_parquet = data_of(Parquet.propose({"train": "t.parquet"}, "kind"))
    assert from_parquet.pop("ignore") == [*from_csv.pop("ignore"), "tags"]
    assert from_parquet.pop("file") == "t.parquet"
    assert {"file": "t.csv", **from_parquet} == from_csv


def test_a_table_without_rows_or_with_nothing_to_learn_from_is_refused(propose, columns, tmp_path):
    with pytest.raises(DataError, match=r"^t.csv, row 2: no rows are given; expected one for each example$"):
        propose({"size": [], "kind": []})
    with pytest.raises(DataError, match=r"^t.csv: no column but 'kind' is left to learn from: it is the only one$"):
        propose({"kind": columns["kind"]})
    five = "; ".join(f"c{number}: dropped with --drop" for number in range(5))
    many = {f"c{number}": columns["size"] for number in range(7)}
    with pytest.raises(DataError, match=rf"^t.csv: no column but 'kind' is left to learn from: {five}$"):
        propose({**many, "kind": columns["kind"]}, wishes={"drop": tuple(many)})
    pq.write_table(pa.table({"size": pa.array([], pa.float64()), "kind": pa.array([], pa.string())}), "t.parquet")
    with pytest.raises(DataError, match=r"^t.parquet, row 1: no rows are given; expected one for each example$"):
        Parquet.propose({"train": "t.parquet"}, "kind")


def test_a_target_with_a_text_of_its_own_in_each_row_holds_no_classes(propose, columns):
    with pytest.raises(DataError, match="column 'note': nearly every row has a different text, such as 'text 0'; "):
        propose({**columns, "note": [f"text {i}" for i in range(ROWS)]}, target="note")


def every_kind(rows):
    """Return columns of every kind that a guess tells apart, with telling numbers of what is missing or rare."""
    rng = random.Random(2)
    numbers = range(rows)
    columns = {
        "no": [3 + 2 * i for i in numbers],
        "patient": [f"p{i // 4}" for i in numbers],
        "age": ["" if i % 50 == 7 else "?" if i % 90 == 8 else f"{rng.gauss(40, 9):.1f}" for i in numbers],
        "temp": ["-999" if i % 31 == 3 else f"{rng.gauss(15, 8):.1f}" for i in numbers],
        "rate": ["-99.9" if i % 37 == 5 else f"{rng.gauss(2, 1):.1f}" for i in numbers],
        "country": ["NL"] * rows,
        "fax": [""] * rows,
        "town": [f"town {i % 6}" if i % 40 else f"village {i}" for i in numbers],
        "colour": rng.choices(["red", "green"], k=rows),
        "born": [f"19{10 + i % 83}-0{1 + i % 9}-1{i % 10}" if i % 60 else "n/a" for i in numbers],
        "seen": [f"{i % 12 + 1}/{i % 9 + 1}/2020" for i in numbers],
        "kind": [("ham", "ham", "egg")[i % 3] for i in numbers],
        "price": [f"{20 + i * 37 % 101 / 4:.2f}" for i in numbers],
        "sold": ["" if i % 80 == 3 else f"{i * 13 % 7}" for i in numbers],
    }
    columns["kind"][9:13] = ["oak", "n/a", "", "n/a"]
    return columns


PROPOSALS = {
    "classes of groups": (600, "kind", {"id": "patient", "drop": ("price", "sold")}, ",", {}),
    "several values of few rows": (49, "price", {"targets": ("price", "sold"), "drop": ("kind",)}, ";", {}),
    "labels": (60, "colour", {"targets": ("colour", "t"), "drop": ("kind", "price", "sold")}, ",", {"test": "w.csv"}),
}


def test_a_first_spec_is_word_for_word_what_it_was(propose, golden):
    shown = {}
    for name, (rows, target, wishes, delimiter, files) in PROPOSALS.items():
        columns = every_kind(rows)
        if name == "labels":
            columns = {**columns, "t": [i % 5 // 4 for i in range(rows)], "colour": ["yes", "no", "no"] * (rows // 3)}
        proposal = propose(columns, target, delimiter, wishes=wishes, **files)
        comments = [
            [".".join(map(str, path)), text] for path, text in proposal.comments.items() if "layers" not in path
        ]
        shown[name] = {"data": proposal.spec["data"], "comments": comments, "decisions": proposal.decisions}
    style = {"sort_keys": False, "width": 120, "default_flow_style": None, "allow_unicode": True}
    golden(Path(__file__).parent / "first_spec.golden.yaml", yaml.safe_dump(json.loads(json.dumps(shown)), **style))

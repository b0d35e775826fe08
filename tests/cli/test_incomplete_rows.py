"""Rows that lack a value, which no row did in training: the others are predicted."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from requirements import Optional, require_package

import mlpkit

pd = Optional("pandas")

ROWS = 60
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "age": RNG.normal(40, 10, ROWS).round(1),
        "town": np.array(["Ulm", "Bonn"])[np.arange(ROWS) % 2],
        "rank": np.array(["low", "high"])[np.arange(ROWS) // 30],
        "fare": RNG.normal(size=ROWS),
        "kind": np.array(["a", "b"])[np.arange(ROWS) % 2],
        "wet": np.arange(ROWS) % 2,
        "cold": np.arange(ROWS) // 2 % 2,
    }
)
NEW = TABLE[["age", "town", "rank", "fare"]].iloc[:6].copy()
NEW.loc[1, "age"] = np.nan
NEW.loc[4, ["age", "town"]] = None
ABSENT = [False, True, False, False, True, False]
NAMED = "2 of 6 rows have missing values, which no training row had: row 1 (age), row 4 (age, town), counted from 0"
REMEDY = "fill in age, town, leave these rows out, or train with missing set to fill"
TARGETS = {
    "classes": ("kind", [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]),
    "labels": (["wet", "cold"], [{"Affine": {"units": 2}}, "SigmoidWithLoss"]),
    "values": (["wet", "cold"], [{"Affine": {"units": 2}}, "MeanSquaredError"]),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return what trains a run of some target once, and returns its folder."""
    folder = tmp_path_factory.mktemp("incomplete")
    TABLE.to_csv(folder / "t.csv", index=False)
    NEW.to_csv(folder / "new.csv", index=False)

    def run(predict, **data):
        directory = folder / "_".join([predict, *data.values()])
        if not directory.exists():
            target, layers = TARGETS[predict]
            ignore = [name for name in ("kind", "wet", "cold") if name not in target]
            table = {"file": str(folder / "t.csv"), "target": target, "predict": predict, "ignore": ignore}
            table |= {
                "categorical": ["town"],
                "ordinal": {"rank": ["low", "high"]},
                "test": 0.2,
                "validation": 0,
                **data,
            }
            training = {"optimizer": "adam", "epochs": 1}
            keys = {"mlpkit": 1, "data": {"csv": table}, "layers": layers, "training": training}
            mlpkit.run(mlpkit.load_spec(keys), directory)
        return directory

    return run


@pytest.mark.parametrize("predict", TARGETS)
@pytest.mark.parametrize("options", [[], ["--keep-inputs"]])
def test_the_others_are_predicted_and_its_cells_are_empty(predict, options, trained, invoke, tmp_path):
    require_package("pyarrow")
    folder = trained(predict)
    new = folder.parent / "new.csv"
    for ending in (".csv", ".jsonl", ".parquet"):
        result = invoke("predict", str(folder), str(new), "--out", str(tmp_path / f"p{ending}"), *options)
        assert result.code == 0
        assert f"{new}: {NAMED}; {REMEDY}; they have no prediction" in result.err
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    table = pd.read_parquet(tmp_path / "p.parquet")
    predicted = [name for name in rows[0] if name.startswith(("predicted", "probability"))]
    for name in predicted:
        assert [row[name] == "" for row in rows] == ABSENT
        assert [line[name] is None for line in lines] == ABSENT
        assert table[name].isna().tolist() == ABSENT
    model, whole = mlpkit.load(folder), NEW.dropna()
    expected = model.predict(whole) if predict == "values" else model.predict_proba(whole)
    assert [float(row[predicted[-1]]) for row in rows if row[predicted[-1]]] == pytest.approx(expected[:, -1], rel=1e-5)


@pytest.mark.parametrize("predict", TARGETS)
def test_a_terminal_and_json_leave_it_empty(predict, trained, invoke):
    folder = trained(predict)
    new = str(folder.parent / "new.csv")
    lines = invoke("predict", str(folder), new).out.splitlines()
    assert [len(line.split()) == 1 for line in lines[1:]] == ABSENT
    rows = [json.loads(line) for line in invoke("predict", str(folder), new, "--json").out.splitlines()]
    first = [row["class"] if predict == "classes" else row["values"]["wet"] for row in rows]
    assert [value is None for value in first] == ABSENT


def test_without_a_whole_row_nothing_is_predicted(trained, invoke, tmp_path):
    NEW.iloc[[1, 4]].to_csv(tmp_path / "new.csv", index=False)
    result = invoke("predict", str(trained("classes")), str(tmp_path / "new.csv"))
    assert result.code == 1
    assert result.err == f"error: {tmp_path / 'new.csv'}: every row has a missing value; {REMEDY}\n"


@pytest.mark.parametrize(("index", "first", "second"), [(None, "1", "4"), ([*"uvwxyz"], "'v'", "'y'")])
def test_python_names_all_of_them(index, first, second, trained):
    rows, model = NEW.copy(), mlpkit.load(trained("classes"))
    if index is not None:
        rows.index = index
    with pytest.raises(mlpkit.DataError) as caught:
        model.predict(rows)
    named = f"row {first} (age), row {second} (age, town)"
    assert str(caught.value).startswith(
        f"the rows: 2 of 6 rows have missing values, which no training row had: {named}"
    )
    assert str(caught.value).endswith(REMEDY)
    assert len(model.predict(rows.dropna())) == 4


@pytest.mark.parametrize("missing", ["fill", "indicate"])
def test_what_replaces_a_missing_value_predicts_all_rows(missing, trained, invoke):
    result = invoke("predict", str(trained("classes", missing=missing)), str(trained("classes").parent / "new.csv"))
    assert "lack" not in result.err
    assert [len(line.split()) for line in result.out.splitlines()[1:]] == [3] * 6


def test_a_category_that_is_not_listed_is_not_a_missing_value(trained):
    model = mlpkit.load(trained("classes", unknown="zeros"))
    with pytest.warns(UserWarning, match="'middle'; they count as the mean"):
        assert len(model.predict(NEW.dropna().assign(rank="middle"))) == 4


def test_a_wrong_value_goes_by_the_label_of_its_row(trained):
    rows = NEW.dropna().set_axis([*"uvwx"])
    rows["age"] = [40, 41, "old", 43]
    with pytest.raises(mlpkit.DataError, match=r"^the rows, row 'w', column 'age': 'old' is not a finite number"):
        mlpkit.load(trained("classes")).predict(rows)

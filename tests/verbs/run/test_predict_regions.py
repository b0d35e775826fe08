"""Intervals and sets in what ``mlpkit predict`` and ``mlpkit evaluate`` print and write, and in the report."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from requirements import Optional

import mlpkit
from mlpkit.cli.verbs import program

parquet = Optional("pyarrow.parquet")

RNG = np.random.default_rng(1)
ROWS = 200
AREA = RNG.uniform(20, 200, ROWS).round(2)
PRICE = (3 * AREA + 20 * RNG.normal(size=ROWS)).round(2)
RENT = (AREA + RNG.normal(size=ROWS)).round(2)
SIZE = np.array(["small", "medium", "large"])[np.digitize(AREA + 15 * RNG.normal(size=ROWS), [70, 130])]
DATA = {
    "values": {"target": "price", "predict": "values", "scale_target": "standardize"},
    "several": {"target": ["price", "rent"], "predict": "values", "scale_target": "standardize"},
    "quantiles": {"target": "price", "predict": "values", "scale_target": "standardize"},
    "classes": {"target": "size"},
}
LOSSES = {"classes": "SoftmaxWithLoss", "quantiles": {"Pinball": {"quantiles": [0.1, 0.5, 0.9]}}}


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        with Path("homes.csv").open("w", newline="") as file:
            rows = zip(AREA, PRICE, RENT, SIZE, strict=True)
            csv.writer(file).writerows([["area", "price", "rent", "size"], *rows])
        with Path("rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["area"], *zip(AREA[:5], strict=True)])
        for kind, of_data in DATA.items():
            table = {"file": "homes.csv", "inputs": ["area"], "validation": 0.3, "test": 0.2, **of_data}
            how = {"optimizer": {"adam": {"learning_rate": 0.02}}, "epochs": 8, "batch_size": 20}
            layers = [{"Affine": {"units": 4}}, "Tanh", {"Affine": {"units": "auto"}}]
            keys = {"mlpkit": 1, "data": {"csv": {**table, "standardize": True}}, "training": how, "coverage": 0.8}
            keys["layers"] = [*layers, LOSSES.get(kind, "MeanSquaredError")]
            mlpkit.run(mlpkit.load_spec(keys), kind)
        yield keys


def printed(*arguments):
    done = CliRunner().invoke(program, [*map(str, arguments)], prog_name="mlpkit")
    assert done.exit_code == 0, done.output
    return done.stdout


def columns_of(kind):
    """The columns that are expected, from the model in Python."""
    model = mlpkit.load(kind)
    if kind == "classes":
        return {"set": ["|".join(np.array(model.classes)[of_row]) for of_row in model.predict_set("rows.csv")]}
    ends = model.predict_interval("rows.csv")
    if kind != "several":
        return {"low": ends[:, 0], "high": ends[:, 1]}
    names = ["price_low", "price_high", "rent_low", "rent_high"]
    return dict(zip(names, ends.reshape(-1, 4).T, strict=True))


def assert_same(found, expected):
    if isinstance(expected[0], str):
        assert [*found] == [*expected]
    else:
        np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=1e-5)


@pytest.mark.parametrize("kind", DATA)
def test_files_and_documents_have_the_columns_of_regions(kind, tmp_path):
    expected = columns_of(kind)
    printed("predict", kind, "rows.csv", "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-len(expected) :] == list(expected)
    printed("predict", kind, "rows.csv", "--out", tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    documents = [json.loads(line) for line in printed("predict", kind, "rows.csv", "--json").splitlines()]
    for name, values in expected.items():
        for found in (rows, lines, documents):
            assert_same([row[name] for row in found], values)
    printed("predict", kind, "rows.csv", "--out", tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    for name, values in expected.items():
        assert_same(table[name].to_pylist(), values)


@pytest.mark.parametrize("kind", DATA)
def test_the_terminal_shows_regions_beside_predictions(kind):
    heading, *lines = printed("predict", kind, "rows.csv").splitlines()
    expected = columns_of(kind)
    assert heading.split()[-len(expected) :] == list(expected)
    cells = zip(*(line.split()[-len(expected) :] for line in lines), strict=True)
    for found, values in zip(cells, expected.values(), strict=True):
        assert_same(found, values)


def test_without_the_key_there_are_no_such_columns(runs):
    mlpkit.run(mlpkit.load_spec({**runs, "coverage": None}), "without")
    assert "set" not in printed("predict", "without", "rows.csv").splitlines()[0].split()
    document = json.loads(printed("predict", "without", "rows.csv", "--json").splitlines()[0])
    assert document.keys() == {"row", "class", "probability", "classes", "probabilities"}
    assert "coverage" not in printed("evaluate", "without")


@pytest.mark.parametrize("kind", DATA)
def test_evaluate_tells_what_was_promised_and_found(kind):
    found = json.loads(printed("evaluate", kind, "--json"))
    assert "regions" not in found["validation"]
    regions, model = found["test"]["regions"], mlpkit.load(kind)
    assert (regions["promised"], regions["doubt"], regions["are_sets"]) == (0.8, "", kind == "classes")
    assert regions["held_out"] == model.network.states["coverage.held_out"]
    names = [each["name"] for each in regions["of"]]
    expected = {"several": ["price", "rent"], "classes": ["all rows", "large", "medium", "small"]}
    assert names == expected.get(kind, ["all rows"])
    low, high = regions["of"][0]["theory"]
    assert 0.55 < low < 0.8 < high <= 1
    assert low <= regions["of"][0]["share"] <= high
    text = printed("evaluate", kind)
    assert f"test coverage: 80 % promised, by {regions['held_out']} held-out rows" in text
    assert max(map(len, text.splitlines())) <= 80
    for each in regions["of"]:
        assert re.search(rf"{each['name']} +{each['rows']} +{100 * each['share']:.1f} %", text)


@pytest.mark.parametrize("kind", DATA)
def test_regions_of_a_file_are_counted_as_they_are_predicted(kind):
    found = json.loads(printed("evaluate", kind, "--data", "homes.csv", "--json"))["data"]["regions"]
    model = mlpkit.load(kind)
    if kind == "classes":
        sets, numbers = model.predict_set("homes.csv"), [model.classes.index(name) for name in SIZE]
        inside, sizes = sets[np.arange(ROWS), numbers], sets.sum(axis=1)
        groups = [np.ones(ROWS, bool), *(np.array(numbers) == number for number in range(3))]
        expected = [(rows.sum(), inside[rows].mean(), sizes[rows].mean()) for rows in groups]
    else:
        ends = model.predict_interval("homes.csv").reshape(ROWS, -1, 2)
        true = np.stack([PRICE, RENT], axis=1)[:, : ends.shape[1]].astype(np.float32)
        inside = (ends[..., 0] <= true) & (true <= ends[..., 1])
        expected = [(ROWS, inside[:, i].mean(), np.ptp(ends, axis=2)[:, i].mean()) for i in range(true.shape[1])]
    of = [(each["rows"], each["share"], each["size"]) for each in found["of"]]
    np.testing.assert_allclose(of, expected, rtol=1e-5)


def test_groups_of_rows_have_their_own_lines():
    regions = json.loads(printed("evaluate", "values", "--data", "homes.csv", "--by", "size", "--json"))["data"][
        "regions"
    ]
    ends = mlpkit.load("values").predict_interval("homes.csv")
    true = PRICE.astype(np.float32)
    inside = (ends[:, 0] <= true) & (true <= ends[:, 1])
    of = {each["name"]: (each["rows"], each["share"], each["theory"]) for each in regions["of"]}
    for name in ("small", "medium", "large"):
        rows = name == SIZE
        assert of[f"size {name}"] == (rows.sum(), pytest.approx(inside[rows].mean()), None)
    assert "size medium" in printed("evaluate", "values", "--by", "size")


def test_the_report_has_a_section_on_coverage(tmp_path):
    for kind, heading in (("classes", "classes"), ("several", "width")):
        page = mlpkit.report(kind, tmp_path / f"{kind}.html").read_text()
        (section,) = re.findall(r'<section aria-labelledby="coverage">.*?</section>', page, re.DOTALL)
        regions = json.loads(printed("evaluate", kind, "--json"))["test"]["regions"]
        assert f"80 % promised, by {regions['held_out']} held-out rows." in section
        assert f">{heading}<" in section
        assert all(each["name"] in section and f"{100 * each['share']:.1f} %" in section for each in regions["of"])

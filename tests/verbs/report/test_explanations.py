"""Why rows are predicted as they are, and how predictions depend on columns, in a report."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.explanations import column_of_inputs, encoded
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.report.importance import dependence_curves
from mlpkit.verbs.report.predictions import explained_rows

TRAINING = {"optimizer": {"adam": {"learning_rate": 0.05}}, "batch_size": 32, "epochs": 30}
DAYS = [f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 26)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a table whose target depends on a number, a category and a date, and hardly on another number."""
    home = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    town, size, noise = (
        rng.choice(["Ulm", "Bonn", ""], 300),
        rng.normal(100, 20, 300).round(1),
        rng.normal(size=300).round(2),
    )
    rows = [
        f"{a},{b},{c},{day},{3 * float(a) + 50 * (b == 'Ulm')}"
        for a, b, c, day in zip(size, town, noise, DAYS, strict=True)
    ]
    (home / "table.csv").write_text("\n".join(["size,town,noise,day,price", *rows]))
    data = {"file": str(home / "table.csv"), "target": "price", "predict": "values", "categorical": ["town"]}
    spec = {
        "mlpkit": 1,
        "name": "prices",
        "data": {"csv": {**data, "dates": ["day"], "missing": "fill"}},
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "training": TRAINING,
    }
    mlpkit.run(mlpkit.load_spec(spec), home / "run", quiet=True)
    return home / "run"


def charts(text, title):
    part = re.search(rf'<h2 id="[^"]*">{title}</h2>.*?</section>', text, re.DOTALL)[0]
    return [json.loads(chart) for chart in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def values_of(chart):
    return chart["data"]["values"]


def test_the_largest_residuals_are_explained_and_two_columns_have_curves(run):
    text = mlpkit.report(run).read_text("utf-8")

    explained = charts(text, "Largest residuals")
    assert len(explained) == 4
    assert "Row " in explained[0]["description"]
    assert {bar["column"].split(" = ")[0] for bar in values_of(explained[0])} == {"size", "town", "noise", "day"}
    [row] = re.findall(r"Row (\d+): price (\S+), (\S+) on average", explained[0]["description"])
    total = float(row[2]) + sum(bar["adds"] for bar in values_of(explained[0]))
    assert total == pytest.approx(float(row[1]), abs=0.1)
    curves = charts(text, "Importance of inputs")
    assert [curve["description"] for curve in curves[1:]] == [
        "Prediction of price by size",
        "Prediction of price by town",
    ]
    assert [bar["value"] for bar in values_of(curves[2])] == ["Bonn", "Ulm", "missing"]
    assert not (run / "background.safetensors").exists()


def curve(run, name):
    model, names = load_run(run), ["size", "town", "noise", "day"]
    raw = {each: mlpkit.load(run)._trained.dataset.read_table(run.parent / "table.csv")[each] for each in names}
    x = encoded(model, raw)
    column_of = column_of_inputs(lambda rows: encoded(model, rows), raw)
    number = names.index(name)
    part = dependence_curves(model, raw, x, column_of, [(number, name)])
    return values_of(json.loads(re.search(r'<script type="application/json">(.*?)</script>', part)[1])), raw


def test_a_curve_is_the_mean_prediction_with_the_column_set_to_a_value(run):
    points, raw = curve(run, "size")
    model, some = mlpkit.load(run), np.unique(np.linspace(0, 299, 200).astype(int))

    for point in points[::6]:
        rows = {name: [values[i] for i in some] for name, values in raw.items()} | {"size": [point["value"]] * 200}
        predicted = model.predict(rows)
        assert point["mean"] == pytest.approx(predicted.mean(), rel=1e-4)
        assert point["q25"] == pytest.approx(np.quantile(predicted, 0.25), rel=1e-4)
    numbers = [point["value"] for point in points]
    assert numbers == sorted(numbers)
    assert len(numbers) == 25


def test_of_many_dates_some_are_shown_in_their_order(run):
    days = [point["value"] for point in curve(run, "day")[0]]

    assert len(days) == 8
    assert days == sorted(days)


@pytest.mark.parametrize(("flops", "rows"), [(0, 4), (3_125_000, 4), (3_125_001, 3), (12_500_000, 1), (12_500_001, 0)])
def test_as_many_rows_are_explained_as_there_is_time_for(flops, rows, monkeypatch):
    """All take at most 10 billion operations: 200 orders there and back, of two columns."""
    explained = []

    def explain_raw(model, raw, background, orders):
        explained.append(len(raw["a"]))
        raise mlpkit.UsageError("enough")

    monkeypatch.setattr("mlpkit.verbs.report.predictions.drawn_background", lambda model, train: None)
    monkeypatch.setattr("mlpkit.verbs.report.predictions.explain_raw", explain_raw)
    model = SimpleNamespace(network=SimpleNamespace(flops=flops))
    raw = {"a": [*range(6)], "b": [*range(6)]}
    with pytest.raises(mlpkit.UsageError, match=r"^enough$" if rows else r"^it would take longer than the rest of the"):
        explained_rows(model, None, raw, np.arange(6), [0] * 6)
    assert explained == [rows] * bool(rows)

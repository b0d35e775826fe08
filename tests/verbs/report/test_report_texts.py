"""What a report says in words: how the training ended, the data, what is left out, and why."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from page_text import page_text

import mlpkit
from mlpkit.pages.charts import engine
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.terminal.figures import figures
from mlpkit.verbs.report import report as report_module

ask = engine.ask
BY_HAND = "shuffle a column of your rows, and compare mlpkit.load(run).evaluate(rows)"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 12 steps on 39 of 60 rows of three numbers."""
    home = tmp_path_factory.mktemp("report")
    x = np.random.default_rng(0).normal(size=(60, 3))
    np.savez(home / "data.npz", x=x, t=(x[:, 1] > 0.2).astype(int))
    layers = [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    optimizer = {"adam": {"learning_rate": 0.05}}
    spec = {
        "mlpkit": 1,
        "name": "small",
        "seed": 3,
        "data": {"npz": {"file": str(home / "data.npz"), "validation": 0.2, "test": 0.15}},
        "layers": layers,
        "training": {"optimizer": optimizer, "iterations": 12, "evaluate_every": 3, "batch_size": 8, "slices": 1},
    }
    mlpkit.run(mlpkit.load_spec(spec), home / "run", quiet=True)
    return home / "run"


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Leave charts undrawn, which takes most of the time."""
    monkeypatch.setattr(engine, "ask", lambda what, **given: "" if what == "vegalite_to_svg" else ask(what, **given))


@pytest.fixture
def copied(run, tmp_path):
    return shutil.copytree(run, tmp_path / "run")


def texts_of(page):
    """Return the paragraphs, captions and titles of a page's sections, by their headings."""
    sections = re.findall(r"<section.*?<h2[^>]*>(.*?)</h2>(.*?)</section>", page, re.DOTALL)
    kinds = re.compile(r"<(p|caption|figcaption|summary)>(.*?)</\1>")
    return {title: [html.unescape(text) for _, text in kinds.findall(inside)] for title, inside in sections}


def test_a_finished_run_in_words(run):
    page = mlpkit.report(run).read_text("utf-8")

    texts, metrics = texts_of(page), json.loads((run / "metrics.json").read_text())
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    best = min(history, key=lambda record: record["validation_loss"])
    best_loss = f"best validation loss {best['validation_loss']:.4f}, at iteration {best['iteration']}"
    outcome, data, *noticed, caption = texts["Result"]
    assert outcome == f"Trained for 12 iterations: test {figures(metrics['test'])}; {best_loss}."
    assert data == "Data: npz, examples: 39 in train, 12 in validation, 9 in test; inputs of shape (3,); 2 classes."
    assert all(each.startswith("Noticed at iteration 12: too few steps: ") for each in noticed)
    assert caption == "At the end"
    assert texts["Curves"] == [
        "Loss",
        f"Marked: {best_loss}.",
        "Learning rate: 0.05 throughout.",
        "Evaluations",
        "All evaluations",
    ]
    assert texts["Importance of inputs"][0].startswith(
        "How much the loss increases when a column is shuffled among 9 rows of test. "
    )
    dependence = [text for text in texts["Importance of inputs"] if text.startswith("Prediction of 1 by input ")]
    assert len(dependence) == 2  # of the two most important columns
    assert texts["Activations and gradients"][1:] == [
        f"{name}: {what}" for name in ("Affine1", "Relu1", "Affine2") for what in ("activations", "gradients")
    ]
    plan = re.findall(r'<tr><td class="text">(seed|slices|BLAS threads)</td><td class="text">(\d+)</td></tr>', page)
    assert dict(plan[:2]) == {"seed": "3", "slices": "1"}


def test_a_run_that_was_stopped_and_other_data_in_words(copied):
    (copied / "metrics.json").unlink()
    history = (copied / "history.jsonl").read_text().splitlines(keepends=True)
    (copied / "history.jsonl").write_text("".join(history[:3]))
    lock = json.loads((copied / "lock.json").read_text())
    (copied / "lock.json").write_text(json.dumps(lock | {"data_checksum": "0" * 64}))

    outcome, data, changed, *_ = texts_of(mlpkit.report(copied).read_text("utf-8"))["Result"]

    assert outcome == f"Stopped after 9 of 12 iterations; start a new run: mlpkit run {copied}/resolved.yaml."
    assert data.startswith("Data: npz, examples: 39 in train")
    assert changed.startswith("the data is not what the network was trained on: data_checksum: 000000000000... then, ")


def test_with_a_single_evaluation_none_is_the_best(copied):
    history = (copied / "history.jsonl").read_text().splitlines(keepends=True)
    (copied / "history.jsonl").write_text(history[-1])
    outcome = texts_of(mlpkit.report(copied).read_text("utf-8"))["Result"][0]
    assert outcome.startswith("Trained for 12 iterations: test loss ")
    assert "best" not in outcome


def mixing(model):
    """Return how a data set may encode rows so that each input depends on two columns."""
    encode = model.dataset.encode
    model.dataset.encode = lambda raw: encode(raw) @ np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], np.float32)
    return model


def test_importance_is_left_out_if_an_input_mixes_columns(run, tmp_path, monkeypatch):
    load_run = report_module.load_run
    monkeypatch.setattr(report_module, "load_run", lambda *given: mixing(load_run(*given)))
    texts = texts_of(mlpkit.report(run, tmp_path / "page.html").read_text("utf-8"))
    assert f"Left out, importance of inputs: an input of the network mixes several; {BY_HAND}" in texts["Result"]
    assert "Importance of inputs" not in texts
    assert [*texts].index("Most confident mistakes") + 1 == [*texts].index("Layers")


def test_a_run_with_one_column_and_no_mistakes_leaves_nothing_out(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 1))
    x += np.sign(x)  # so two units tell the classes apart at once
    np.savez(tmp_path / "data.npz", x=x, t=(x[:, 0] > 0).astype(int))
    spec = {
        "mlpkit": 1,
        "data": {"npz": {"file": str(tmp_path / "data.npz")}},
        "layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"],
        "training": {"optimizer": {"adam": {"learning_rate": 0.1}}, "iterations": 50},
    }
    run = mlpkit.run(mlpkit.load_spec(spec), tmp_path / "run", quiet=True)
    texts = texts_of(mlpkit.report(run).read_text("utf-8"))
    assert "Importance of inputs" not in texts
    assert texts["Most confident mistakes"] == ["No mistake among 4 rows of test."]
    assert not any(text.startswith("Left out") for text in texts["Result"])


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """An ensemble of two networks with a coverage and groups of rows; its numbers are computed in float64."""
    home = tmp_path_factory.mktemp("towns")
    rows = ["area,age,town,price"]
    for i in range(60):
        area, age, town = (i * 37 % 41 - 13) / 8, (i * 23 % 29) / 4, ("north", "south", "west")[i % 7 % 3]
        rows.append(f"{area},{age},{town},{3 * area - age + (i * 11 % 17 - 7) / 8}")
    (home / "towns.csv").write_text("\n".join(rows))
    table = {"file": str(home / "towns.csv"), "target": "price", "predict": "values", "ignore": ["town"]}
    optimizer = {"sgd": {"learning_rate": 0.1}}
    spec = {
        "mlpkit": 1,
        "name": "towns",
        "dtype": "float64",
        "data": {"csv": {**table, "split": "shuffle", "validation": 0.2, "test": 0.25}},
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "training": {"optimizer": optimizer, "iterations": 25, "evaluate_every": 10, "metrics": ["r2"]},
        "ensemble": {"members": 2},
        "coverage": 0.8,
        "by": ["town"],
    }
    mlpkit.run(mlpkit.load_spec(spec), home / "run", quiet=True)
    return home / "run"


def test_the_page_of_an_ensemble(towns, golden):
    without = ("Curves", "Predicted and true", "Spec", "To repeat this run")
    page = mlpkit.report(towns).read_text("utf-8")
    golden(Path(__file__).parent / "pages/ensemble.txt", page_text(page, without=without))


def test_groups_that_are_asked_for_need_the_data_and_those_of_the_spec_do_not(towns, tmp_path):
    run, data = shutil.copytree(towns, tmp_path / "run"), towns.parent / "towns.csv"
    data.rename(tmp_path / "moved.csv")
    try:
        texts = texts_of(mlpkit.report(run, tmp_path / "page.html").read_text("utf-8"))
        with pytest.raises(mlpkit.SpecError, match=r"towns\.csv"):
            mlpkit.report(run, tmp_path / "other.html", by="town")
    finally:
        (tmp_path / "moved.csv").rename(data)
    (left_out,) = (text for text in texts["Result"] if text.startswith("Left out, what needs the run's data: "))
    assert "towns.csv" in left_out
    assert ("By group" in texts, (tmp_path / "other.html").exists()) == (False, False)


def test_a_model_that_is_not_finite_is_left_out(copied):
    model = load_model_file(copied / "model.safetensors")
    arrays = {name: np.full_like(each, np.nan) if name == "Affine2.b" else each for name, each in model.arrays.items()}
    save_model(copied / "model.safetensors", arrays, model.metadata)

    texts = texts_of(mlpkit.report(copied).read_text("utf-8"))

    (left_out,) = (text for text in texts["Result"] if "left out" in text)
    assert left_out == (
        f"Layers and predictions are left out: {copied}/model.safetensors: can't be used: the parameter Affine2.b "
        "(2 of 2 values) is not finite; train again, with a lower learning rate"
    )
    assert not texts.keys() & {"Layers", "Classes", "Probabilities"}
    assert texts["Curves"]

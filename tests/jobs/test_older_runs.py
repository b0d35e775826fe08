"""Run folders that earlier versions wrote still load, evaluate and resume."""

from __future__ import annotations

import json
import platform
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import mlpkit
from mlpkit.jobs.evaluate import evaluate
from mlpkit.jobs.predict import predict
from mlpkit.training.events import Observer, StopRequest

VERSIONS = sorted(path for path in (Path(__file__).parent / "older_runs").iterdir() if path.is_dir())
OPTIMIZERS = ("sgd", "adam", "adamw")
FEW_BITS = 1e-3
"""How far float32 may be off where another processor computes."""


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def older(request, tmp_path, monkeypatch):
    """Go to a copy of the folders that a version wrote, and return it."""
    shutil.copytree(request.param, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platform, "release", lambda: "6")  # as when they were written
    return tmp_path


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_model_predicts_what_it_predicted(older, optimizer):
    expected = json.loads((older / "predictions.json").read_text())[optimizer]
    inputs = np.array([[0.5, -1, 1, 0, 0], [2, 0.5, 0, 1, 0], [-1, -2, 0, 0, 1], [0, 0, 0, 0, 0]], np.float32)
    network = mlpkit.load_model(older / optimizer / "finished/model.safetensors")
    np.testing.assert_allclose(network.predict(inputs), expected, rtol=FEW_BITS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_evaluation_finds_what_the_run_found(older, optimizer):
    found = evaluate(older / optimizer / "finished")
    assert found.doubt == ""
    expected = json.loads((older / optimizer / "finished/metrics.json").read_text())
    assert found.metrics.keys() == expected.keys()
    for split, figures in expected.items():
        assert found.metrics[split] == pytest.approx(figures, rel=FEW_BITS)


def test_raw_rows_are_encoded_as_they_were(older):
    predictions = predict(older / "sgd/finished", older / "plants.csv")
    assert "".join(predictions.label(row)[0] for row in range(16)) == "mmfmmffmfmffmmfm"
    assert predictions.values.max(axis=1)[:3] == pytest.approx([0.5110, 0.8173, 0.6940], abs=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_interrupted_run_comes_to_what_the_whole_run_came_to(older, optimizer):
    whole, interrupted = older / optimizer / "finished", older / optimizer / "interrupted"
    before = len(history(interrupted))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = mlpkit.resume(interrupted)
    doubts = [str(warning.message) for warning in told]
    assert all("the same bits as without the break are no longer certain" in doubt for doubt in doubts)
    assert (run.stopped, run.steps) == ("", history(whole)[-1]["iteration"])
    assert len(run.history) > before
    for found, expected in zip(history(interrupted), history(whole), strict=True):
        assert found == pytest.approx(expected, rel=FEW_BITS)
    if not doubts:
        weights, expected = (load_file(folder / "model.safetensors") for folder in (interrupted, whole))
        assert weights.keys() == expected.keys()
        for name, array in weights.items():
            np.testing.assert_array_equal(array, expected[name])


@pytest.mark.filterwarnings("ignore:.*the same bits as without the break are no longer certain:UserWarning")
def test_a_network_that_predicts_values_is_resumed(older):
    mlpkit.resume(older / "values/interrupted")
    whole = history(older / "values/finished")
    for found, expected in zip(history(older / "values/interrupted"), whole, strict=True):
        assert found == pytest.approx(expected, rel=FEW_BITS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_finished_run_is_returned_as_it_is(older, optimizer):
    folder = older / optimizer / "finished"
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file() and path.name != ".lock"}
    assert mlpkit.resume(folder).history == history(folder)
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.filterwarnings("ignore:.*the same bits as without the break are no longer certain:UserWarning")
def test_it_may_be_interrupted_and_resumed_once_more(older):
    class Interruption(Observer):
        def evaluated(self, record, seconds):
            stop.stop("SIGTERM")

    folder, stop = older / "adamw/interrupted", StopRequest()
    resolved = (folder / "resolved.yaml").read_bytes()
    halfway = mlpkit.resume(folder, observer=Interruption(), stop=stop)
    assert halfway.stopped == "SIGTERM"
    run = mlpkit.resume(folder)
    assert (run.stopped, run.steps) == ("", history(older / "adamw/finished")[-1]["iteration"])
    assert run.steps > halfway.steps
    assert (folder / "resolved.yaml").read_bytes() == resolved

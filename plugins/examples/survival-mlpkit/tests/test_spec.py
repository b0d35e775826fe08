"""The spec rossi.yaml: training, a kill and resuming, trace, sweep, prediction and exports."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mlpkit

SPEC = Path(__file__).parents[1] / "rossi.yaml"
SHORT = {"training.epochs": 20, "training.checkpoint": {"every": 1}, "training.best_weights": None}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a short run."""
    return mlpkit.run(mlpkit.load_spec(SPEC, overrides=SHORT), tmp_path_factory.mktemp("runs") / "run", quiet=True)


def test_it_learns_what_it_is_told_of_the_columns(run):
    assert run.metrics["train"]["survival.concordance"] > 0.6
    rows = np.tile([0, 25, 1, 1, 0, 1, 3], (4, 1))
    rows[1, 0], rows[2, 1], rows[3, 6] = 1, 40, 10  # aid, age and convictions
    plain, with_aid, older, convicted = mlpkit.load(run.folder).predict(rows)[:, 0]
    assert with_aid < plain
    assert older < plain
    assert convicted > plain


def test_killed_and_resumed_it_has_the_same_bits(run, tmp_path):
    folder = tmp_path / "killed"
    given = [f"--set={key}={json.dumps(value)}" for key, value in SHORT.items()]
    command = [sys.executable, "-m", "mlpkit", "run", SPEC, "--quiet", "--out", folder, *given]
    with subprocess.Popen(command) as training:
        while not list(folder.glob("checkpoints/step-*.safetensors")):
            assert training.poll() is None
            time.sleep(0.001)
        training.kill()
    assert not (folder / "model.safetensors").exists()
    mlpkit.resume(folder, quiet=True)
    for file in ("model.safetensors", "history.jsonl", "metrics.json"):
        assert (folder / file).read_bytes() == (run.folder / file).read_bytes()


def test_a_step_can_be_traced(run):
    trace = mlpkit.trace(run.folder, run.steps)
    for name, value in run.network.parameters.items():
        np.testing.assert_array_equal(trace.parameters_after[name], value)


def test_a_sweep_finds_how_to_treat_ties(tmp_path):
    search = {"search": {"layers.CoxLoss1.ties": ["efron", "breslow"]}, "sampler": "grid"}
    sweep = mlpkit.sweep(mlpkit.load_spec(SPEC, overrides=SHORT | {"sweep": search}), tmp_path / "sweep", workers=1)
    assert {trial.values["layers.CoxLoss1.ties"] for trial in sweep.trials} == {"efron", "breslow"}
    assert [trial.problem for trial in sweep.trials] == ["", ""]


@pytest.mark.parametrize("ending", ["c", "onnx"])
def test_an_exported_file_predicts_the_same(ending, run, tmp_path):
    export = mlpkit.export(run.folder, tmp_path / f"model.{ending}")
    if export.warning:
        pytest.skip(export.warning)  # no C compiler, or no onnxruntime
    assert export.rows == 43

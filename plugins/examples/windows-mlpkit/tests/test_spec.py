"""The spec load.yaml: training, a kill and resuming, trace, sweep, prediction and exports."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from windows_mlpkit.gru import Gru
from windows_mlpkit.series import EXAMPLE, Series

import mlpkit

SPEC = Path(__file__).parents[1] / "load.yaml"
SHORT = {"data.window": 8, "training.epochs": 3, "training.checkpoint": {"every": 1}, "training.best_weights": None}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a short run."""
    return mlpkit.run(mlpkit.load_spec(SPEC, overrides=SHORT), tmp_path_factory.mktemp("runs") / "run", quiet=True)


def test_it_learns(run):
    assert run.metrics["test"]["mean_absolute_error"] < 4


def test_it_predicts_what_follows_a_file(run):
    windows = Series(str(EXAMPLE), target="load", inputs=["load", "temperature"], window=8).read(EXAMPLE)
    assert windows.shape == (1193, 8, 2)
    assert mlpkit.load(run.folder).predict(windows[-1:]).shape == (1, 3)


@pytest.mark.skipif(Gru.computed_by == "NumPy", reason="mlpkit has no compiled kernels")
def test_a_row_has_the_same_bits_in_any_batch(run):
    x = np.random.default_rng(0).normal(size=(64, 8, 2)).astype(np.float32)
    whole = run.network.predict(x)
    np.testing.assert_array_equal(np.concatenate([run.network.predict(x[i : i + 1]) for i in range(64)]), whole)


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


def test_a_sweep_finds_a_size(tmp_path):
    search = {"search": {"layers.Gru1.units": [4, 8]}, "sampler": "grid"}
    sweep = mlpkit.sweep(mlpkit.load_spec(SPEC, overrides=SHORT | {"sweep": search}), tmp_path / "sweep", workers=1)
    assert {trial.values["layers.Gru1.units"] for trial in sweep.trials} == {4, 8}
    assert [trial.problem for trial in sweep.trials] == ["", ""]


@pytest.mark.parametrize("ending", ["c", "onnx"])
def test_an_exported_file_predicts_the_same(ending, run, tmp_path):
    export = mlpkit.export(run.folder, tmp_path / f"model.{ending}")
    if export.warning:
        pytest.skip(export.warning)  # no C compiler, or no onnxruntime
    assert export.rows == 178

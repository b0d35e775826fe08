"""Evaluating a trained network."""

from __future__ import annotations

import json
import re
from shutil import rmtree

import numpy as np
import pytest
from idx_files import write_idx
from peak_memory import with_peak

import mlpkit
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import ComponentFailure, DataError, DivergenceError, RunFolderError, UsageError
from mlpkit.jobs.evaluate import Examples, evaluate
from mlpkit.jobs.inputs import Inputs
from mlpkit.jobs.predict import predict
from mlpkit.registry.registry import Registry
from mlpkit.runs.model_file import load_model_file, save_model


def test_one_hot_targets_take_what_their_rows_take():
    def one_hot():
        numbers = np.array([0, 29_999])
        t = np.empty((2, 30_000))
        Examples(Classes(30_000, one_hot=True), Inputs(np.zeros((2, 4)), "rows"), numbers).take(
            np.arange(2), (np.empty((2, 4)), t)
        )
        return t

    t, peak = with_peak(one_hot)

    assert np.argwhere(t == 1).tolist() == [[0, 0], [1, 29_999]]
    assert (t.sum(), peak < 10e6) == (2, True)


@pytest.mark.parametrize(
    ("target", "targets", "message"),
    [
        (Classes(3), np.array([0, 2, 1, 3]), "row 3, counted from 0, is of class 3; the model knows 0 to 2"),
        (Classes(3), np.array([0, 2, -1, 3]), "row 2, counted from 0, is of class -1; the model knows 0 to 2"),
        (Classes(3), np.array([0, 2, 1]), "has targets of shape (3,); expected (4)"),
        (Labels(2), np.zeros((4, 3)), "has targets of shape (4, 3); expected (4, 2)"),
        (Values((2,)), np.zeros(4), "has targets of shape (4,); expected (4, 2)"),
    ],
)
def test_targets_that_a_model_can_not_have_are_refused(target, targets, message):
    with pytest.raises(DataError, match=rf"^rows: {re.escape(message)}$"):
        Examples(target, Inputs(np.zeros((4, 5)), "rows"), targets)
    weighted = Examples(Classes(3), Inputs(np.arange(8).reshape(4, 2)), np.array([0, 2, 1, 2]), np.arange(4) / 4)
    out = np.empty((2, 2)), np.empty(2), np.empty(2)
    weighted.take(np.array([3, 1]), out)
    assert (len(weighted), [array.tolist() for array in out]) == (4, [[[6, 7], [2, 3]], [2, 2], [0.75, 0.25]])


def test_evaluation_repeats_the_metrics_of_the_run(train, work):
    run = train()
    assert evaluate(work / "run").metrics == run.metrics


def test_data_that_changed_but_can_be_read_leave_a_warning(train, work):
    train()
    assert evaluate(work / "run").warning == ""
    file = work / "digits/t10k-images-idx3-ubyte"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert evaluate(work / "run").warning.startswith("the data is not what the network was trained on: data_checksum: ")


def test_one_split_can_be_asked_for(train, work):
    run = train()
    assert evaluate(work / "run", ["test"]).metrics == {"test": run.metrics["test"]}


def test_a_split_that_is_not_there_is_refused(train, work):
    train()
    with pytest.raises(UsageError, match="mnist has no split 'tset'; expected one of train, validation, test"):
        evaluate(work / "run", ["tset"])


def test_on_two_blas_threads_evaluation_still_repeats_the_metrics_of_the_run(train, work):
    run = train(training__threads=2)
    assert evaluate(work / "run").metrics == run.metrics


def test_data_that_changed_are_noticed(train, work):
    train()
    (work / "digits/train-labels-idx1-ubyte").write_bytes(b"no labels")
    with pytest.raises(DataError, match="train-labels-idx1-ubyte"):
        evaluate(work / "run")


def test_data_of_another_shape_is_refused_before_it_is_read(train, work):
    train()
    for name, count in (("train", 250), ("t10k", 60)):
        write_idx(work / f"digits/{name}-images-idx3-ubyte", np.zeros((count, 3, 4), np.uint8))
    with pytest.raises(UsageError) as caught:
        evaluate(work / "run")
    assert str(caught.value) == (
        "mnist gives inputs of shape (12,), and the network was trained on inputs of shape (784,); restore the data "
        "that it was trained on"
    )


def test_a_data_set_that_fails_is_named(work):
    (work / "acme.py").write_text(
        "import pathlib\n"
        "from mlpkit import Classes, Dataset, Description, component, hookimpl\n"
        "class Rows:\n"
        "    def __len__(self): return 4\n"
        "    def take(self, indices, out):\n"
        "        out[0][:] = 1\n"
        "        out[1][:] = 0\n"
        "class Remote(Dataset):\n"
        "    def describe(self): return Description((4,), Classes(10), {'train': 4})\n"
        "    def open(self, seed):\n"
        "        if pathlib.Path('away').exists(): raise ConnectionError('the server is away')\n"
        "        return {'train': Rows()}\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('dataset', 'remote', Remote)]\n"
    )
    overrides = {"data": "acme.remote", "training.batch_size": 2}
    run = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=["acme.py"]), "run")
    registry = Registry.discover(plugins=["acme.py"])
    assert evaluate(work / "run", registry=registry).metrics == run.metrics
    (work / "away").touch()
    with pytest.raises(ComponentFailure, match=r"dataset acme\.remote failed in open: ConnectionError"):
        evaluate(work / "run", registry=registry)


def test_a_table_is_made_at_the_end_and_stands_in_no_history(train, work):
    run = train(training__metrics=["accuracy", "confusion_matrix"])
    assert all("train_accuracy" in record for record in run.history)
    assert not any(key.endswith("confusion_matrix") for record in run.history for key in record)
    found = evaluate(work / "run")
    assert found.metrics == run.metrics == json.loads((work / "run/metrics.json").read_text())
    assert found.tables == {"confusion_matrix": ("target", "predicted")}
    for split, figures in found.metrics.items():
        counts = np.array(figures["confusion_matrix"])
        assert counts.shape == (10, 10), split
        assert np.trace(counts) / counts.sum() == pytest.approx(figures["accuracy"])


def test_tables_change_nothing_else(train):
    plain = train(None)
    run = train(None, training__metrics=["accuracy", "confusion_matrix"])
    for figures in run.metrics.values():
        del figures["confusion_matrix"]
    assert (run.history, run.metrics) == (plain.history, plain.metrics)


def test_a_model_that_is_not_finite_is_no_model(train, work):
    train()
    file = work / "run/model.safetensors"
    model = load_model_file(file)
    model.arrays["Affine1.W"][0, :3] = np.nan
    save_model(file, model.arrays, model.metadata)
    np.save(work / "rows.npy", np.zeros((2, 28, 28)))
    for use in (lambda: evaluate(work / "run"), lambda: predict(work / "run", work / "rows.npy")):
        with pytest.raises(DivergenceError) as caught:
            use()
        assert caught.value.exit_code == 1
        assert str(caught.value) == (
            f"{file}: can't be used: the parameter Affine1.W (3 of 12,544 values) is not finite; "
            "train again, with a lower learning rate"
        )


def test_a_loss_that_is_not_finite_is_no_result(train, work):
    train()
    file = work / "run/model.safetensors"
    model = load_model_file(file)
    model.arrays["Affine2.W"][:] = 3e38
    save_model(file, model.arrays, model.metadata)
    with pytest.raises(DivergenceError, match=r"run: the train loss is (nan|inf); check the data for values out of"):
        evaluate(work / "run")


def test_after_a_kill_resume_is_named_if_there_is_a_checkpoint(train, work):
    train(training__checkpoint={"every": 20})
    for name in ("model.safetensors", "metrics.json"):
        (work / "run" / name).unlink()
    with pytest.raises(
        RunFolderError, match=r"holds no model.safetensors: the run is not finished; resume it with: mlpkit r"
    ):
        evaluate(work / "run")
    rmtree(work / "run/checkpoints")
    with pytest.raises(RunFolderError, match=r"the run is not finished; start a new run: mlpkit run .*/resolved.yaml"):
        evaluate(work / "run")

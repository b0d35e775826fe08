"""``mlpkit trace``."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from requirements import require_package

import mlpkit


@pytest.fixture
def run(cwd, invoke):
    """Return the folder of a finished run of 4 steps, with a checkpoint after the second."""
    assert invoke("run", "tiny.yaml", "--out", "run", "--quiet", "--set", "training.checkpoint.every=2").code == 0
    (cwd / "run/checkpoints/step-000000004.safetensors").unlink()
    return "run"


def cells(line):
    return re.split(" {2,}", line.strip())


def test_a_step_as_text(run, invoke):
    traced = mlpkit.trace(run, 4)
    done = invoke("trace", run, "--step", 4)
    assert (done.code, done.err) == (0, "repeating 2 steps, from the checkpoint after step 2\n")
    lines = done.out.splitlines()
    assert lines[0] == "step 4 of run, epoch 1.33"
    assert lines[1].startswith(f"loss {traced.loss:.4f}, learning rate 0.1, gradient norm ")
    rows = [str(row) for row in traced.rows]
    assert lines[2] == f"minibatch of 50 examples: rows {', '.join(rows[:11])}, ... {rows[11]} of the training split"
    assert lines[4] == "where the loss comes from; probability is that of the label"
    assert cells(lines[5]) == ["example", "row", "label", "predicted", "probability", "loss", "share of loss"]
    worst = traced.example(traced.largest_losses()[0])
    assert cells(lines[6])[:4] == [str(worst.number), str(worst.row), worst.label, worst.predicted]


def test_one_example_in_words(run, invoke):
    traced = mlpkit.trace(run, 3)
    done = invoke("trace", run, "--step", 3, "--example", 17)
    assert done.code == 0
    example = traced.example(17)
    lines = done.out.splitlines()
    begin = lines.index(f"example 17: row {example.row} of the training split")
    assert lines[begin + 1].startswith(f"label {example.label}, predicted {example.predicted}, probability of ")
    assert lines[begin + 2 :] == [f"loss {example.loss:.4f}, {example.share:.1%} of the minibatch's"]


def test_json_has_the_same_and_the_arrays_of_the_example(run, invoke):
    traced = mlpkit.trace(run, 4)
    found = json.loads(invoke("trace", run, "--step", 4, "--example", 2, "--json").out)
    assert (found["step"], found["began_after"], found["loss"]) == (4, 2, traced.loss)
    assert [each["row"] for each in found["examples"]] == traced.rows.tolist()
    assert found["largest_losses"] == traced.largest_losses()
    assert found["norms"]["gradient"] == pytest.approx(
        np.sqrt(sum((array.astype(float) ** 2).sum() for array in traced.gradient.values()))
    )
    weights = found["gradient"]["Affine1.W"]
    assert weights["mean"] == pytest.approx(traced.gradient["Affine1.W"].mean(), abs=1e-9)
    assert (weights["shape"], sum(weights["histogram"]), len(weights["edges"])) == ([16, 5], 80, 25)
    layers = {layer["layer"]: layer for layer in found["example"]["layers"]}
    assert list(layers) == ["Affine1", "Relu1", "Affine2", "SoftmaxWithLoss1"]
    assert layers["Relu1"]["output"] == traced.outputs["Relu1"][1].tolist()
    assert layers["Relu1"]["output_gradient"] == traced.output_gradients["Relu1"][1].tolist()
    assert (layers["Affine1"]["input_gradient"], layers["SoftmaxWithLoss1"]["output"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--step", 4, "--example", 51], "step 4 has no example 51; its minibatch has examples 1 to 50"),
        (["--step", 4, "--example", 0], "step 4 has no example 0; its minibatch has examples 1 to 50"),
        (["--step", 5], "run: has no step 5; expected one from 1 to 4, its last"),
        (["--step", 0], "0 is not a step; steps are numbered from 1"),
        ([], "Missing option '--step'"),
    ],
)
def test_wrong_usage(run, invoke, options, said):
    done = invoke("trace", run, *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "again" not in done.err


def test_a_file_that_cannot_be_written_is_refused_before_the_step_is_done_again(run, invoke):
    done = invoke("trace", run, "--step", 4, "--html", "nowhere/step.html")
    assert (done.code, done.out) == (1, "")
    said = "error: nowhere/step.html: can't be written: No such file or directory; check that its folder still exists\n"
    assert done.err == said


def test_a_page_is_written_with_the_example(run, invoke, cwd):
    require_package("vl_convert")
    done = invoke("trace", run, "--step", 3, "--example", 17, "--html", "step.html")
    assert (done.code, done.err.splitlines()[-1]) == (0, "written to step.html")
    text = (cwd / "step.html").read_text()
    assert "<h1>Step 3 of run</h1>" in text
    assert "xample 17" in text


def test_a_diverged_step_says_so(cwd, invoke):
    rate = "training.optimizer.sgd.learning_rate=1e30"
    message = invoke("run", "tiny.yaml", "--out", "run", "--quiet", "--set", rate).err
    step = re.search(r"the loss of step (\d+) ", message)[1]
    done = invoke("trace", "run", "--step", step)
    assert done.code == 0
    assert f"training diverged: the loss of step {step} is" in done.out
    assert "gradient norm" not in done.out


def test_another_numpy_is_said(run, invoke, cwd):
    lock = json.loads((cwd / "run/lock.json").read_text())
    lock["environment"]["numpy"] = "1.0.0"
    (cwd / "run/lock.json").write_text(json.dumps(lock))
    done = invoke("trace", run, "--step", 1)
    assert done.code == 0
    assert "warning: run: the same bits as in the run are no longer guaranteed: environment.numpy: 1.0.0" in done.err


def test_of_several_seeds_the_runs_are_named(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--seeds", 2, "--out", "both", "--quiet").code == 0
    done = invoke("trace", "both", "--step", 1)
    assert (done.code, done.out) == (2, "")
    assert "both: holds the runs of several seeds; give one of them: both/seed-0, both/seed-1" in done.err
    assert invoke("trace", "both/seed-1", "--step", 1).code == 0


def test_what_a_page_needs_is_named_before_the_step_is_done_again(run, invoke, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = invoke("trace", run, "--step", 4, "--html", "page.html")
    assert (done.code, done.out) == (2, "")
    assert 'install it with: pip install "mlpkit[plot]"' in done.err
    assert "doing 2 steps again" not in done.err

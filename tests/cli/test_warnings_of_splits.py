"""Warnings about rows and splits: the commands that they are news to print them, once each, and no others."""

from __future__ import annotations

import pytest

SPEC = """\
mlpkit: 1
name: t
data: {csv: {file: t.csv, target: kind, validation: valid.csv}}
layers: [Affine: {units: auto}, SoftmaxWithLoss]
training: {optimizer: {sgd: {learning_rate: 0.1}}, batch_size: 20, epochs: 2, best_weights: loss}
sweep: {search: {training.optimizer.sgd.learning_rate: [0.1, 0.2]}, minimize: validation_loss, trials: 2}
"""
UNLIKE = (
    "the splits differ, so results and best weights may mislead: "
    "class 'no' is 50% of train, 100% of validation; 1 more class differs"
)
NO_TARGET = "t.yaml:3:35: warning: 2 rows have no target in t.csv, and are left out\n"


@pytest.fixture
def spec(cwd):
    kinds = [*("no", "yes") * 100, "", ""]
    (cwd / "t.csv").write_text("x,kind\n" + "".join(f"{i % 97},{kind}\n" for i, kind in enumerate(kinds)))
    (cwd / "valid.csv").write_text("x,kind\n" + "".join(f"{i},no\n" for i in range(40)))
    (cwd / "t.yaml").write_text(SPEC)


def test_who_tells_that_splits_are_not_alike(spec, cwd, invoke):
    for verb in (["check"], ["data"], ["run", "--quiet"], ["sweep", "--quiet"]):
        done = invoke(*verb, "t.yaml")
        assert done.code == 0
        assert done.err.count(UNLIKE) == 1
        assert "give validation examples that are drawn like the training examples" in done.err
    for verb in (["evaluate", "runs/t"], ["predict", "runs/t", "t.csv"], ["report", "runs/t"]):
        done = invoke(*verb)
        assert (done.code, done.err) == (0, "")
    done = invoke("init", "--data", "t.csv", "--validation", "valid.csv", "--target", "kind", "--out", "own.yaml")
    assert done.err.count(UNLIKE) == 1


def test_rows_without_a_target_take_a_line_where_they_are_news(spec, invoke):
    for verb in (["check"], ["data"], ["run", "--quiet"]):
        assert NO_TARGET + "\n" in invoke(*verb, "t.yaml").err
    assert "no target" not in invoke("evaluate", "runs/t").err
    done = invoke("init", "--data", "t.csv", "--target", "kind", "--out", "own.yaml")
    assert done.err == ""
    assert "no target" in done.out

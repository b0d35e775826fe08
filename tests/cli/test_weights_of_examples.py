"""A table whose rows have weights, from the first mistake to an evaluation, in processes of their own."""

from __future__ import annotations

import json

import pytest

SPEC = """\
mlpkit: 1
name: survey
data:
  csv: {file: survey.csv, target: vote, weight: people, validation: 0.2, test: 0.2}
layers:
  - Affine: {units: 4}
  - Relu
  - Affine: {units: auto}
  - SoftmaxWithLoss: {class_weights: balanced}
training:
  optimizer: {adam: {learning_rate: 0.05}}
  epochs: 20
  metrics: [accuracy, f1]
  early_stopping: {metric: accuracy, patience: 5}
"""


@pytest.fixture
def survey(cwd):
    """A survey in which a row stands for some people, and for none at times."""
    rows = [f"{20 + i % 50},{i * 7 % 4},{'yes' if i % 50 > 25 else 'no'}" for i in range(300)]
    (cwd / "survey.csv").write_text("\n".join(["age,people,vote", *rows]))
    (cwd / "survey.yaml").write_text(SPEC)
    return cwd


def test_rows_count_as_often_as_their_weights_say(survey, mlpkit):
    done = mlpkit("check", "survey.yaml")
    assert (done.code, done.err) == (0, "")
    assert "input 1, target 2 classes" in done.out
    done = mlpkit("data", "survey.yaml")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    weight = next(i for i, line in enumerate(lines) if line == ["weight"])
    assert lines[weight + 1][:2] == ["people", "integer"]
    assert lines[weight + 1][-3:] == ["1", "to", "3"]
    done = mlpkit("run", "survey.yaml", "--quiet")
    assert (done.code, done.err) == (0, "")
    metrics = json.loads((survey / "runs/survey/metrics.json").read_text())
    done = mlpkit("evaluate", "runs/survey", "--json")
    assert json.loads(done.out)["test"] == metrics["test"]
    (survey / "new.csv").write_text("age,people,vote\n25,8,no\n69,1,no\n")
    found = json.loads(mlpkit("evaluate", "runs/survey", "--data", "new.csv", "--json").out)
    assert found["data"]["accuracy"] == pytest.approx(8 / 9)
    (survey / "new.csv").write_text("age\n25\n69\n")
    done = mlpkit("predict", "runs/survey", "new.csv", "--json")
    assert [json.loads(line)["class"] for line in done.out.splitlines()] == ["no", "yes"]


def test_mistakes_have_their_place(survey, mlpkit):
    done = mlpkit("check", "survey.yaml", "--set", "training.metrics=[accuracy, confusion_matrix]")
    assert done.code == 2
    assert "confusion_matrix doesn't take weights of examples" in done.err
    text = (survey / "survey.csv").read_text()
    (survey / "survey.csv").write_text(text.replace("23,1,no", "23,-1,no", 1))
    done = mlpkit("run", "survey.yaml", "--quiet")
    assert done.code == 1
    assert done.err == (
        "error: survey.csv, row 5, column 'people': the weight is -1; expected 0 or more; write such a number, or "
        "leave out the row\n"
    )

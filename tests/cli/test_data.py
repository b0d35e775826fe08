"""``mlpkit data``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlpkit.jobs.data import StatisticsOfColumns

TABLE = """\
mlpkit: 1
data: {{csv: {{file: data.csv, {options}, validation: 0.25, test: 0, split: shuffle, standardize: false}}}}
layers: [{{Affine: {{units: 2}}}}, {loss}]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 2, epochs: 1}}
"""


@pytest.fixture
def table(work):
    """Return a function that writes a spec of the table data.csv."""
    rows = [(1, "red", "no", 0, 1), (2, "blue", "yes", 1, 1), (3, "red", "no", 1, 0), (4, "red", "yes", 0, 0)]
    content = "size,colour,good,p,q\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    (work / "data.csv").write_text(content)

    def write(options, loss):
        (work / "table.yaml").write_text(TABLE.format(options=options, loss=loss))

    return write


SHAPES = """\
mlpkit: 1
data: {image_folder: {folder: "example:shapes"}}
layers: [Flatten, {Affine: {units: 3}}, SoftmaxWithLoss]
training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 1}
"""
CLASSES = "target: good, categorical: [colour], inputs: [size, colour]"


def test_classes_ranges_and_examples(table, invoke):
    table(CLASSES, "SoftmaxWithLoss")
    done = invoke("data", "table.yaml", "--rows", "2")
    assert done.code == 0
    assert done.err.startswith("table.yaml:2:103: warning: the validation results will mean little, with 1 example")
    assert (
        done.out
        == """\
table.yaml: csv
  input 3 (float32), target 2 classes

  class        train  validation
  examples         3           1
  no        1 ( 33%)    1 (100%)
  yes       2 ( 67%)    0 (  0%)

  input         least  greatest    mean     std
  size         1.0000    4.0000  2.3333  1.2472
  colour=blue  0.0000    1.0000  0.3333  0.4714
  colour=red   0.0000    1.0000  0.6667  0.4714

  example  target  inputs
        0  no      1.0000 0.0000 1.0000
        1  yes     2.0000 1.0000 0.0000
"""
    )


def test_json_has_all_of_it(table, invoke):
    table(CLASSES, "SoftmaxWithLoss")
    found = json.loads(invoke("data", "table.yaml", "--json", "--rows", "1").out)
    assert found["input_shape"] == [3]
    assert found["target"] == {"type": "Classes", "count": 2, "one_hot": False}
    assert found["splits"]["train"] == {"examples": 3, "counts": {"no": 1, "yes": 2}}
    assert found["inputs"]["size"]["greatest"] == 4
    assert found["values"] is None
    assert found["examples"] == [{"inputs": [1, 0, 1], "target": 0}]


def test_labels_and_values(table, invoke):
    table("target: [p, q], inputs: [size], predict: labels", "SigmoidWithLoss")
    lines = invoke("data", "table.yaml").out.splitlines()
    assert [line.split()[:2] for line in lines[3:7]] == [["label", "train"], ["examples", "3"], ["p", "1"], ["q", "2"]]
    assert [line.split()[1:-1] for line in lines[-3:]] == [["q"], ["p,", "q"], ["-"]]
    table("target: [p, q], inputs: [size], predict: values", "MeanSquaredError")
    found = json.loads(invoke("data", "table.yaml", "--json").out)
    assert found["values"]["q"] == pytest.approx({"least": 0, "greatest": 1, "mean": 2 / 3, "std": 2**0.5 / 3})
    assert "counts" not in found["splits"]["train"]


def test_images_have_statistics_too(invoke):
    done = invoke("data", "tiny.yaml", "--json", "--rows", "0")
    found = json.loads(done.out)
    assert found["splits"]["test"]["examples"] == 60
    assert sum(found["splits"]["test"]["counts"].values()) == 60
    assert len(found["inputs"]) == 16


def test_images_and_rows_without_names_have_statistics_as_a_whole(invoke, work):
    (work / "shapes.yaml").write_text(SHAPES)
    for flatten in ("true", "false"):
        done = invoke("data", "shapes.yaml", "--set", f"data.image_folder.flatten={flatten}")
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        begin = next(number for number, line in enumerate(lines) if line.split()[:2] == ["input", "least"])
        assert lines[begin + 1].split()[:3] == ["all", "0.0000", "0.9765"]
        assert lines[begin + 2] == ""
        assert [line.split()[0] for line in lines[5:8]] == ["cross", "disc", "square"]


def test_a_mean_that_is_rounding_alone_is_shown_as_zero(work, invoke):
    rows = "".join(f"{i * 0.1},{i * 0.37},{i % 2}\n" for i in range(99))
    (work / "data.csv").write_text("a,b,good\n" + rows)
    (work / "table.yaml").write_text(
        TABLE.format(options="target: good", loss="SoftmaxWithLoss").replace(", standardize: false", "")
    )
    lines = invoke("data", "table.yaml").out.splitlines()
    assert [line.split()[3] for line in lines if line.split()[:1] in (["a"], ["b"])] == ["0.0000", "0.0000"]


def test_mistakes_are_shown_as_by_check(table, invoke):
    table(CLASSES.replace("good", "god"), "SoftmaxWithLoss")
    done = invoke("data", "table.yaml")
    assert (done.code, done.out) == (2, "")
    assert "did you mean 'good'?" in done.err
    assert invoke("data", "nowhere.yaml").code == 2


def test_statistics_of_parts_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(1e6, 1, (1000, 3))
    found = StatisticsOfColumns(3)
    for part in np.split(rows, [1, 10, 500]):
        found.update(part)
    expected = np.stack([rows.min(axis=0), rows.max(axis=0), rows.mean(axis=0), rows.std(axis=0)], axis=1)
    np.testing.assert_allclose(found.result(), expected, rtol=1e-9)

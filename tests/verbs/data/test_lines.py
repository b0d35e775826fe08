"""What a spec's data is like, as lines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlpkit.verbs.data.data import ColumnStatistics, ColumnSummary
from mlpkit.verbs.data.lines import _without_noise, column_table

SPEC = """\
mlpkit: 1
data: {{npz: {{file: own.npz{options}, validation: 0, test: {test}, split: in_order}}}}
layers: [{{Affine: {{units: auto}}}}, {loss}]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, epochs: 1}}
"""


def summary(name="x", role="input", kind="text", **changed):
    """Return a column of a table, with some of its facts changed."""
    found = {"missing": 0, "distinct": 3, "least": None, "greatest": None, "common": (), "histogram": (), "remarks": ()}
    return ColumnSummary(name, role, kind, **{**found, **changed})


def test_columns_are_listed_by_role():
    columns = [
        summary("seen", "left out", "empty", distinct=0, missing=1234),
        summary("day", "split", "integer", least=1.0, greatest=1.0, histogram=(7,)),
        summary("kg", "weight", "number", least=-0.5, greatest=1234567.25, histogram=(1, 0, 4)),
        summary("size", "input", "number", distinct=1500, least=0.1, greatest=0.3, histogram=(2, 8)),
        summary("good", "target", common=(("no", 3), ("yes", 1)), histogram=(3, 1)),
    ]
    assert (
        "\n".join(column_table(columns, None, every=False))
        == """\
  column  type     missing  distinct  histogram  range
  target
    good  text           -         3  █▃         no 3, yes 1
  inputs
    size  number         -     1,500  ▂█         0.1 to 0.3
  weight
    kg    number         -         3  ▂ █        -0.5 to 1234567
  decides the split
    day   integer        -         3  █          1
  left out
    seen  empty      1,234         0"""
    )


@pytest.mark.parametrize(
    ("common", "shown"),
    [
        ([("a", 2), ("b", 1), ("c", 1)], "a 2, b 1, c 1"),
        ([("a", 1), ("b", 1)], "a, b"),
        ([("x" * 39, 1)], "x" * 39),
        ([("x" * 40, 1)], "x" * 40),
        ([("x" * 41, 1)], "x" * 13 + "…" + "x" * 26),
        ([("x" * 38, 2)], "x" * 38 + " 2"),
        ([("x" * 39, 2)], "x" * 12 + "…" + "x" * 25 + " 2"),
        ([("x" * 30, 1), ("y" * 8, 1), ("z", 1)], f"{'x' * 30}, {'y' * 8}"),
        ([("x" * 30, 1), ("y" * 9, 1), ("z", 1)], "x" * 30),
    ],
)
def test_as_many_texts_are_shown_as_fit_into_forty_letters(common, shown):
    assert column_table([summary(common=common)], None, every=False)[-1].split("  ")[-1].strip() == shown


@pytest.mark.parametrize(("columns", "last"), [(40, "x39"), (41, "and 1 more; --all shows them"), (1040, "1,000 more")])
def test_of_a_role_up_to_forty_columns_are_shown(columns, last):
    lines = column_table([summary(f"x{i}") for i in range(columns)], None, every=False)
    assert last in lines[-1]
    assert len([line for line in lines if line.startswith("    x")]) == 40


def test_a_mean_below_what_rounding_leaves_is_zero():
    for mean, shown in ((2.0**-21, 2.0**-21), (2.0**-21 - 2.0**-40, 0.0), (-(2.0**-22), 0.0)):
        for least, greatest in ((-8.0, 2.0), (-2.0, 8.0)):
            assert _without_noise(ColumnStatistics(least, greatest, mean, 1.0)).mean == shown


@pytest.fixture
def data(cwd, invoke):
    """Return a function that saves arrays, and returns what a command says about a spec of them."""

    def said(x, t, *options, loss="SoftmaxWithLoss", test=0.25):
        np.savez(cwd / "own.npz", x=x, t=t)
        predict = ", predict: values" if loss == "MeanSquaredError" else ""
        (cwd / "own.yaml").write_text(SPEC.format(options=predict, test=test, loss=loss))
        done = invoke("data", "own.yaml", *options)
        assert done.code == 0, done.err
        return done.out

    return said


X = np.arange(1600.0 * 9).reshape(1600, 9)


def test_values_with_their_examples(data):
    t = np.stack([X[:, 0], 7 + 0 * X[:, 0]], axis=1)
    shown = data(X, t, "--encoded", "--rows", 2, loss="MeanSquaredError")
    assert (
        shown
        == """\
own.yaml: npz
  input 9 (float32), target real values of shape (2,)

  split  examples
  train     1,200
  test        400

  target   least  greatest    mean     std
  0       0.0000     10791    5396    3118
  1       7.0000    7.0000  7.0000  0.0000

  input   least  greatest  mean   std
  0      0.0000     10791  5396  3118
  1      1.0000     10792  5396  3118
  2      2.0000     10793  5398  3118
  3      3.0000     10794  5398  3118
  4      4.0000     10795  5400  3118
  5      5.0000     10796  5400  3118
  6      6.0000     10797  5402  3118
  7      7.0000     10798  5402  3118
  8      8.0000     10799  5404  3118

  example  target         inputs
        0  0.0000 7.0000  0.0000 1.0000 2.0000 3.0000 4.0000 5.0000 6.0000 7.0000 ...
        1  9.0000 7.0000  9.0000 10.00 11.00 12.00 13.00 14.00 15.00 16.00 ...
"""
    )
    last = data(X[:, :8], X, "--encoded", "--rows", 1, loss="MeanSquaredError").splitlines()[-1].strip()
    eight = " ".join(f"{i}.0000" for i in range(8))
    assert last == f"0  {eight}  {eight}"


def test_columns_up_to_a_number_have_statistics_each(data):
    for columns, names in ((20, 20), (21, 1)):
        found = json.loads(data(np.ones((8, columns)), np.arange(8) % 2, "--json"))
        assert len(found["inputs"]) == names
    for values, names in ((100, [*map(str, range(100))]), (101, ["all"])):
        t = np.arange(8.0 * values).reshape(8, values)
        found = json.loads(data(X[:8], t, "--json", "--rows", 0, loss="MeanSquaredError"))
        assert [*found["values"]] == names
        last = t[:6].reshape(6, values)[:, -1] if values == 100 else t[:6]
        assert found["values"][names[-1]] == pytest.approx(
            {"least": last.min(), "greatest": last.max(), "mean": last.mean(), "std": last.std()}
        )


def test_examples_that_are_read_in_several_parts_are_the_same(data, monkeypatch):
    arguments = X[:20] % 7, np.arange(20) % 3 // 2, "--json"
    at_once = json.loads(data(*arguments))
    assert len(at_once["examples"]) == 5
    monkeypatch.setattr("mlpkit.verbs.data.data._VALUES_READ_TOGETHER", 19)  # two rows of nine
    found = json.loads(data(*arguments))
    assert [example["inputs"] for example in found["examples"]] == (X[:5] % 7).tolist()
    assert found["splits"]["train"] == {"examples": 15, "counts": {"0": 10, "1": 5}}
    for name, statistics in at_once.pop("inputs").items():
        assert found["inputs"][name] == pytest.approx(statistics)
    assert {**found, "inputs": None} == {**at_once, "inputs": None}

"""A network that predicts an interval, from a small CSV file to a CSV file of predictions."""

from __future__ import annotations

import csv
import json

import pytest

SPEC = """\
mlpkit: 1
name: homes
data:
  csv: {file: homes.csv, target: price, predict: values, validation: 0.2, test: 0.2}
layers:
  - Affine: {units: 4}
  - Relu
  - Affine: {units: 3}
  - Pinball: {quantiles: [0.1, 0.5, 0.975]}
training:
  optimizer: {adam: {learning_rate: 0.05}}
  batch_size: 20
  epochs: 5
  metrics: [mean_absolute_error]
"""


def test_from_a_table_to_a_table(cwd, invoke):
    rows = [[n % 13, n % 7, 100 + 5 * (n % 13) + (n % 7) * (n % 5)] for n in range(80)]
    with (cwd / "homes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["area", "age", "price"], *rows])
    (cwd / "homes.yaml").write_text(SPEC)
    assert invoke("run", "homes.yaml", "--quiet").code == 0
    names = ["price_q0.1", "price_q0.5", "price_q0.975"]
    printed = invoke("predict", "runs/homes", "homes.csv").out.splitlines()
    assert printed[0].split() == ["row", *names]
    documents = [json.loads(line) for line in invoke("predict", "runs/homes", "homes.csv", "--json").out.splitlines()]
    assert invoke("predict", "runs/homes", "homes.csv", "--out", "out.csv", "--keep-inputs").code == 0
    with (cwd / "out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == ["area", "age", "price", *(f"predicted_{name}" for name in names)]
    for line, document, row in zip(printed[1:], documents, found, strict=True):
        values = [float(row[f"predicted_{name}"]) for name in names]
        assert values == sorted(values)
        assert list(document["values"]) == names
        assert list(document["values"].values()) == pytest.approx(values, rel=1e-6)
        assert list(map(float, line.split()[1:])) == pytest.approx(values, abs=0.006)
    assert invoke("evaluate", "runs/homes").out.split()[:3] == ["split", "loss", "mean_absolute_error"]

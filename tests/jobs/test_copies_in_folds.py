"""Copies of a row of a table are in one fold of an ensemble."""

from __future__ import annotations

import csv

import mlpkit

SPEC = """\
mlpkit: 1
data: {csv: {file: table.csv, target: y, standardize: true, validation: 0, test: 0}}
layers: [Affine: {units: 2}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 50, epochs: 1}
ensemble: {folds: 3}
"""


def test_copies_of_a_row_are_predicted_out_of_one_fold(tmp_path):
    rows = [f"{i},{i * i % 97},{'ab'[i % 2]}" for i in range(150)]
    (tmp_path / "table.csv").write_text("\n".join(["x,z,y", *rows, *rows[:30]]))
    (tmp_path / "spec.yaml").write_text(SPEC)
    mlpkit.run(mlpkit.load_spec(tmp_path / "spec.yaml"), tmp_path / "run")
    with (tmp_path / "run/out_of_fold.csv").open() as file:
        folds = [row["fold"] for row in csv.DictReader(file)]
    assert folds[:30] == folds[150:]
    assert {fold: folds.count(fold) for fold in sorted(set(folds))} == {"0": 60, "1": 60, "2": 60}

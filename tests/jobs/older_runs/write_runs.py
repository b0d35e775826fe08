"""Writes small run folders with the mlpkit that runs it, for tests of later versions: python ../write_runs.py

To be run in the folder of a version, which holds plants.csv.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np

import mlpkit

SPEC = """\
mlpkit: 1
name: plants
seed: 3
data:
  csv: {file: plants.csv, target: kind, categorical: [soil]}
layers:
  - Affine: {units: 4, bias: false}
  - BatchNorm
  - Relu
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  batch_size: 4
  epochs: 10
  metrics: [accuracy]
"""
RUNS = {
    "sgd": "  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}\n",
    "adam": "  optimizer: {adam: {learning_rate: 0.02}}\n"
    "  moving_average: {decay: 0.9}\n"
    "  early_stopping: {metric: loss, patience: 6}\n"
    "  checkpoint: {every: 4, keep: 1, best: loss}\n",
    "adamw": "  optimizer: {adamw: {learning_rate: 0.02, weight_decay: 0.1}}\n"
    "  best_weights: accuracy\n"
    "  checkpoint: {every_epochs: 2, keep: 1}\n",
}
VALUES = """\
mlpkit: 1
name: heights
seed: 3
data:
  csv: {file: plants.csv, target: height, predict: values, categorical: [soil, kind]}
layers:
  - Affine: {units: 4}
  - Relu
  - Affine: {units: 1}
  - MeanSquaredError
training:
  batch_size: 4
  epochs: 10
  metrics: [r2]
  optimizer: {sgd: {learning_rate: 0.01}}
"""

STEPS = 13
"""After so many steps a run is interrupted."""


class Interruption:
    """An observer, and a request to stop, of whatever version: asks that training stop after an evaluation."""

    reason = ""

    def evaluated(self, record, seconds):
        """Stop."""
        if record["iteration"] >= STEPS:
            self.reason = "SIGTERM"

    def __getattr__(self, event):
        """Every other event changes nothing."""
        return lambda *arguments: None


def main() -> None:
    """Write a finished and an interrupted run of each spec, and what the finished ones predict for some encoded rows.

    Before the batch normalisation there is no bias: its gradient is rounding error, which Adam turns into whole steps.
    """
    platform.release = lambda: "6"
    inputs = np.array([[0.5, -1, 1, 0, 0], [2, 0.5, 0, 1, 0], [-1, -2, 0, 0, 1], [0, 0, 0, 0, 0]], np.float32)
    predictions = {}
    for name, lines in RUNS.items():
        _write(name, SPEC + lines)
        predictions[name] = mlpkit.load_model(f"{name}/finished/model.safetensors").predict(inputs).tolist()
    Path("predictions.json").write_text(json.dumps(predictions, indent=1) + "\n", encoding="utf-8")
    _write("values", VALUES)
    for lock in Path().rglob(".lock"):
        lock.unlink()


def _write(name: str, text: str) -> None:
    """Write a finished and an interrupted run of a spec."""
    Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    spec = mlpkit.load_spec(f"{name}.yaml")
    mlpkit.run(spec, f"{name}/finished")
    watch = Interruption()
    mlpkit.run(spec, f"{name}/interrupted", observer=watch, stop=watch)
    Path(f"{name}.yaml").unlink()


if __name__ == "__main__":
    main()

"""Writes run folders of every kind, and what each verb prints about them: python write.py

Run it with the mlpkit whose folders later versions must read, in the folder of this file.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import mlpkit

PLANTS = """\
mlpkit: 1
name: plants
seed: 3
data:
  csv: {file: plants.csv, target: kind, categorical: [soil], missing: fill, test: 0.25, validation: 0.25}
layers:
  - Affine: {units: 3}
  - Relu
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: 0.05}}
  batch_size: 6
  iterations: 4
  evaluate_every: 2
  metrics: [accuracy]
  checkpoint: {every: 2, keep: 1, best: accuracy}
"""
DIGITS = """\
mlpkit: 1
name: digits
seed: 3
data:
  npz: {file: digits.npz, flatten: false, test: 0.25, validation: 0.25}
layers:
  - Reshape: {shape: [1, 4, 4]}
  - Conv2d: {filters: 2, size: 3, padding: 1}
  - Relu
  - Flatten
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}
  batch_size: 6
  iterations: 3
  evaluate_every: 1
  metrics: [accuracy]
  checkpoint: {every: 2, keep: 1}
"""
FOLDS = "mlpkit: 1\nextends: plants.yaml\nname: folds\nensemble: {folds: 2}\ntraining:\n  checkpoint: null\n"
RATES = """\
mlpkit: 1
extends: plants.yaml
name: rates
training:
  checkpoint: null
sweep:
  search:
    training.optimizer.adam.learning_rate: [0.01, 0.1]
  sampler: grid
"""
ADAM = """\
mlpkit: 1
extends: plants.yaml
name: adam
layers:
  - Affine: {units: 3, bias: false}
  - BatchNorm
  - Relu
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  iterations: 8
  moving_average: {decay: 0.9}
  early_stopping: {metric: loss, patience: 3}
  checkpoint: {best: loss}
"""
ADAMW = """\
mlpkit: 1
extends: adam.yaml
name: adamw
training:
  optimizer: {adamw: {learning_rate: 0.02, weight_decay: 0.1}}
  moving_average: null
  early_stopping: null
  best_weights: accuracy
  checkpoint: {every: null, every_epochs: 2}
"""
LEAVES = """\
mlpkit: 1
extends: adam.yaml
name: leaves
data:
  csv: {target: leaves, predict: values, categorical: [soil, kind]}
layers:
  - Affine: {units: 3, bias: false}
  - BatchNorm
  - Relu
  - Affine: {units: 1}
  - MeanSquaredError
training:
  optimizer: {sgd: {learning_rate: 0.01, momentum: 0.9}}
  metrics: [r2]
"""
OPTIMIZERS = {"adam": ADAM, "adamw": ADAMW, "leaves": LEAVES}
"""Before a batch normalization there is no bias: its gradient is rounding error, which Adam turns into whole steps."""
SPECS = {"plants": PLANTS, "digits": DIGITS, "folds": FOLDS, "rates": RATES, **OPTIMIZERS}
RUNS = (
    "run plants.yaml --out kept/one",
    "run digits.yaml --out kept/digits",
    "run plants.yaml --set training.checkpoint=null --seeds 2 --out kept/seeds",
    "run folds.yaml --out kept/folds",
    "run digits.yaml folds.yaml --set training.iterations=2 --out kept/specs",
    "sweep rates.yaml --out kept/rates",
    *(f"run {name}.yaml --out kept/{name}" for name in OPTIMIZERS),
    "export kept/one --to one.c",
    "export kept/digits --to digits.onnx",
)
QUESTIONS = (
    *(f"runs kept{folder} --sort name --json" for folder in ("", "/seeds", "/specs", "/rates", "/one")),
    "compare kept/one kept/digits --json",
    "compare kept/seeds kept/folds --json",
    "compare kept/rates --json",
    *(f"evaluate kept/{name} --json" for name in ("one", "digits", "seeds", "folds", "specs/digits", "rates/trial-1")),
    *(f"evaluate kept/{name} --json" for name in OPTIMIZERS),
    *(f"predict kept/{name} plants.csv --json" for name in ("one", "folds", "stopped", *OPTIMIZERS)),
    "predict kept/digits digits.npz --json",
    *(f"doctor kept/{name} --json" for name in ("one", "stopped", "digits", "folds/members/0")),
    "trace kept/one --step 3 --json",
    "trace kept/digits --step 3 --example 1 --json",
    "sweep --status kept/rates --json",
    "sweep --status kept/rates_stopped --json",
    "check kept/one/resolved.yaml kept/folds/resolved.yaml kept/rates/best.yaml --json",
    "whence one.c --json",
    "whence digits.onnx --json",
)
"""What is asked about the folders; the answers are kept."""


class Interruption:
    """An observer and a request to stop: training ends after the evaluation of a step."""

    def __init__(self, step):
        self.reason, self._step = "", step

    def evaluated(self, record, seconds):
        """Stop."""
        self.reason = "SIGTERM" if record["iteration"] >= self._step else ""

    def __getattr__(self, event):
        """Ignore every other event."""
        return lambda *arguments: None


def main() -> None:
    """Write data, specs, run folders and answers."""
    _write_data()
    for name, text in SPECS.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    shutil.rmtree("kept", ignore_errors=True)
    for command in RUNS:
        _invoke(f"{command}{'' if 'export' in command else ' --quiet --no-report'}")
    for name, folder in {"plants": "stopped", **{name: f"{name}_stopped" for name in OPTIMIZERS}}.items():
        spec = mlpkit.load_spec(f"{name}.yaml")
        watch = Interruption(spec.training.iterations // 2)
        mlpkit.run(spec, f"kept/{folder}", observer=watch, stop=watch)
    _stopped("seeds", "seed-4", "metrics.json")
    _stopped("folds", "members/1", "metrics.json", "model.safetensors", "spread.json", "out_of_fold.csv")
    _stopped("rates", "trial-1", "best.yaml", begun=False)
    for name in (".lock", "timing.jsonl"):
        for path in Path("kept").rglob(name):
            path.unlink()
    answers = {question: _invoke(question) for question in QUESTIONS}
    Path("answers.json").write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


def _write_data() -> None:
    """Write a table with a value that is missing, and images of 4 x 4 pixels."""
    rng = np.random.default_rng(0)
    lines = ["height,leaves,soil,kind"]
    for number in range(24):
        height = "" if number == 5 else f"{rng.normal(number % 2, 0.5):.2f}"
        soil, kind = ("sand", "clay", "loam")[number % 3], ("fern", "moss")[number % 2]
        lines.append(f"{height},{rng.integers(9)},{soil},{kind}")
    Path("plants.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    t = np.arange(24) % 2
    np.savez("digits.npz", x=(rng.integers(0, 99, (24, 4, 4)) + 99 * t[:, None, None]).astype(np.uint8), t=t)


def _stopped(name: str, last: str, *results: str, begun: bool = True) -> None:
    """Copy a folder of several runs as it is if a signal comes before the last of them has begun."""
    folder = Path(f"kept/{name}_stopped")
    shutil.copytree(f"kept/{name}", folder)
    for path in [*(folder / result for result in results), *(folder / last).iterdir()]:
        if path.is_dir():
            shutil.rmtree(path)
        elif not begun or path.name not in {"spec.yaml", "resolved.yaml"}:
            path.unlink()
    if not begun:
        (folder / last).rmdir()


def _invoke(command: str) -> str:
    program = [sys.executable, "-m", "mlpkit", *shlex.split(command)]
    return subprocess.run(program, stdout=subprocess.PIPE, text=True, check="doctor" not in command).stdout


if __name__ == "__main__":
    main()

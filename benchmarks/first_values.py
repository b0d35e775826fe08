"""Compares first values of the weights and biases of ``Affine`` by the error of a perceptron on a table of numbers.

    python benchmarks/first_values.py FOLDER [--seeds 3] [--epochs 200] [--json]

The folder has train.csv.gz, validation.csv.gz and test.csv.gz, numbers only, and table.json, which names the target.
The perceptron has three layers of 256 units with ReLU and dropout of a tenth, and AdamW; its inputs are quantiles as
normal numbers; it keeps the weights of the best epoch. An error is the root mean squared error on the test rows.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from report import parser_of, print_report

import mlpkit

FIRST_VALUES = (
    ("he_normal", "zeros"),
    ("he_normal", "fan_in_uniform"),
    ("lecun_normal", "zeros"),
    ("fan_in_uniform", "zeros"),
    ("fan_in_uniform", "fan_in_uniform"),
    ("unit_variance", "convex_combination"),
)


def error_of(folder: Path, weights: str, biases: str, seed: int, epochs: int) -> float:
    """Train, and return the error on the test rows."""
    splits = {"file": "train", "validation": "validation", "test": "test"}
    files = {key: str(folder / f"{split}.csv.gz") for key, split in splits.items()}
    target = json.loads((folder / "table.json").read_text("utf-8"))["target"]
    first = {"weights": weights, "biases": biases}
    hidden: list[Any] = [{"Affine": {"units": 256, **first}}, "Relu", {"Dropout": {"rate": 0.1}}]
    spec = {
        "mlpkit": 1,
        "seed": seed,
        "data": {
            "csv": {**files, "target": target, "predict": "values", "numbers": "quantile", "scale_target": "none"}
        },
        "layers": [*hidden * 3, {"Affine": {"units": 1, **first}}, "MeanSquaredError"],
        "training": {
            "optimizer": {"adamw": {"learning_rate": 1e-3}},
            "batch_size": 256,
            "epochs": epochs,
            "early_stopping": {"patience": 16},
            "best_weights": "loss",
        },
    }
    return float(mlpkit.run(mlpkit.load_spec(spec), quiet=True).metrics["test"]["loss"] ** 0.5)


def main() -> None:
    """Train every variant with every seed, and print a line for each."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=200, help="at most (default: %(default)s)")
    options = parser.parse_args()
    found = {
        f"{weights}, {biases}": [
            error_of(options.folder, weights, biases, seed, options.epochs) for seed in range(options.seeds)
        ]
        for weights, biases in FIRST_VALUES
    }
    lines = [
        f"{name:40} {mean(errors):.4f} ± {stdev(errors) if len(errors) > 1 else 0:.4f}"
        for name, errors in found.items()
    ]
    print_report(options, {"errors": found}, lines)


if __name__ == "__main__":
    main()

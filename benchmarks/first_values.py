"""What first values of Affine's weights and biases are worth on a table of numbers.

Run it as ``python benchmarks/first_values.py FOLDER``. The folder holds train.csv.gz, validation.csv.gz and
test.csv.gz, numbers only, and the target in the last column. Each line of the output is the root of the mean squared
error on the test rows over the seeds, for a perceptron with ReLU and AdamW, inputs as quantiles to normal numbers, that
keeps the weights of the best epoch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

import mlpkit

FIRST_VALUES = {
    "he_normal, zeros": ("he_normal", "zeros"),
    "he_normal, fan_in_uniform": ("he_normal", "fan_in_uniform"),
    "lecun_normal, zeros": ("lecun_normal", "zeros"),
    "fan_in_uniform, zeros": ("fan_in_uniform", "zeros"),
    "fan_in_uniform, fan_in_uniform": ("fan_in_uniform", "fan_in_uniform"),
    "he_normal, zeros; last fan_in_uniform": ("he_normal", "zeros"),
    "unit_variance, convex_combination": ("unit_variance", "convex_combination"),
}


def main() -> None:
    """Train every variant with every seed, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args()
    splits = tables(options.folder)
    for name, values in FIRST_VALUES.items():
        runs = [trained(splits, name, values, seed, options) for seed in range(options.seeds)]
        errors, begun, epochs = np.array(runs).T
        spread = errors.std(ddof=1) if len(errors) > 1 else 0
        line = (
            f"{name:40} {errors.mean():.4f} ± {spread:.4f}   first loss {begun.mean():.2f}   epochs {epochs.mean():.0f}"
        )
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def tables(folder: Path) -> dict[str, Any]:
    """Return inputs and targets of each split, inputs as quantiles of the training rows, to normal numbers."""
    read = {
        split: np.genfromtxt(folder / f"{split}.csv.gz", delimiter=",", skip_header=1)
        for split in ("train", "validation", "test")
    }
    quantiles = np.linspace(0, 1, 1000)
    normal = np.array([NormalDist().inv_cdf(q) for q in np.clip(quantiles, 1e-3, 1 - 1e-3)])
    edges = np.quantile(read["train"][:, :-1], quantiles, axis=0)
    noise = np.random.default_rng(0).normal(0, 1e-9, edges.shape)
    edges = np.sort(edges * (1 + noise), axis=0)  # np.interp takes growing numbers
    return {
        split: (
            np.stack([np.interp(column, edge, normal) for column, edge in zip(rows.T[:-1], edges.T, strict=True)], 1),
            rows[:, -1],
        )
        for split, rows in read.items()
    }


def trained(
    splits: dict[str, Any], name: str, values: tuple[str, str], seed: int, options: argparse.Namespace
) -> tuple[float, float, int]:
    """Return the error on the test rows, the loss after the first epoch, and how many epochs there were."""
    weights, biases = values
    first = {"weights": weights, "biases": biases}
    last = {"weights": "fan_in_uniform", "biases": "fan_in_uniform"} if "last" in name else first
    hidden = [{"Affine": {"units": options.units, **first}}, "Relu", {"Dropout": {"rate": options.dropout}}]
    run = mlpkit.fit(
        *splits["train"],
        layers=[*hidden * options.layers, {"Affine": {"units": 1, **last}}, "MeanSquaredError"],
        validation=splits["validation"],
        test=splits["test"],
        seed=seed,
        optimizer={"adamw": {"learning_rate": options.rate}},
        batch_size=256,
        epochs=options.epochs,
        early_stopping={"patience": 16},
        best_weights="loss",
        quiet=True,
    )
    return run.metrics["test"]["loss"] ** 0.5, run.history[0]["train_loss"], len(run.history)


if __name__ == "__main__":
    main()

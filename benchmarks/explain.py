"""Compares explanations with exact Shapley values and with those of shap, on the same networks and background rows.

    python benchmarks/explain.py FOLDER [--tables california,concrete] [--rows 50] [--epochs 5] [--json]

FOLDER holds a folder for each table, as for tables.py. Exact values are of all sets of columns, mixed in the raw table;
shap gets positions among encoded rows. ``within_2``: the share of values within two stated standard errors. Errors are
root mean squares relative to the exact values; times are processor seconds for a row.
"""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from report import parser_of, print_report

import mlpkit
from mlpkit.jobs.explanations import background_of, column_of_inputs, encoded, outputs_of
from mlpkit.jobs.load_model import TrainedModel, load_run


def train(folder: Path, directory: Path, epochs: int) -> None:
    """Train a perceptron on a table."""
    facts = json.loads((folder / "table.json").read_text("utf-8"))
    classes, file = facts["task"] == "classes", str(folder / "train.csv.gz")
    data = {"file": file, "target": facts["target"], "categorical": facts["categorical"]}
    count = pd.read_csv(file)[facts["target"]].nunique() if classes else 1
    hidden: list[Any] = [{"Affine": {"units": 64}}, "Relu"]
    spec = {
        "mlpkit": 1,
        "data": {"csv": {**data, "predict": "classes" if classes else "values"}},
        "layers": [*hidden * 2, {"Affine": {"units": count}}, "SoftmaxWithLoss" if classes else "MeanSquaredError"],
        "training": {"optimizer": {"adamw": {"learning_rate": 1e-3}}, "batch_size": 128, "epochs": epochs},
    }
    mlpkit.run(mlpkit.load_spec(spec), directory, quiet=True)


def exact(predict: Any, output: int, row: pd.Series, background: pd.DataFrame) -> Any:
    """Return the Shapley values of a raw row, for an output, from all sets of its columns."""
    count = len(row)
    sets = np.arange(2**count)[:, None] >> np.arange(count) & 1 == 1
    mixed = {name: np.where(sets[:, [j]], row[name], background[name]).ravel() for j, name in enumerate(row.index)}
    found = predict(pd.DataFrame(mixed)).astype(float).reshape(len(sets), len(background), -1)
    worth = found[..., output].mean(axis=1)
    shares = np.array([1 / (count * comb(count - 1, size)) for size in range(count)])
    lacking = [np.flatnonzero(~sets[:, j]) for j in range(count)]
    sizes = sets.sum(axis=1)
    return [shares[sizes[these]] @ (worth[these | 1 << j] - worth[these]) for j, these in enumerate(lacking)]


def of_shap(model: TrainedModel, raw: Any, background: Any, outputs: list[int]) -> dict[str, tuple[Any, float]]:
    """Return the values that explainers of shap find, and their seconds for a row."""
    import shap  # noqa: PLC0415 - a library of this comparison alone

    column_of = column_of_inputs(lambda rows: encoded(model, rows), background, raw)
    others = encoded(model, background)
    pool = np.concatenate([others, encoded(model, raw)])
    positions = np.repeat(np.arange(len(pool), dtype=float)[:, None], len(background), axis=1)
    compared, own = positions[: len(others)], positions[len(others) :]

    def predict(mixed: Any, output: int) -> Any:
        rows = np.where(column_of < 0, 0, mixed[:, np.maximum(column_of, 0)]).astype(int)
        return outputs_of(model, pool[rows, np.arange(pool.shape[1])])[:, output]

    masker = shap.maskers.Independent(compared, max_samples=len(compared))
    found = {}
    for name, explainer in (("permutation", shap.PermutationExplainer), ("exact", shap.explainers.ExactExplainer)):
        explainer(partial(predict, output=outputs[0]), masker)(own[:1], silent=True)  # compiles
        begin = time.process_time()
        explainers = [explainer(partial(predict, output=output), masker) for output in outputs]
        values = [explain(own[[i]], silent=True).values[0] for i, explain in enumerate(explainers)]
        found[name] = np.array(values), (time.process_time() - begin) / len(own)
    return found


def compared(folder: Path, count: int, epochs: int) -> dict[str, Any]:
    """Return errors and times for a table."""
    with tempfile.TemporaryDirectory() as place:
        train(folder, Path(place) / "run", epochs)
        model, trained = mlpkit.load(Path(place) / "run"), load_run(Path(place) / "run")
        rows = pd.read_csv(folder / "test.csv.gz", dtype=str, keep_default_na=False)[list(model.columns or ())][:count]
        background: Any = background_of(Path(place) / "run", trained)
        begin = time.process_time()
        ours = model.explain(rows)
        found = {"mlpkit": (ours.values, (time.process_time() - begin) / len(rows))}
    raw = {name: rows[name].tolist() for name in rows}
    outputs = outputs_of(trained, encoded(trained, raw)).argmax(axis=1).tolist()
    predict = model.predict if model.classes is None else model.predict_proba
    frame = pd.DataFrame(background)
    truth = np.array([exact(predict, outputs[i], rows.iloc[i], frame) for i in range(len(rows))])
    misses = (np.abs(ours.values - truth) / np.where(ours.errors > 0, ours.errors, np.inf))[ours.errors > 0]
    result = {"columns": truth.shape[1], "within_2": (misses <= 2).mean(), "within_3": (misses <= 3).mean()}
    for name, (values, seconds) in (found | of_shap(trained, raw, background, outputs)).items():
        error = np.sqrt(((values - truth) ** 2).mean() / (truth**2).mean())
        result |= {f"{name} error": error, f"{name} seconds": seconds}
    return {key: float(value) for key, value in result.items()} | {"values": len(misses)}


def main() -> None:
    """Compare on each table, and print a line for each."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    for name, default in (("--tables", "concrete,california,diamonds,diabetes,magic"), ("--rows", 50), ("--epochs", 5)):
        parser.add_argument(name, type=type(default), default=default, help="default: %(default)s")
    options = parser.parse_args()
    found = {name: compared(options.folder / name, options.rows, options.epochs) for name in options.tables.split(",")}
    lines = [f"{name}: {', '.join(f'{key} {one:.4g}' for key, one in each.items())}" for name, each in found.items()]
    print_report(options, {"tables": found}, lines)


if __name__ == "__main__":
    main()

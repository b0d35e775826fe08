"""How often 95 % intervals of groups of rows hold the value of the population that the groups are drawn from.

A network learns one of the tables of README.md; its test rows are the population. Groups of several sizes are drawn
from these rows with replacement, and evaluated as ``mlpkit evaluate --by`` does.

    python benchmarks/groups.py FOLDER            # such as .../tables/magic, with train, validation and test.csv.gz
    python benchmarks/groups.py FOLDER --rounds 2  # the quick form
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import mlpkit

SIZES = (30, 100, 1000, 5000)
GROUPS = 12
"""Groups of one evaluation: as many categories as a column may have."""


def main() -> None:
    """Train, draw groups, evaluate them, and print the share of intervals that hold the population's value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=40, help=f"evaluations of {GROUPS} groups for each size")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    model, rows = trained(given.folder), table(given.folder / "test.csv.gz")
    truth = model.evaluate(rows)
    count = len(next(iter(rows.values())))
    random = np.random.default_rng(0)
    found: dict[int, dict[str, float]] = {}
    for size in SIZES:
        held: Counter[str] = Counter()
        for _ in range(given.rounds):
            drawn = random.integers(count, size=size * GROUPS)
            sample = {name: values[drawn] for name, values in rows.items()}
            sample["group"] = np.repeat([f"g{i}" for i in range(GROUPS)], size)
            for group in model.evaluate(sample, by="group")["by"]["columns"]["group"].values():
                for name, each in group["metrics"].items():
                    held[name] += each["low"] <= truth[name] <= each["high"]
        found[size] = {name: hits / (given.rounds * GROUPS) for name, hits in held.items()}
    if given.json:
        print(json.dumps(found))
        return
    for size, shares in found.items():
        print(f"{size:5,} rows:", ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))


def trained(folder: Path) -> Any:
    """Return a network that has learned a table of classes."""
    about = json.loads((folder / "table.json").read_text())
    files = {split: str(folder / f"{split}.csv.gz") for split in ("train", "validation", "test")}
    data = {"file": files["train"], "validation": files["validation"], "test": files["test"]}
    spec = {
        "mlpkit": 1,
        "data": {"csv": data | {"target": about["target"], "categorical": about["categorical"], "missing": "fill"}},
        "layers": [{"Affine": {"units": 32}}, "Relu", {"Affine": {"units": "auto"}}, "SoftmaxWithLoss"],
        "training": {"optimizer": {"adam": {}}, "epochs": 5, "metrics": ["accuracy", "f1", "roc_auc"]},
    }
    with tempfile.TemporaryDirectory() as into:
        return mlpkit.run(mlpkit.load_spec(spec), Path(into) / "run").model


def table(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of a CSV file, as texts."""
    with gzip.open(file, "rt", newline="") as text:
        names, *rows = csv.reader(text)
    return dict(zip(names, np.array(rows).T, strict=True))


if __name__ == "__main__":
    main()

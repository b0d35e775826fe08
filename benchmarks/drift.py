"""How often ``mlpkit data NEW --against RUN`` gives a false alarm, which drifts it finds, and how small ones.

Each resplit deals all rows of a table out at random, trains a small network, and compares 500 rows that it hasn't seen;
``--resplits 2 --repeats 2`` is quick. FOLDER has a folder with ``table.json`` and compressed CSV files for each table.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

import mlpkit
from mlpkit.jobs.drift import drift
from mlpkit.jobs.load_model import load_run

Row = dict[str, str]

TABLES = ("wa_churn", "california", "ames", "vehicle")
LEVELS = (0.01, 0.05, 0.1)
ROWS = 500
FOUND = 0.9
"""The share of draws in which a drift must be found to count as found."""
INCOME_STD = 1.9


DRIFTS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "shift in standard deviations": ("california", "income", (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 1)),
    "unit, by a factor": ("california", "income", (1.05, 1.1, 1.15, 1.2, 1.3, 12, 1000)),
    "new category, share of rows": ("wa_churn", "contract", (0.005, 0.01, 0.015, 0.02, 0.03, 0.05)),
    "missing, share of rows": ("wa_churn", "total_charges", (0.005, 0.01, 0.015, 0.02, 0.03, 0.05)),
    "class filtered, share of its rows": ("wa_churn", "churn", (0.1, 0.2, 0.3, 0.35, 0.4, 0.5)),
}
"""The table, the column, and by how much it changes."""


def changed(kind: str, row: Row, size: float, rng: random.Random) -> Row:
    """Return a row changed by a drift; no row if it leaves that out."""
    if kind.startswith("shift"):
        return row | {"income": str(float(row["income"]) + size * INCOME_STD)}
    if kind.startswith("unit"):
        return row | {"income": str(float(row["income"]) * size)}
    if rng.random() >= size:
        return row
    if kind.startswith("class"):
        return {} if row["churn"] == "No" else row
    return row | ({"contract": "Weekly"} if kind.startswith("new") else {"total_charges": ""})


def main() -> None:
    """Print shares of false alarms, and of drifts that are found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--resplits", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place, pools = Path(name), {}
        for table in TABLES:
            least = []
            for seed in range(given.resplits):
                new, test = trained(given.tables / table, place / f"{table}-{seed}", random.Random(seed))
                least.append(min(p for p in compared(place / f"{table}-{seed}", new).values() if p is not None))
                pools[table] = pools.get(table, new + test)
            shares = (f"{interval(sum(p < level for p in least), len(least))} at {level}" for level in LEVELS)
            print(f"false alarms, {table}: {', '.join(shares)}", flush=True)
        for kind, (table, column, sizes) in DRIFTS.items():
            found = {}
            for size in sizes:
                draws = (drawn(pools[table], kind, size, random.Random(seed)) for seed in range(given.repeats))
                p_values = [compared(place / f"{table}-0", rows)[column] for rows in draws]
                found[size] = sum(p is not None and p < LEVELS[0] for p in p_values) / given.repeats
            smallest = min((size for size, share in found.items() if share >= FOUND), default=math.nan)
            shares = (f"{size:g}: {share:.0%}" for size, share in found.items())
            print(f"{kind} of {column}: from {smallest:g}; {', '.join(shares)}", flush=True)


def trained(folder: Path, place: Path, rng: random.Random) -> tuple[list[Row], list[Row]]:
    """Train a small network on a random part of a table; return rows that it hasn't seen, and its test rows."""
    table, rows = json.loads((folder / "table.json").read_text()), list[Row]()
    for split in ("train", "validation", "test"):
        with gzip.open(folder / f"{split}.csv.gz", "rt") as file:
            rows += csv.DictReader(file)
    rng.shuffle(rows)
    new = min(ROWS, len(rows) // 4)
    test = new + len(rows) // 5
    place.mkdir()
    for name, some in {"test": rows[new:test], "train": rows[test:]}.items():
        (place / f"{name}.csv").write_text(csv_of(some))
    data = {"file": str(place / "train.csv"), "test": str(place / "test.csv"), "target": table["target"]}
    data |= {"categorical": table.get("categorical", []), "missing": "fill", "unknown": "zeros", "validation": 0}
    is_class = "classes" in table["task"]
    data["predict"] = "classes" if is_class else "values"
    loss = "SoftmaxWithLoss" if is_class else "MeanSquaredError"
    layers: list[Any] = [{"Affine": {"units": 16}}, "Relu", {"Affine": {"units": "auto"}}, loss]
    training = {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 2, "batch_size": 128}
    spec = {"mlpkit": 1, "data": {"csv": data}, "layers": layers, "training": training}
    (place / "spec.yaml").write_text(json.dumps(spec))
    mlpkit.run(mlpkit.load_spec(place / "spec.yaml"), place / "run")
    return rows[:new], rows[new:test]


def drawn(pool: list[Row], kind: str, size: float, rng: random.Random) -> list[Row]:
    """Return some rows of a pool, changed."""
    rows = (changed(kind, row, size, rng) for row in rng.sample(pool, len(pool)))
    return [row for row in rows if row][:ROWS]


def csv_of(rows: list[Row]) -> str:
    """Return rows as CSV; no value of these tables needs quotes."""
    return "".join(",".join(values) + "\n" for values in [rows[0].keys(), *(row.values() for row in rows)])


def compared(place: Path, rows: list[Row]) -> dict[str, float | None]:
    """Return the corrected p-value of each column."""
    (place / "new.csv").write_text(csv_of(rows))
    found = drift(load_run(place / "run"), place / "run", place / "new.csv", "new.csv", LEVELS[0], 0.0)
    return {column.then.name: column.p_value for column in found.columns}


def interval(count: int, of: int) -> str:
    """Write a share with its interval at 95 %, by Wilson's formula."""
    z, share = 1.96, count / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return f"{share:.0%} ({(middle - half) / (1 + z * z / of):.1%} to {(middle + half) / (1 + z * z / of):.1%})"


if __name__ == "__main__":
    main()

"""The benchmark of tables fits each contestant once, and says what came out."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import require_package

require_package("pandas")
require_package("sklearn")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tables.py"
CONTESTANTS = ["td_s", "sklearn_mlp", "hist_gradient_boosting"]


def rows(count, draw):
    for _ in range(count):
        size, colour = draw.gauss(0, 1), draw.choice(["red", "green"])
        yield f"{size:.3f},{colour},{'large' if size + (colour == 'red') > 0 else 'small'}"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a table whose target a size and a colour give away."""
    table, draw = tmp_path / "tables" / "toy", random.Random(0)
    table.mkdir(parents=True)
    for split, count in (("train", 120), ("validation", 40), ("test", 40)):
        text = "\n".join(["size,colour,kind", *rows(count, draw), ""])
        (table / f"{split}.csv.gz").write_bytes(gzip.compress(text.encode()))
    facts = {"task": "classes", "target": "kind", "categorical": ["colour"]}
    (table / "table.json").write_text(json.dumps(facts))
    return table.parent


def run(*arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_fits_are_kept_in_a_file_and_not_made_twice(folder, tmp_path):
    out = tmp_path / "results.jsonl"
    arguments = [folder, "--out", out, "--seeds", "1", "--contestants", *CONTESTANTS]
    assert len(run(*arguments).splitlines()) == len(CONTESTANTS)
    fits = [json.loads(line) for line in out.read_text().splitlines()]
    assert [fit["contestant"] for fit in fits] == CONTESTANTS
    assert all(fit["error"] <= 15 and fit["bytes"] > 1000 and fit["processor_seconds"] > 0 for fit in fits)
    assert run(*arguments) == ""
    shown = run(folder, "--out", out, "--show")
    assert "| toy |" in shown
    assert "RealMLP-TD-S" in shown


def test_a_network_is_set_beside_the_same_one_of_others(folder, tmp_path):
    out = tmp_path / "results.jsonl"
    errors = {"td": (10.0, 12.0), "pytabkit_td": (10.0, 10.0)}
    fits = [
        {
            "table": table,
            "contestant": name,
            "seed": seed,
            "error": error,
            "processor_seconds": 2.0 if name == "td" else 5.0,
            "seconds": 1.0 if name == "td" else 3.0,
            "threads": 1,
            "bytes": 4000,
        }
        for table in ("a", "b")
        for name, found in errors.items()
        for seed, error in enumerate(found if table == "a" else found[:1] * 2)
    ]
    out.write_text("".join(json.dumps(fit) + "\n" for fit in fits))
    shown = run(folder, "--out", out, "--show").splitlines()
    assert shown[2] == "| a | 11 ± 1 | 10 ± 0 | 1.100 | yes | 3.00 | 2.50 |"
    assert shown[4] == "| geometric mean | | | 1.049 | 2 of 2 | 3.00 | 2.50 |"

"""A table, ways to spoil it, and what ``mlpkit init`` makes of it."""

from __future__ import annotations

import random
import shutil

import pytest

ROWS = 120


def rows_of(seed=0):
    rng = random.Random(seed)
    for _ in range(ROWS):
        size, colour = rng.gauss(10, 3), rng.choice(["red", "green", "blue"])
        kind = "A" if size + 3 * (colour == "red") > 11 else "B"
        yield [f"{size:.2f}", colour, rng.choice(["yes", "no"]), f"{rng.random():.3f}", kind]


TABLE = [["size", "colour", "member", "share", "kind"], *rows_of()]


@pytest.fixture
def table():
    """Return a table as a list of rows, the header first."""
    return [list(row) for row in TABLE]


@pytest.fixture
def save(cwd):
    def write(rows, delimiter=",", encoding="utf-8", end="\n", name="t.csv"):
        lines = [delimiter.join(f'"{f}"' if delimiter in f else f for f in row) for row in rows]
        (cwd / name).write_bytes((end.join(lines) + end).encode(encoding))

    return write


@pytest.fixture
def trains(cwd, invoke):
    """Return a function that writes a spec, trains a step, predicts, and returns the text of the spec."""

    def train(file="t.csv", target="kind", warned="", told=""):
        (cwd / "t.yaml").unlink(missing_ok=True)
        shutil.rmtree(cwd / "r", ignore_errors=True)
        done = invoke("init", "--data", file, "--target", target, "--out", "t.yaml")
        assert done.code == 0
        assert warned in done.err if warned else not done.err
        assert told in " ".join(done.out.split())
        shorter = ["training.epochs=1", "training.evaluate_every=null"]
        done = invoke("run", "t.yaml", "--quiet", "--out", "r", *(part for each in shorter for part in ("--set", each)))
        assert done.code == 0
        assert invoke("predict", "r", file).code == 0
        return (cwd / "t.yaml").read_text()

    return train


@pytest.fixture
def refused(cwd, invoke):
    """Return a function that asks for a spec and returns the error; no spec is written."""

    def message(target="kind"):
        done = invoke("init", "--data", "t.csv", "--target", target)
        assert (done.code, done.out) in ((1, ""), (2, ""))
        assert not (cwd / "t.yaml").exists()
        assert done.err.startswith("error: ")
        return done.err.removeprefix("error: ").removesuffix("\n")

    return message

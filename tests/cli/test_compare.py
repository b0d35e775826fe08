"""``mlpkit compare``."""

from __future__ import annotations

import hashlib
import json

import pytest


@pytest.fixture
def two(work, invoke):
    """Run the tiny spec at two learning rates, into ``a`` and ``b``."""
    for name, rate in (("a", 0.1), ("b", 0.2)):
        assert invoke("run", "tiny.yaml", "--out", name, "--set", f"training.optimizer.learning_rate={rate}").code == 0


def test_a_table_of_what_differs(two, invoke):
    done = invoke("compare", "a", "b")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["a", "b"]
    assert lines[1:3] == [["spec"], ["training.optimizer.sgd.learning_rate", "0.1", "0.2"]]
    assert lines[3] == ["versions:", "the", "same"]
    assert lines[4] == ["curves,", "last", "values", "(apart", "from", "iteration", "2", "on)"]
    assert ["learning_rate", "0.1000", "0.2000"] in lines
    assert "test.loss" in [line[0] for line in lines if line]


def test_json(two, invoke):
    found = json.loads(invoke("compare", "a", "b", "a", "--json").out)
    assert found["runs"] == ["a", "b", "a"]
    assert found["spec"] == {"training.optimizer.sgd.learning_rate": [0.1, 0.2, 0.1]}
    assert (found["versions"], found["part_at"]) == ({}, 2)


def test_the_same(two, invoke):
    done = invoke("compare", "a", "a")
    assert [line.strip() for line in done.out.splitlines()[1:]] == [
        "spec: the same",
        "versions: the same",
        "curves, last values: the same",
        "metrics: the same",
        "results, SHA-256: the same",
    ]


def test_runs_that_are_not_finished_have_no_metrics_that_could_be_the_same(two, work, invoke):
    for name in ("a", "b"):
        (work / name / "metrics.json").unlink()
    assert "metrics: no run is finished" in map(str.strip, invoke("compare", "a", "b").out.splitlines())


def test_one_run_alone(two, invoke):
    done = invoke("compare", "a")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: there is nothing to compare a with; give two run folders or more\n"


def test_a_narrow_terminal_shows_some_runs_below_the_others(two, terminal):
    screen = terminal("compare", "a", "b", "a", "b", columns=60, rows=80)
    assert screen.wait_for_end() == 0
    headings = [line.split() for line in screen.lines() if set(line.split()) <= {"a", "b"} and line]
    assert headings == [["a", "b"], ["a", "b"]]
    assert [line.split()[1:] for line in screen.lines() if "learning_rate" in line][::2] == [["0.1", "0.2"]] * 2


def test_checksums_are_shortened(two, work, invoke):
    row = next(line.split() for line in invoke("compare", "a", "b").out.splitlines() if "model.safetensors" in line)
    digests = [hashlib.sha256((work / run / "model.safetensors").read_bytes()).hexdigest() for run in ("a", "b")]
    assert row[1:] == [digest[:10] for digest in digests]


def test_checksums_among_the_versions_are_shortened(two, work, invoke):
    lock = json.loads((work / "a/lock.json").read_text())
    lock["numpy"] = 64 * "a"
    (work / "a/lock.json").write_text(json.dumps(lock))
    out = invoke("compare", "a", "b").out
    assert 10 * "a" in out
    assert 11 * "a" not in out

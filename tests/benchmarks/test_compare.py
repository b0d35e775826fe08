"""The comparison with peers: its command, and that all contestants do the same work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"


def compare(*options):
    command = [sys.executable, FOLDER / "compare.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def files_in_the_repository():
    return {path for folder in (ROOT, FOLDER) for path in folder.glob("[!._]*")}


def test_a_short_run_gives_table_and_json(tmp_path):
    before = files_in_the_repository()
    report = tmp_path / "report.json"
    options = ["--workload", "sgd_step", "--only", "--shape", "50,32", "--runs", "1", "--json", report]
    done = compare(*options, "--seconds", "0.01", "--warm-up", "0")
    written = json.loads(report.read_text())

    (step,) = written["comparisons"]
    assert step["about"] == {"hidden": 50, "batch_size": 32, "optimizer": "sgd"}
    ours, limit = step["figures"]
    assert (ours["name"], limit["name"]) == ("mlpkit", "limit")
    assert 0 < limit["median"] < 1  # which of the two is faster is no question for a machine that runs tests
    assert 0 < ours["median"] < 1
    assert limit["ratio"]["median"] == limit["runs"][0] / ours["runs"][0]
    assert limit["threads"] >= 1
    (verdict,) = step["verdicts"]
    assert verdict["met"] == (verdict["reached"] >= verdict["target"])
    assert written["machine"]["blas"]["name"]
    assert written["left_out"] == {}

    assert "sgd step, 784-50-50-10, minibatches of 32" in done.stdout
    assert "matrix products alone" in done.stdout
    assert ("   met\n" if verdict["met"] else "   MISSED\n") in done.stdout
    assert files_in_the_repository() == before


def test_a_peer_that_is_not_installed_is_named():
    hiding = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['jax'] = None\n"
        f"sys.path.insert(0, {str(FOLDER)!r})\n"
        "import compare\n"
        "compare.main()\n"
    )
    options = ["--workload", "sgd_step", "--only", "pytorch", "jax", "--shape", "8,4", "--runs", "1"]
    command = [sys.executable, "-c", hiding, *options, "--seconds", "0.01", "--warm-up", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "left out: pytorch: torch not installed" in done.stdout
    assert "left out: jax: jax not installed" in done.stdout
    assert "PyTorch eager" not in done.stdout

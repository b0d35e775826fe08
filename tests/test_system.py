"""Where Python can't start threads or processes, everything works that needs none, and the rest says what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent / "support"
PROGRAM = """
import webassembly
import json, pathlib, sys
from webassembly_program import results
print(json.dumps(results(pathlib.Path(sys.argv[1]))))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a program comes to in what stands in for WebAssembly."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path_factory.mktemp("work"))],
        env=os.environ | {"PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_run_is_kept_with_its_checkpoints(found):
    run = found["trained"]
    assert run["checkpoints"] == ["best.safetensors", "step-000000060.safetensors", "step-000000090.safetensors"]
    assert {"model.safetensors", "metrics.json", "lock.json"} <= set(run["files"])


def test_a_model_is_loaded_and_predicts(found):
    assert found["trained"]["accuracy"] > 0.9
    assert found["trained"]["predicted"] == "foxglove"


def test_a_stopped_run_goes_on_to_the_same_results(found):
    assert found["resumed"] == {"stopped": 40, "steps": 100, "same": True}


def test_arrays_are_trained_on(found):
    assert found["fitted"]["accuracy"] > 0.8
    assert found["fitted"]["predicted"] == ["above"]


def test_plugins_are_looked_at_in_the_same_process(found):
    broken = "ModuleNotFoundError: No module named 'no_such_library' (broken.py, line 1)"
    assert found["plugins"] == {"mlpkit": "", "acme": "", "broken": broken}


def test_what_needs_processes_says_so(found):
    missing = "needs processes or threads, which Python can't start in WebAssembly"
    assert found["refused"] == {
        "seeds": f"training with several seeds {missing}",
        "live": [2, f"error: a live page {missing}\n"],
    }

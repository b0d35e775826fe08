"""Where Python can't start threads or processes, everything works that needs none, and the rest says what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prepared_pyodide import pyodide
from requirements import require_package

from mlpkit.system import available_cores
from mlpkit_plugins.exporters.js_engines import NODE, find_program

SUPPORT = Path(__file__).parent / "support"
NODE_PROGRAM = Path(__file__).parent / "node" / "run_in_pyodide.mjs"
STAND_IN = """
import webassembly
import json, pathlib, sys
from webassembly_program import results
print(json.dumps(results(pathlib.Path(sys.argv[1]))))
"""
IN_PYODIDE = """
import json, pathlib, sys, tempfile
sys.path.append("/modules")
from webassembly_program import results
json.dumps(results(pathlib.Path(tempfile.mkdtemp())))
"""


@pytest.fixture(scope="module", params=["a stand-in", pytest.param("Pyodide", marks=pytest.mark.long)])
def found(request, tmp_path_factory):
    """What a program comes to in WebAssembly, and in what stands in for it."""
    folder = tmp_path_factory.mktemp("work")
    if request.param == "a stand-in":
        command = [sys.executable, "-W", "error", "-c", STAND_IN, str(folder)]
    else:
        wheel = pyodide(folder)
        command = [find_program(NODE), NODE_PROGRAM, folder / "pyodide", wheel, SUPPORT, IN_PYODIDE]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(SUPPORT)}, capture_output=True, text=True, check=False
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


def test_a_model_is_exported_and_said_to_be_unproved(found):
    require_package("onnxruntime")
    assert found["exported"]["written"]
    assert found["exported"]["warning"].startswith(
        "not proved to compute what the model does: there is no JavaScript engine"
    )


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


def test_there_is_a_core():
    assert available_cores() >= 1

"""How many files of the core one has to read to follow a spec from its text to a checked value."""

from __future__ import annotations

import json
import subprocess
import sys

MOST = 25

FIRST_PASS = """
import inspect, json, sys
from pathlib import Path

import mlpkit
from mlpkit.specfile.spec import read_spec

CORE = Path(mlpkit.__file__).parent
entered = set()

def note(frame, event, argument):
    file = Path(frame.f_code.co_filename)
    # what an import runs is the body of a module or of a class, and no function
    if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED and file.is_relative_to(CORE):
        entered.add(file.relative_to(CORE).as_posix())

sys.setprofile(note)
read_spec(CORE / "shipped_specs" / "mnist_3layer.yaml")
sys.setprofile(None)
print(json.dumps(sorted(entered)))
"""


def test_a_spec_enters_few_modules_on_its_way():
    done = subprocess.run([sys.executable, "-c", FIRST_PASS], capture_output=True, text=True, check=True)
    entered = json.loads(done.stdout)
    assert "registry/registry.py" in entered  # the way leads through to the components
    assert len(entered) <= MOST, entered

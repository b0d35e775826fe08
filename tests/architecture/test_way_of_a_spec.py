"""How many files of the core one has to read to follow a spec from its text to a checked value."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

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


TOUR = re.compile(r"^\d+\. `(.+?)`, `(.+?)`: ", re.MULTILINE)

WHOLE_WAY = """
import inspect, json, sys
from pathlib import Path

import mlpkit
from mlpkit.cli.main import main

CORE = Path(mlpkit.__file__).parent
calls = {}

def note(frame, event, argument):
    code = frame.f_code
    file = Path(code.co_filename)
    if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and file.is_relative_to(CORE):
        calls.setdefault((file.relative_to(CORE).as_posix(), code.co_qualname), len(calls))

sys.argv[1:] = ["run", str(CORE / "shipped_specs/mnist_fast.yaml"), "--quiet", "--no-report", "--set"]
sys.argv += ["training.epochs=null", "--set", "training.iterations=1", "--set", "training.metrics=[]"]
sys.setprofile(note)
try:
    main()
finally:
    sys.setprofile(None)
    print(json.dumps(list(calls)))
"""


def test_the_tour_names_the_functions_that_a_spec_passes_in_their_order(tmp_path):
    page = (Path(__file__).parents[2] / "docs/design.md").read_text("utf-8")
    stations = TOUR.findall(page)
    assert len(stations) >= 12
    assert len({file for file, _ in stations}) == len(stations)
    done = subprocess.run([sys.executable, "-c", WHOLE_WAY], cwd=tmp_path, capture_output=True, text=True, check=True)
    calls = [tuple(call) for call in json.loads(done.stdout)]
    assert [station for station in stations if station not in calls] == []
    assert sorted(stations, key=calls.index) == stations
    assert (tmp_path / "runs/mnist_fast/model.safetensors").is_file()

"""In CI, Hypothesis has no deadlines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = """
import time
from hypothesis import given, strategies

@given(strategies.none())
def test_slow(value):
    time.sleep(0.3)
"""


@pytest.mark.parametrize(("ci", "code"), [("true", 0), ("", 1)])
def test_a_slow_example_fails_elsewhere_only(ci, code, tmp_path):
    (tmp_path / "test_slow.py").write_text(SLOW)
    (tmp_path / "conftest.py").write_text((Path(__file__).parents[1] / "conftest.py").read_text("utf-8"))
    support = Path(__file__).parents[1] / "support"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--override-ini=pythonpath={support}"]
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | ({"CI": ci} if ci else {})
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert ("DeadlineExceeded" in done.stdout) == (code == 1)

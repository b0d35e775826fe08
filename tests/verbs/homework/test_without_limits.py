"""Where a system can't limit a process, ``mlpkit grade`` says so, and what is left still holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpkit.verbs.homework import child

RIGHT = (Path(__file__).parent / "right/relu.py").read_text("utf-8")
WITHOUT = 'sys.modules["resource"] = None\nsys.platform = "nowhere"\n'


@pytest.fixture
def no_limits(tmp_path, monkeypatch):
    """Submissions' processes find neither Python's module of limits nor Linux."""
    text = Path(child.__file__).read_text("utf-8")
    (tmp_path / "child.py").write_text(text.replace("ALLOWED: Final", f"{WITHOUT}ALLOWED: Final", 1))
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))


@pytest.mark.usefixtures("no_limits")
def test_it_names_what_it_cannot_limit(invoke, cwd):
    (cwd / "relu.py").write_text(RIGHT)
    done = invoke("grade", ".")
    assert done.out == "work  layer Relu  10 of 10\n"
    assert done.err == "note: this system can't limit memory, processor time, system calls of a submission's process\n"


def test_here_nothing_is_missing(invoke, cwd):
    (cwd / "relu.py").write_text(RIGHT)
    assert "system calls" not in invoke("grade", ".").err or child.sys.platform != "linux"


@pytest.mark.usefixtures("no_limits")
@pytest.mark.parametrize(
    ("line", "reason"),
    [("open('x', 'w')", "open 'x'"), ("while True: pass", "not finished after 1 s"), ("import os", "import os")],
)
def test_what_is_left_holds(line, reason, invoke, cwd):
    (cwd / "relu.py").write_text(f"{line}\n{RIGHT}")
    mark = json.loads(invoke("grade", ".", "--json", "--seconds", "1").out)
    assert (mark["points"], reason in mark["results"][0]["reason"]) == (0, True)
    assert not (cwd / "x").exists()

"""The figures that are kept are those that the pages name, and each file tells how to measure them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "benchmarks/results").glob("*.json"))


def test_the_pages_name_the_files_that_are_there():
    pages = [(ROOT / page).read_text("utf-8") for page in ("docs/performance.md", "docs/results.md")]
    assert {name for page in pages for name in re.findall(r"`(\w+\.json)`", page)} - {"lock.json"} == {
        path.name for path in RESULTS
    }


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_figures_have_a_machine_a_command_and_a_date(path):
    figures = json.loads(path.read_text("utf-8"))
    assert figures["machine"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", figures["recorded"])
    commands = [figures["command"], *(part["command"] for part in figures["measurements"] if "command" in part)]
    for command in commands:
        program, *arguments = command.split()
        assert program in {"python", "pytest"}
        assert any((ROOT / argument).is_file() for argument in arguments), command
    assert all(part["what"] and part["rows"] for part in figures["measurements"])

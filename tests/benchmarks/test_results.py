"""The figures that are kept are those that the pages name, and each file tells how to measure them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import geometric_mean

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


def test_the_table_of_recipes_has_the_figures_that_are_kept():
    page = (ROOT / "docs/results.md").read_text("utf-8")
    compared = json.loads((ROOT / "benchmarks/results/tables.json").read_text("utf-8"))["measurements"][:4]
    for part, recipe in zip(compared, ("RealMLP-TD-S", "RealMLP-TD", "TabM"), strict=False):
        error, speed = (geometric_mean(row[key] for row in part["rows"]) for key in ("ratio", "times as fast"))
        within = sum(row["within"] == "yes" for row in part["rows"])
        row = rf"\| {recipe} \| [^|]+ \| {error:.3f} \| {within} of {len(part['rows'])} \| {speed:.2f} \|"
        assert re.search(row, page), row
    for peer in ("scikit-learn's MLP", "scikit-learn's trees", "LightGBM", "XGBoost", "CatBoost"):
        errors = [row["five-fold RealMLP-TD"] / row[peer] for row in compared[3]["rows"] if row[peer]]
        assert f"| {peer} | {geometric_mean(errors):.3f} |" in page

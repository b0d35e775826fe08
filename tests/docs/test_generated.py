"""The generated parts of the pages are what the code says now."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from documentation_pages import BY_HAND, FROM_CODE, text_of


@pytest.fixture
def copy(docs, tmp_path):
    """Return a folder with two of the pages, to be made stale."""
    folder = shutil.copytree(docs, tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    shutil.copytree(docs.parent / "specs", tmp_path / "specs")
    shutil.copytree(docs.parent / "benchmarks/results", tmp_path / "benchmarks/results")
    for stub in (docs.parent / "mlpkit").rglob("*.pyi"):
        place = tmp_path / stub.relative_to(docs.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stub, place)
    for page in ("spec.md", "components/metric.md"):
        shutil.copy(docs / page, folder / page)
    return folder


def generate(folder, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "generate.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_is_stale(docs):
    done = generate(docs, "--check")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0), "run python docs/generate.py"


def test_stale_pages_are_found_and_renewed(copy):
    current = {}
    for page, generated in (("components/metric.md", "1 error in"), ("spec.md", "3 errors in")):
        current[page] = (copy / page).read_text("utf-8")
        (copy / page).write_text(current[page].replace(generated, "something else"), encoding="utf-8")
    found = generate(copy, "--check")
    assert (found.stdout, found.returncode) == ("docs/components/metric.md is stale\ndocs/spec.md is stale\n", 1)
    renewed = generate(copy)
    assert (renewed.stdout, renewed.returncode) == ("docs/components/metric.md written\ndocs/spec.md written\n", 0)
    assert {page: (copy / page).read_text("utf-8") for page in current} == current


def test_a_stale_picture_is_found_and_renewed(copy, docs):
    shutil.copy(docs / "performance.md", copy / "performance.md")
    picture = copy / "pictures/step-time.svg"
    current = picture.read_text("utf-8")
    picture.write_text(current.replace("PyTorch 1.95", "PyTorch 9.95"), encoding="utf-8")
    found = generate(copy, "--check")
    assert (found.stdout, found.returncode) == ("docs/pictures/step-time.svg is stale\n", 1)
    assert generate(copy).returncode == 0
    assert picture.read_text("utf-8") == current


def test_a_part_without_an_end_is_an_error(copy):
    path = copy / "spec.md"
    path.write_text(path.read_text("utf-8") + "\n<!-- generated: $ mlpkit show sgd -->\n", encoding="utf-8")
    done = generate(copy)
    assert done.returncode == 2
    assert "spec.md" in done.stderr


def test_each_row_of_a_table_is_one_line():
    for page in [*BY_HAND, *FROM_CODE]:
        rows = [line for line in text_of(page).splitlines() if line.startswith("| ")]
        assert [row for row in rows if not row.endswith("|")] == [], page.name

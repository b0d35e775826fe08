"""The packages in ``plugins/examples``, each in an environment in which it is installed."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "plugins" / "examples"
NAMES = ("survival", "windows")
LONG = "conformance or against or sweep"
"""Tests that are left to the authors of the packages; comparisons need other libraries, too."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a copy of the packages: building them leaves files there."""
    return shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("examples"), dirs_exist_ok=True)


@pytest.fixture(scope="module")
def environment(new_environment, folder):
    """Return an environment in which both are installed."""
    made = new_environment()
    made(f"pip install --quiet {' '.join(f'./{name}-mlpkit' for name in NAMES)}", cwd=folder)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_its_tests_pass(name, environment, folder):
    options = f"-q --import-mode=importlib -p no:cacheprovider -k 'not ({LONG})'"
    assert " passed" in environment(f"pytest {options} {name}-mlpkit", cwd=folder)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_what_a_published_package_needs(name):
    project = tomllib.loads((EXAMPLES / f"{name}-mlpkit" / "pyproject.toml").read_text("utf-8"))["project"]
    (mlpkit,) = [each for each in project["dependencies"] if each.startswith("mlpkit")]
    assert ",<" in mlpkit
    assert project["keywords"]
    assert project["classifiers"]
    assert all("OWNER" in address for address in project["urls"].values())

"""What the tests of the documentation's site share: the site, built once, and a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from headless_browser import browser_page
from requirements import require_package

import mlpkit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))  # as `python docs/build.py` has it


@pytest.fixture(scope="session")
def versions(tmp_path_factory):
    """Return the folder of a site as the documented command builds it, a folder for each version inside."""
    require_package("furo")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "docs/build.py"), "--to", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{folder / 'index.html'}\n")
    return folder


@pytest.fixture(scope="session")
def site(versions):
    """Return the folder of this version's site."""
    return versions / mlpkit.__version__


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browser_page(tmp_path_factory.mktemp("profile")) as page:
        yield page

"""What the tests of the documentation's site share: the site, built once, and a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from headless_browser import browser_page
from requirements import require_package

import mlpkit

ROOT = Path(__file__).parents[2]
LONGEST_BUILD = 300
"""The limit in seconds."""
sys.path.insert(0, str(ROOT / "docs"))  # as `python docs/build.py` has it


@pytest.fixture(scope="session")
def versions(tmp_path_factory):
    """Return the folder of a site as the documented command builds it, a folder for each version inside.

    Workers of pytest-xdist share one: the first builds it, and the others wait.
    """
    require_package("furo")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, built = shared / "site", shared / "site_is_built"
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + LONGEST_BUILD
        while not built.exists():
            assert time.monotonic() < end, "another worker builds no site"
            time.sleep(0.1)
        return folder
    command = [sys.executable, str(ROOT / "docs/build.py"), "--to", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{folder / 'index.html'}\n")
    built.touch()
    return folder


@pytest.fixture(scope="session")
def site(versions):
    """Return the folder of this version's site."""
    return versions / mlpkit.__version__


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browser_page(tmp_path_factory.mktemp("profile")) as page:
        yield page

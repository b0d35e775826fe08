"""The first hour's commands, run one after the other in the clone that it begins in, do what it says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from walkthrough import commands_run, follow, steps_of

ROOT = Path(__file__).parents[2]
FIRST_HOUR = ROOT / "docs/first-hour.md"
BY_GENERATE = re.compile(r"^<!-- generated: .*?<!-- end -->$", re.M | re.S)
"""What `python docs/generate.py` runs, which a test of its own sees to."""


@pytest.fixture(scope="module")
def steps():
    """Return the steps of the first hour, in their order."""
    return steps_of(FIRST_HOUR)


def test_every_step_does_what_the_page_says(steps, new_environment, tmp_path):
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    follow(steps, new_environment(), tmp_path)


def test_every_command_is_run(steps):
    by_hand = BY_GENERATE.sub("", FIRST_HOUR.read_text("utf-8"))
    assert re.findall(r"^\$ (.+)$", by_hand, re.M) == commands_run(steps)


def test_installation_is_that_of_the_readme():
    install = re.findall(r"^```sh\n(.*?)^```$", FIRST_HOUR.read_text("utf-8"), re.M | re.S)[0].splitlines()
    assert " && ".join(install[:2]) in (ROOT / "README.md").read_text("utf-8")

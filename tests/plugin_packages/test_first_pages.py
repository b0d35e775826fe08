"""The commands of the pages for newcomers, run one after the other in a clone, do what the pages say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from walkthrough import commands_run, follow, steps_of

ROOT = Path(__file__).parents[2]
FIRST_HOUR = ROOT / "docs/first-hour.md"
PAGES = [FIRST_HOUR, ROOT / "docs/first-table.md"]
FROM_THE_CLONE = ("specs", "plugins/mlpkit_plugins/datasets/example_files")
"""Folders that the commands take something from."""
BY_GENERATE = re.compile(r"^<!-- generated: .*?<!-- end -->$", re.M | re.S)
"""What `python docs/generate.py` runs, which a test of its own sees to."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_step_does_what_the_page_says(page, new_environment, tmp_path):
    for folder in FROM_THE_CLONE:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    follow(steps_of(page), new_environment(), tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_run(page):
    by_hand = BY_GENERATE.sub("", page.read_text("utf-8"))
    assert re.findall(r"^\$ (.+)$", by_hand, re.M) == commands_run(steps_of(page))


def test_installation_is_that_of_the_readme():
    install = re.findall(r"^```sh\n(.*?)^```$", FIRST_HOUR.read_text("utf-8"), re.M | re.S)[0].splitlines()
    assert " && ".join(install[:2]) in (ROOT / "README.md").read_text("utf-8")

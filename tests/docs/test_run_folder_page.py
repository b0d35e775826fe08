"""The page on run folders describes what a run leaves."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from generators.marked_blocks import write_files

import mlpkit
from mlpkit.jobs.explanations import background_of
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.card.card import write_card


@pytest.fixture
def page(docs):
    """Return the page's text."""
    return (docs / "run-folder.md").read_text("utf-8")


@pytest.fixture
def folder(page, shortened, tmp_path, monkeypatch):
    """Return the folder of a run of the page's spec, on less data."""
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    return mlpkit.run(shortened("quick.yaml", []), "run").folder


def shown(page: str, name: str) -> str:
    """Return the last block of code in the section on a file."""
    (section,) = re.findall(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```(?:yaml|json)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[-1]


def keys_of(data: object) -> object:
    """Return the keys of a mapping and of those inside it."""
    return {key: keys_of(value) for key, value in data.items()} if isinstance(data, dict) else None


def test_every_file_of_a_run_has_a_section_and_no_other(page, folder):
    mlpkit.report(folder)
    background_of(folder, load_run(folder))
    write_card(folder, None, None, {"plugins": (), "blocked": ()})
    sections = re.findall(r"^## (.+)$", page, re.MULTILINE)
    there = {path.name for path in folder.iterdir()} - {".lock"}
    assert sorted(sections) == sorted(there | {"statistics.json"})  # tests/verbs/data has that written


@pytest.mark.parametrize("name", ["run.json", "lock.json", "metrics.json"])
def test_the_json_shown_has_the_keys_of_a_run(name, page, folder):
    assert keys_of(json.loads(shown(page, name))) == keys_of(json.loads((folder / name).read_text("utf-8")))


@pytest.mark.parametrize("name", ["history.jsonl", "timing.jsonl"])
def test_the_lines_shown_have_the_keys_of_a_run(name, page, folder):
    in_page = [list(json.loads(line)) for line in shown(page, name).splitlines()]
    in_run = [list(json.loads(line)) for line in (folder / name).read_text("utf-8").splitlines()]
    assert in_page == in_run


def test_the_resolved_spec_shown_is_that_of_the_spec_shown(page, folder):
    spec = mlpkit.load_spec(folder.parent / "quick.yaml")
    assert shown(page, "resolved.yaml") == spec.resolved_text(slices=1, threads=1)
    assert list(yaml.safe_load(shown(page, "resolved.yaml"))) == list(
        yaml.safe_load((folder / "resolved.yaml").read_text("utf-8"))
    )

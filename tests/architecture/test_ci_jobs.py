"""What CI runs elsewhere is a script that runs here, and changes are recorded as the changelog's tool takes them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
JOBS = sorted(path.name for path in (ROOT / ".ci/jobs").iterdir())
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def jobs_of(workflow):
    """Return the jobs that a workflow runs, those of a matrix too."""
    found = set()
    for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values():
        found |= set(job.get("strategy", {}).get("matrix", {}).get("job", []))
        for step in job.get("steps", []):
            found |= set(re.findall(r"\.ci/jobs/([\w-]+)", step.get("run", "")))
    return found


def test_workflows_run_every_job_but_the_emulated_processor():
    assert set().union(*map(jobs_of, WORKFLOWS)) == set(JOBS) - {"arm"}


@pytest.mark.parametrize("job", JOBS)
def test_each_job_is_a_script_that_bash_can_read(job):
    path = ROOT / ".ci/jobs" / job
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", str(path)], check=True)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_their_commit(workflow):
    used = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
    assert [action for action in used if not re.fullmatch(r"\./\S+|[\w/-]+@[0-9a-f]{40}", action)] == []


def test_the_tag_of_a_version_must_name_it():
    command = [ROOT / ".ci/jobs/release", "v99.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "pyproject.toml has another version than v99.0.0\n")


def test_fragments_of_the_changelog_have_a_kind():
    kinds = {kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    assert [path.name for path in fragments if path.name.split(".")[1:] not in [[kind, "md"] for kind in kinds]] == []


def test_the_lowest_versions_are_those_of_all_dependencies():
    command = [sys.executable, ROOT / "tools/lowest_versions.py", "images"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["project"]["optional-dependencies"]["images"]]
    assert lines == sorted(line.replace(">=", "==") for line in expected)

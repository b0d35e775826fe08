"""The guide's commands, run one after the other in an environment of their own, do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter

import pytest
from walkthrough import commands_in, commands_run, follow, steps_of

GUIDE = Path(__file__).parents[2] / "docs/guide.md"
MOST_COMMANDS = 5


@pytest.fixture(scope="module")
def steps():
    """Return the steps of the guide, in their order."""
    return steps_of(GUIDE)


def test_every_step_does_what_the_guide_says(steps, new_environment, tmp_path):
    follow(steps, new_environment(), tmp_path)
    assert [wheel.name for wheel in (tmp_path / "dist").iterdir()] == ["acme_mlpkit-0.1.0-py3-none-any.whl"]


def test_a_newcomer_trains_a_new_layer_in_at_most_five_commands(steps, new_environment, tmp_path, record_property):
    (path,) = [commands_in(step.text) for step in steps if step.detail == "newcomer"]
    assert path[0].line == "mlpkit new-plugin acme"
    assert path[-1].line.startswith("mlpkit run ")
    assert len(path) <= MOST_COMMANDS
    assert not [command.line for command in path if re.search(r"[;&|]", command.line)]  # each is one command
    environment = new_environment()
    began = perf_counter()
    for command in path:
        environment(command.line, cwd=tmp_path)
    record_property("seconds", round(perf_counter() - began, 1))
    assert "acme.Swish" in (tmp_path / "runs/acme/resolved.yaml").read_text("utf-8")
    assert (tmp_path / "runs/acme/model.safetensors").is_file()


def test_every_command_in_the_guide_is_run(steps):
    assert re.findall(r"^\$ (.+)$", GUIDE.read_text("utf-8"), re.M) == commands_run(steps)

"""The guide's commands, run one after the other in an environment of their own, do what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pytest

GUIDE = Path(__file__).parents[2] / "docs/guide.md"
STEP = re.compile(
    r"^<!-- (?P<role>run|file)(?:: (?P<detail>.+?))? -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
MOST_COMMANDS = 5


@dataclass(frozen=True)
class Command:
    """A command of the guide, and what it prints, if the guide says."""

    line: str
    printed: str


def commands_in(console: str) -> list[Command]:
    """Return the commands of a console block."""
    parts = re.split(r"^\$ (.+)\n", console, flags=re.M)
    return [Command(line, printed) for line, printed in zip(parts[1::2], parts[2::2], strict=True)]


def without_numbers(text: str) -> list[list[str]]:
    """Return the words of each line that has any, with # for every number."""
    words = (re.sub(r"(?<![\w.])-?\d[\d.,]*(e[-+]?\d+)?", "#", line).split() for line in text.splitlines())
    return [line for line in words if line]


def expect_printed(shown: str, printed: str) -> None:
    """Make sure that a command printed what the guide shows, but for numbers; ``...`` stands for lines left out."""
    found = without_numbers(printed)
    for part in shown.split("...\n"):
        lines = without_numbers(part)
        begins = [i for i in range(len(found)) if found[i : i + len(lines)] == lines]
        assert begins, f"{part}\nis not in\n{printed}"
        found = found[begins[0] + len(lines) :]


@pytest.fixture(scope="module")
def steps():
    """Return the steps of the guide, in their order."""
    return [found.groupdict() for found in STEP.finditer(GUIDE.read_text("utf-8"))]


def test_every_step_does_what_the_guide_says(steps, new_environment, tmp_path):
    environment = new_environment()
    for step in steps:
        path, _, line = (step["detail"] or "").partition(": ")
        if step["role"] == "run":
            exit_code = int(re.sub(r"\D", "", step["detail"] or "") or 0)
            for command in commands_in(step["text"]):
                printed = environment(command.line, cwd=tmp_path, exit_code=exit_code)
                expect_printed(command.printed, printed)
        elif line:
            whole = (tmp_path / path).read_text("utf-8")
            assert whole.count(line) == 1
            (tmp_path / path).write_text(whole.replace(line, step["text"].strip()), encoding="utf-8")
        else:
            (tmp_path / path).write_text(step["text"], encoding="utf-8")
    assert [wheel.name for wheel in (tmp_path / "dist").iterdir()] == ["acme_mlpkit-0.1.0-py3-none-any.whl"]


def test_a_newcomer_trains_a_new_layer_in_at_most_five_commands(steps, new_environment, tmp_path, record_property):
    (path,) = [commands_in(step["text"]) for step in steps if step["detail"] == "newcomer"]
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
    shown = re.findall(r"^\$ (.+)$", GUIDE.read_text("utf-8"), re.M)
    run = [command.line for step in steps if step["role"] == "run" for command in commands_in(step["text"])]
    assert shown == run

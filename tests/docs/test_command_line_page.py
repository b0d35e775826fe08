"""The sessions that the page on the command line shows are those of the program, but for their numbers."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from generators.console import PLAIN
from generators.marked_blocks import write_files

from mlpkit.cli.verbs import VERBS, program

SESSION = re.compile(r"^<!-- session -->\n```console\n\$ mlpkit (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(docs):
    """Return the page's text."""
    return (docs / "command-line.md").read_text("utf-8")


def without_numbers(text: str) -> list[list[str]]:
    """Return the words of each line, with # for every number."""
    return [re.sub(r"(?<![\w.])\d[\d.]*(e[-+]?\d+)?", "#", line).split() for line in text.splitlines()]


def test_the_sessions_show_what_the_commands_print(page, tiny_mnist, tmp_path, monkeypatch):
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "quick.yaml"
    less = f"data: {{mnist: {{directory: {tiny_mnist}, validation: 20}}}}"
    spec.write_text(spec.read_text("utf-8").replace("data: mnist", less), encoding="utf-8")
    np.save("digits.npy", np.zeros((3, 28, 28), np.uint8))
    sessions = SESSION.findall(page)
    assert len(sessions) == page.count("<!-- session -->") > 0
    for command, output in sessions:
        done = CliRunner(env=PLAIN).invoke(program, shlex.split(command), prog_name="mlpkit")
        assert done.exit_code == 0, done.output
        assert without_numbers(done.output) == without_numbers(output)


def test_every_command_has_a_section_with_its_help(page):
    assert re.findall(r"^## mlpkit ([\w-]+)$", page, re.MULTILINE) == list(VERBS)
    assert re.findall(r"^<!-- generated: \$ mlpkit ([\w-]+) --help -->$", page, re.MULTILINE) == list(VERBS)

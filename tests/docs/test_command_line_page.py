"""The sessions that the page on the command line shows are those of the program, but for their numbers."""

from __future__ import annotations

import re
import shlex

import click
import numpy as np
import pytest
from click.testing import CliRunner
from generators.console import PLAIN
from generators.marked_blocks import write_files
from walkthrough import commands_in, expect_printed

from mlpkit.cli.verbs import VERBS, program

SESSION = re.compile(r"^<!-- session -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOTE = re.compile(r"^note: .*\n", re.MULTILINE)
"""A network that learns random images may be sick."""


@pytest.fixture
def page(docs):
    """Return the page's text."""
    return (docs / "command-line.md").read_text("utf-8")


def test_the_sessions_show_what_the_commands_print(page, tiny_mnist, tmp_path, monkeypatch):
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "quick.yaml"
    less = f"data: {{mnist: {{directory: {tiny_mnist}, validation: 20}}}}"
    spec.write_text(spec.read_text("utf-8").replace("data: mnist", less), encoding="utf-8")
    np.save("digits.npy", np.zeros((3, 28, 28), np.uint8))
    sessions = SESSION.findall(page)
    assert len(sessions) == page.count("<!-- session -->") > 0
    for command in (command for session in sessions for command in commands_in(session)):
        _, *arguments = shlex.split(command.line)
        done = CliRunner(env=PLAIN).invoke(program, arguments, prog_name="mlpkit")
        assert done.exit_code == 0, done.output
        expect_printed(command.printed, NOTE.sub("", done.output))


def sections(page: str) -> dict[str, str]:
    """Return the text below the heading of each command."""
    parts = re.split(r"^## mlpkit ([\w-]+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(name: str) -> set[str]:
    """Return the long options of a command."""
    command = program.get_command(click.Context(program), name)
    context = command.make_context(name, [], resilient_parsing=True)
    parameters = [*command.params, *command.get_params(context)]
    return {option for parameter in parameters for option in parameter.opts if option.startswith("--")}


def rows(page: str) -> dict[str, str]:
    """Return the row of each command in the table of all."""
    table = page.split("\n## ", maxsplit=1)[0]
    return {found["name"]: found[0] for found in re.finditer(r"^\| `mlpkit (?P<name>[\w-]+).*$", table, re.M)}


def test_every_command_has_a_row_that_leads_to_its_explanation(page):
    assert list(rows(page)) == list(VERBS)
    below = [name for name, row in rows(page).items() if f"[below](#mlpkit-{name})" in row]
    assert below == list(sections(page))


def test_every_option_shown_is_one_of_the_command(page):
    for name, text in [*sections(page).items(), *rows(page).items()]:
        lines = "\n".join(re.findall(rf"mlpkit {name} (.+)", text))
        shown = re.findall(r"`(--[\w-]+)", text) + re.findall(r"--[\w-]+", lines)
        assert set(shown) <= options_of(name), name


def test_options_that_commands_share_are_those_that_all_of_them_have(page):
    shared = page.split("## What all commands share")[1].split("## mlpkit ")[0]
    reading_a_spec = [options_of(name) for name in ("run", "check", "data", "explain")]
    for option in ("--set", "--plugin", "--no-plugin"):
        assert f"`{option} " in shared
        assert all(option in options for options in reading_a_spec)

"""What commands print in the README and on some pages is what they print."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner
from generators.console import PLAIN
from generators.marked_blocks import write_files
from walkthrough import commands_run, follow, steps_of

from mlpkit.cli.verbs import program

ROOT = Path(__file__).parents[2]
SESSIONS = (
    *(
        "card",
        "coverage",
        "distillation",
        "doctor",
        "drift",
        "explanations",
        "groups",
        "seeds",
        "sweeps",
        "teaching",
        "training",
    ),
    *(f"course/{name}" for name in ("loader", "layers", "gradients", "training", "initialization", "optimizers")),
    *("course/regularization", "course/convolution"),
)
PAGES = [
    *(ROOT / f"docs/{name}.md" for name in SESSIONS),
    ROOT / "mlpkit/verbs/ask/agent.md",
]
LOANS = ROOT / "plugins/mlpkit_plugins/datasets/example_files/loans.csv"
"""The table that the guide for agents has before it starts."""


def in_this_process(command: str, *, cwd: Path, exit_code: int = 0) -> str:
    """Run a command of mlpkit, and return what it prints."""
    _, *arguments = shlex.split(command)
    with chdir(cwd):
        done = CliRunner(env=PLAIN).invoke(program, arguments, prog_name="mlpkit")
    assert done.exit_code == exit_code, done.output
    return done.output


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_every_command_prints_what_the_page_says(page, tmp_path):
    write_files(page.read_text("utf-8"), tmp_path)
    shutil.copy(LOANS, tmp_path)
    follow(steps_of(page), in_this_process, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_run(page):
    assert re.findall(r"^\$ (.+)$", page.read_text("utf-8"), re.M) == commands_run(steps_of(page))

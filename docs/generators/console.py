"""The output of commands, run in a folder with the files that the page shows."""

from __future__ import annotations

import os
import shlex
import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from click.testing import CliRunner

from generators.marked_blocks import write_files
from mlpkit.cli.verbs import program

SPECS: Final = Path(__file__).parents[2] / "specs"

PLAIN: Final = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
"""Settings that make the output the same on every terminal."""


def console(command: str, page: str) -> str:
    """Return a console block with the command and what it prints, messages included.

    Args:
        command: such as ``mlpkit check my.yaml``; what follows a ``#`` is left out.
        page: the page, whose plugins and specs are in the working folder, as are the shipped specs, in ``specs``.
    """
    prompt, *arguments = shlex.split(command, comments=True)
    if prompt != "mlpkit":
        msg = f"'{command}' is not a command of mlpkit"
        raise ValueError(msg)
    with TemporaryDirectory() as folder, chdir(folder):
        write_files(page, Path(folder))
        shutil.copytree(SPECS, "specs")
        done = CliRunner(env={**os.environ, **PLAIN}).invoke(program, arguments, prog_name="mlpkit")
    return f"```console\n$ {command}\n{done.output.rstrip()}\n```\n"

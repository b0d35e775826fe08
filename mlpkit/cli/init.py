"""``mlpkit init``: copy a shipped spec, to begin from."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.formatting import columns, line_length
from mlpkit.cli.output import message, result
from mlpkit.errors import UsageError


@options.verb("init")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=completion.shipped_specs)
@click.option(
    "--to",
    "destination",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The new file; by default NAME.yaml in this folder.",
)
def command(name: str | None, destination: Path | None) -> None:
    """Copy a shipped spec, to begin from.

    Without NAME, list the shipped specs.
    """
    from mlpkit.jobs.init import init, shipped_specs  # noqa: PLC0415 - as in every verb, only the job that is done

    if name is not None:
        target = init(name, destination)
        result(str(target))
        message(f"train it with: mlpkit run {target}")
    elif destination is not None:
        raise UsageError("--to needs NAME, the shipped spec to copy; without NAME, they are listed")
    else:
        rows = [(name, _first_comment(path)) for name, path in shipped_specs().items()]
        result("\n".join(columns(rows, width=line_length())))


def _first_comment(path: Path) -> str:
    """Return what a spec says of itself: the comment that it begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0].removeprefix("#").strip() if lines[0].startswith("#") else ""

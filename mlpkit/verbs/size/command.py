"""``mlpkit size``: show how much room runs take on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, result

if TYPE_CHECKING:
    from collections.abc import Sequence


@options.verb("size")
@click.argument(
    "directories",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=completion.runs_and_folders_of_runs,
)
@options.takes_json
def command(directories: Sequence[Path], as_json: bool) -> None:
    """Show how many bytes of runs are models, checkpoints and records.

    RUN is a run folder, or one with the runs of several seeds or of a sweep, which counts as a whole.
    """
    from mlpkit.verbs.size.size import RunSize, size_of  # noqa: PLC0415 - loads NumPy, which --help does without

    sizes = {str(directory): size_of(directory) for directory in directories}
    if as_json:
        document({name: size._asdict() for name, size in sizes.items()})
        return
    rows = [["run", *RunSize._fields, "total"]]
    rows += [[name, *(f"{part:,}" for part in (*size, sum(size)))] for name, size in sizes.items()]
    result("\n".join(columns(rows, right=range(1, len(rows[0])))))

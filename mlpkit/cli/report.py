"""``mlpkit report``: write a page about a run."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.output import document, result


@options.verb("report")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option(
    "--to", metavar="FILE", type=click.Path(path_type=Path), help="The file to write; by default report.html in RUN."
)
@options.takes_plugins
@options.takes_json
def command(
    directory: Path, to: Path | None, plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool
) -> None:
    """Write a page about a run: results, curves, mistakes, layers.

    RUN is a run folder; the run may be unfinished. The page is one file that works from disk, without a network.
    """
    from mlpkit.jobs.report import report  # noqa: PLC0415 - loads NumPy, which --help does without

    file = report(directory, to, plugins=plugins, blocked=blocked)
    if as_json:
        document({"out": file})
    else:
        result(f"report in {file}")

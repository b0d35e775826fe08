"""``mlpkit compare``: show what differs between runs, and whether it is more than chance."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.formatting import line_length
from mlpkit.terminal.output import document, result


@options.verb("compare")
@click.argument(
    "directories",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=completion.runs,
)
@click.option(
    "--metric",
    "metrics",
    metavar="NAME",
    multiple=True,
    help="Compare only this metric, such as loss or test.loss; may be repeated.",
)
@options.path_option("--html", "page", metavar="FILE", help="Write a page with curves instead.")
@options.by_option
@options.json_option
def command(
    directories: tuple[Path, ...], metrics: tuple[str, ...], page: Path | None, by: tuple[str, ...], as_json: bool
) -> None:
    """Compare runs, and test whether they differ by more than chance.

    Each RUN is a run folder, or a folder with the runs of several seeds. Shows only what differs: keys of the spec,
    versions, the last values of the history, the final metrics, the SHA-256 of the results.

    Runs that differ only in their seeds are compared as one, by their means. A test then shows whether loss and metrics
    differ from those of the first by more than chance. --by, or the key by in all specs, adds the groups of each run's
    test rows by a column, with 95 % intervals over the rows, or over the seeds.
    """
    from mlpkit.verbs.runs import compare  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    if page is not None:
        compare.write_comparison(directories, page, metrics, by)
        document({"out": page}) if as_json else result(f"comparison in {page}")
        return
    found = compare.compare(directories, metrics, by)
    if as_json:
        document(asdict(found))
    else:
        result("\n".join(compare.lines_of(found, line_length())).rstrip())

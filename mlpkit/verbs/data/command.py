"""``mlpkit data``: show what a spec's data is like, before training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.formatting import line_length
from mlpkit.terminal.output import document, print_warnings, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("data")
@click.argument("path", metavar="SPEC", shell_complete=completion.specs)
@click.option("--encoded", is_flag=True, help="Show what the network gets, and not what stands in the file.")
@click.option("--all", "every", is_flag=True, help="Show all columns of a wide table.")
@click.option(
    "--rows", type=click.IntRange(min=0), default=5, show_default=True, help="Training examples to show, encoded."
)
@options.overrides_option
@options.plugins_option
@options.json_option
def command(
    path: str,
    encoded: bool,
    every: bool,
    rows: int,
    overrides: tuple[str, ...],
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Show what a spec's data is like, before training.

    Reads all of it: sizes of the splits, how often each class occurs, and of a table what stands in each column, in
    all splits together: its type, missing and distinct values, a histogram, and the range or the most common texts.
    Columns with a single value, columns that tell the target, and rows that splits share are pointed out.

    Of arrays and images: their type, shape and range in the file. With --encoded, and of other data: shapes, the range
    of each input, and a few examples, as the network gets them. With --json, all of this.
    """
    from mlpkit.verbs.data import data, lines  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    report = data.data(options.given_spec(path, overrides, **plugin_options), rows=rows)
    print_warnings((*report.spec.warnings, *report.data_warnings))
    if as_json:
        document({"spec": path, **report.to_plain()})
    else:
        result("\n".join(lines.lines_of(path, report, line_length(), encoded=encoded, every=every)))

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
@click.option("--encoded", is_flag=True, help="Show the encoded inputs of the network, not the raw values in the file.")
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
    """Describe a spec's data before training.

    Reads all of it. Shows the sizes of the splits, how often each class occurs and, for a table, the type of each
    column, its missing and distinct values, a histogram, and its range or most common texts, over all splits. Points
    out columns with a single value, columns that reveal the target, and rows that splits share.

    For arrays and images, shows their type, shape and range in the file. With --encoded, and for other data, shows the
    shapes, the range of each input, and a few examples, as the network gets them. With --json, prints all of this.
    """
    from mlpkit.verbs.data import data, lines  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    report = data.data(options.given_spec(path, overrides, **plugin_options), rows=rows)
    warnings = (*report.spec.warnings, *report.data_warnings)
    print_warnings(warnings)
    if as_json:
        document({"spec": path, **report.to_plain(), "warnings": [warning.to_plain() for warning in warnings]})
    else:
        result("\n".join(lines.lines_of(path, report, line_length(), encoded=encoded, every=every)))

"""``mlpkit data``: show what a spec's data is like, before training, and whether new rows are like it after that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.standard_input import file_or_standard_input
from mlpkit.errors import UsageError
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
@click.option(
    "--against",
    metavar="RUN",
    type=click.Path(path_type=Path),
    shell_complete=completion.runs,
    help="Compare new rows, in place of SPEC, with those that a run was trained on.",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="With --against, the probability of any false alarm.",
)
@click.option(
    "--least",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="With --against, the share of a column's rows that must have moved for it to have drifted.",
)
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="With --against, write a page with histograms."
)
@options.overrides_option
@options.plugins_option
@options.json_option
def command(
    path: str,
    encoded: bool,
    every: bool,
    rows: int,
    against: Path | None,
    level: float,
    least: float,
    html: Path | None,
    overrides: tuple[str, ...],
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Describe a spec's data, or compare new rows with it.

    Reads all of it. Shows the sizes of the splits, how often each class occurs and, for a table, the type of each
    column, its missing and distinct values, a histogram, and its range or most common texts, over all splits. Points
    out columns with a single value, columns that reveal the target, and rows that splits share.

    For arrays and images, shows their type, shape and range in the file. With --encoded, and for other data, shows the
    shapes, the range of each input, and a few examples, as the network gets them. With --json, prints all of this.

    With --against RUN, compares the rows of a file, such as those that the model predicts for (- is standard input),
    with the rows of training: missing values, unseen categories, distributions, and the model's own doubt. The exit
    code is 1 if a column has drifted.
    """
    if against is not None:
        if encoded or overrides:
            raise UsageError("--encoded and --set are about a spec, and can't be given with --against")
        from mlpkit.verbs.data.drift_shown import lines_of_drift, shown_drift  # noqa: PLC0415 - --help doesn't need it

        with file_or_standard_input(Path(path)) as file:
            found = shown_drift(against, file, path, html, plugin_options, level=level, least=least)
        shown = lines_of_drift(found, line_length(), every=every)
        document(found.to_plain()) if as_json else result("\n".join(shown))
        raise click.exceptions.Exit(WORK_FAILED if found.drifted else 0)
    source = click.get_current_context().get_parameter_source
    if not all(source(name) is ParameterSource.DEFAULT for name in ("level", "least", "html")):
        raise UsageError("--level, --least and --html are about new rows: give --against RUN, too")
    from mlpkit.verbs.data import data, lines  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    report = data.data(options.given_spec(path, overrides, **plugin_options), rows=rows)
    warnings = (*report.spec.warnings, *report.data_warnings)
    print_warnings(warnings)
    if as_json:
        document({"spec": path, **report.to_plain(), "warnings": [warning.to_plain() for warning in warnings]})
    else:
        result("\n".join(lines.lines_of(path, report, line_length(), encoded=encoded, every=every)))

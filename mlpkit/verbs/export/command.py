"""``mlpkit export``: write a trained model to a file that other programs use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from mlpkit.graph.quantization import Quantization
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.export.export import Rounding


@options.verb("export")
@options.run_argument
@options.path_option("--to", metavar="FILE", required=True, help="The file to write.")
@click.option(
    "--format",
    "exporter",
    metavar="NAME",
    help="The exporter that writes it, such as acme.weights; by default the one for the suffix of FILE.",
)
@click.option("--network-only", is_flag=True, help="Leave out the data set's encoder and the names of classes.")
@click.option("--quantize", type=click.Choice(["int8"]), help="Round the weights in a .c file to eight bits.")
@options.plugins_option
@options.json_option
def command(
    directory: Path,
    to: Path,
    exporter: str | None,
    network_only: bool,
    quantize: Quantization | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Write a trained model to a file that other programs use.

    RUN is a run folder. The suffix of FILE decides the format: .onnx, .c, .js or .html. The file takes raw inputs, such
    as the columns of a table, and gives labels and probabilities, or values. mlpkit compares its results with the
    model's on the test rows before it puts the file in place.

    With --quantize int8, a .c file holds each weight of a product in a byte, and computes what the network with these
    weights predicts. mlpkit prints how that changes the results on the test rows.
    """
    from mlpkit.verbs.export.export import export  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    found = export(directory, to, exporter=exporter, network_only=network_only, quantize=quantize, **plugin_options)
    if found.warning:
        message(f"warning: {to}: {found.warning}")
    if as_json:
        document(
            {
                "out": found.file,
                "rows": found.rows,
                "exact": found.exact,
                "split": found.split,
                "outputs": found.outputs,
                **({} if found.rounding is None else {"rounding": asdict(found.rounding)}),
            }
        )
        return
    how = "bit for bit" if found.exact == found.rows else "up to rounding"
    checked = f"; its predictions for {counted(found.rows, 'row')} of {found.split} match mlpkit predict {how}"
    outputs = ", ".join([*found.outputs[:-2], " and ".join(found.outputs[-2:])])
    result(f"{found.file} returns {outputs}{checked if found.rows else ''}")
    if found.rounding is not None:
        result(_rounding_in_words(found.rounding))


def _rounding_in_words(rounding: Rounding) -> str:
    """Return what rounding changed: loss and metrics before and after, and how many rows have another label."""
    if not rounding.before:
        return "weights rounded to int8; the effect isn't known without the run's data"
    names = [name for name, value in rounding.before.items() if not isinstance(value, list)]
    rows = [
        ["weights", *names],
        ["float32", *(figure(rounding.before[name]) for name in names)],
        ["int8", *(figure(rounding.after[name]) for name in names)],
    ]
    lines = columns(rows, right=range(1, len(rows[0])))
    if rounding.relabelled is not None:
        lines.append(f"{rounding.relabelled:,} of {rounding.rows:,} rows have another label with int8")
    return "\n".join(lines)

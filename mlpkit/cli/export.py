"""``mlpkit export``: write a trained model to a file that other programs use."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.output import document, message, result


@options.verb("export")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--to", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--network-only", is_flag=True, help="Leave out the data set's encoder and the names of classes.")
@options.takes_plugins
@options.takes_json
def command(
    directory: Path, to: Path, network_only: bool, plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool
) -> None:
    """Write a trained model to a file that other programs use.

    RUN is a run folder. The ending of FILE says the format: .onnx, .c, .js or .html. The file takes raw inputs, such as
    the columns of a table, and gives labels and probabilities, or values. Before it takes its place, its results are
    compared with the model's on the rows for testing.
    """
    from mlpkit.components.schema.wording import counted  # noqa: PLC0415 - --help does without
    from mlpkit.jobs.export import export  # noqa: PLC0415 - loads NumPy, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

    registry = Registry.discover(plugins=plugins, blocked=blocked)
    found = export(directory, to, network_only=network_only, registry=registry)
    if found.doubt:
        message(f"warning: {to}: {found.doubt}")
    if as_json:
        document(
            {
                "out": found.file,
                "rows": found.rows,
                "exact": found.exact,
                "split": found.split,
                "outputs": found.outputs,
            }
        )
        return
    bits = ", all to the bit" if found.exact == found.rows else ""
    proved = f", proved on {counted(found.rows, 'row')} of {found.split}{bits}" if found.rows else ""
    result(f"{', '.join(found.outputs)} in {found.file}{proved}")

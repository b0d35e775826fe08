"""``mlpkit evaluate``: compute a trained network's loss and metrics anew."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import options
from mlpkit.cli.columns import columns
from mlpkit.cli.figures import figure
from mlpkit.cli.output import document, result


@click.command("evaluate")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--split", "splits", metavar="NAME", multiple=True, help="train, validation or test; may be repeated.")
@options.takes_plugins
@options.takes_json
def command(
    directory: Path, splits: tuple[str, ...], plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool
) -> None:
    """Compute a trained network's loss and metrics anew.

    RUN is a run folder. By default, for every split that the data set has.
    """
    from mlpkit.jobs.evaluate import evaluate  # noqa: PLC0415 - loads NumPy, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - likewise

    found = evaluate(directory, splits, Registry.discover(plugins=plugins, blocked=blocked))
    if as_json:
        document(found)
        return
    names = list(next(iter(found.values()), {}))
    rows = [["split", *names], *([split, *(figure(values[name]) for name in names)] for split, values in found.items())]
    result("\n".join(columns(rows, right=range(1, len(rows[0])))))

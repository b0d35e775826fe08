"""``mlpkit evaluate``: compute a trained network's loss and metrics."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.formatting import columns
from mlpkit.cli.output import document, message, result
from mlpkit.cli.standard_input import file_or_standard_input
from mlpkit.errors import UsageError
from mlpkit.progress.figures import figure


@options.verb("evaluate")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--split", "splits", metavar="NAME", multiple=True, help="train, validation or test; may be repeated.")
@click.option("--data", "file", metavar="FILE", type=click.Path(path_type=Path), help="Evaluate on other data.")
@options.takes_plugins
@options.takes_json
def command(
    directory: Path,
    splits: tuple[str, ...],
    file: Path | None,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compute a trained network's loss and metrics.

    RUN is a run folder. By default, for every split that the data set has. If the data has changed since training, a
    warning says so. With --data, for a file or folder like the one trained on, with inputs and targets; - is standard
    input.
    """
    from mlpkit.jobs.evaluate import evaluate, evaluate_file  # noqa: PLC0415 - loads NumPy, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

    registry = Registry.discover(plugins=plugins, blocked=blocked)
    if file is None:
        found = evaluate(directory, splits, registry)
    elif splits:
        raise UsageError("--split names parts of the run's own data; leave it out, or --data")
    else:
        with file_or_standard_input(file) as data:
            found = evaluate_file(directory, data, registry)
    if found.doubt:
        message(f"warning: {directory}: {found.doubt}")
    if as_json:
        document(found.metrics)
        return
    names = [name for name in next(iter(found.metrics.values()), {}) if name not in found.tables]
    rows = [["split", *names]]
    rows += [[split, *(figure(values[name]) for name in names)] for split, values in found.metrics.items()]
    result("\n".join(columns(rows, right=range(1, len(rows[0])))))
    for name, axes in found.tables.items():
        for split, values in found.metrics.items():
            result(f"\n{split} {name}: rows {axes[0]}, columns {axes[1]}")
            result("\n".join(_table(values[name], found.class_names)))


def _table(counts: list[list[int]], class_names: tuple[str, ...]) -> list[str]:
    """Return the lines of a table, with the names of the classes if it has a row for each, else with numbers."""
    names = class_names if len(class_names) == len(counts) else tuple(map(str, range(len(counts))))
    width = max(map(len, counts), default=0)
    above = names if width == len(names) else tuple(map(str, range(width)))
    rows = [["", *above], *([name, *map(str, row)] for name, row in zip(names, counts, strict=True))]
    return columns(rows, right=range(1, width + 1), indent="  ")

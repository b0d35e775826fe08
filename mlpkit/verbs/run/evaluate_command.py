"""``mlpkit evaluate``: compute a trained network's loss and metrics."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.kinds import RUN, kind_of
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result
from mlpkit.verbs.run.standard_input import file_or_standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.jobs.evaluate import Evaluation
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.registry.registry import Registry


@options.verb("evaluate")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@click.option("--split", "splits", metavar="NAME", multiple=True, help="train, validation or test; may be repeated.")
@click.option("--data", "file", metavar="FILE", type=click.Path(path_type=Path), help="Evaluate on other data.")
@options.takes_plugins
@options.takes_json
def command(
    directory: Path,
    splits: tuple[str, ...],
    file: Path | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Compute a trained network's loss and metrics.

    RUN is a run folder, or one with the runs of several seeds: the result is then mean and 95 % interval over the
    finished runs. By default, for every split that the data set has. If the data has changed since training, a
    warning says so. With --data, for a file or folder like the one trained on, with inputs and targets; - is standard
    input.
    """
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - loads NumPy, which --help does without

    registry = Registry.discover(**plugin_options)
    if file is not None and splits:
        raise UsageError("--split names parts of the run's own data; leave it out, or --data")
    with file_or_standard_input(file) if file is not None else nullcontext() as data:
        load((kind_of(directory) or RUN).evaluate)(directory, splits, data, registry, as_json)


def print_run(directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool) -> None:
    """Evaluate a run, and print what was found; the arguments are those of ``evaluate`` and ``evaluate_file``."""
    from mlpkit.jobs.evaluate import evaluate, evaluate_file  # noqa: PLC0415 - loads NumPy, which --help does without

    found = evaluate(directory, splits, registry) if data is None else evaluate_file(directory, data, registry)
    _print_doubt(directory, found)
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


def print_seeds(directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool) -> None:
    """Evaluate the runs of several seeds, and print the means; the arguments are those of ``print_run``."""
    from mlpkit.display.group_outcomes import summary_table  # noqa: PLC0415 - most runs have one seed
    from mlpkit.groups.numbered_runs import plain_summary, summary_of  # noqa: PLC0415 - for the same reason
    from mlpkit.groups.seeds import evaluate_seeds  # noqa: PLC0415 - for the same reason

    found = evaluate_seeds(directory, splits, data, registry)
    _print_doubt(directory, next(iter(found.values())))
    summary = summary_of([each.metrics for each in found.values()])
    if as_json:
        document({"metrics": plain_summary(summary), "seeds": {seed: each.metrics for seed, each in found.items()}})
    else:
        result(summary_table(summary))


def _print_doubt(directory: Path, found: Evaluation) -> None:
    if found.doubt:
        message(f"warning: {directory}: {found.doubt}")


def _table(counts: list[list[int]], class_names: tuple[str, ...]) -> list[str]:
    """Return the lines of a table, with the names of the classes if it has a row for each, else with numbers."""
    names = class_names if len(class_names) == len(counts) else tuple(map(str, range(len(counts))))
    width = max(map(len, counts), default=0)
    above = names if width == len(names) else tuple(map(str, range(width)))
    rows = [["", *above], *([name, *map(str, row)] for name, row in zip(names, counts, strict=True))]
    return columns(rows, right=range(1, width + 1), indent="  ")

"""``mlpkit evaluate``: compute a trained network's loss and metrics."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.standard_input import file_or_standard_input
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.kinds import RUN, kind_of
from mlpkit.terminal.figures import figure, promise, regions_table, with_ends
from mlpkit.terminal.formatting import blocks, columns, line_length, paragraph
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.jobs.evaluate import Evaluation
    from mlpkit.jobs.groups_of_rows import MetricsByGroup
    from mlpkit.network.coverage import RegionsFound
    from mlpkit.registry.registry import Registry


@options.verb("evaluate")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--split", "splits", metavar="NAME", multiple=True, help="train, validation or test; may be repeated.")
@options.path_option("--data", "file", metavar="FILE", help="Evaluate on other data.")
@options.by_option
@options.registry_option
@options.json_option
def command(
    directory: Path,
    splits: tuple[str, ...],
    file: Path | None,
    by: tuple[str, ...],
    registry: Registry,
    as_json: bool,
) -> None:
    """Compute a trained network's loss and metrics.

    RUN is a run folder, or a folder with the runs of several seeds: the result is then the mean and 95 % interval over
    the finished runs. Evaluates every split of the data set, unless --split names some, and warns if the data has
    changed since training. With --data, evaluates a file or folder like the one trained on, with inputs and targets; -
    is standard input. The groups of --by, or of the spec's key by, have 95 % intervals, too.
    """
    if file is not None and splits:
        raise UsageError("--split names parts of the run's own data; leave it out, or --data")
    with file_or_standard_input(file) if file is not None else nullcontext() as data:
        load((kind_of(directory) or RUN).evaluate)(directory, splits, data, registry, as_json, by)


NOTE: Final = "In brackets, 95 % intervals; * marks those that don't overlap that of all rows."


def print_run(
    directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool, by: Sequence[str]
) -> None:
    """Evaluate a run, and print the results; for the arguments see ``evaluate`` and ``evaluate_file``."""
    from mlpkit.jobs.evaluate import evaluate, evaluate_file  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    found = evaluate(directory, splits, registry, by) if data is None else evaluate_file(directory, data, registry, by)
    print_warning(directory, found)
    if as_json:
        document({split: values | _plain(found.regions.get(split)) for split, values in found.plain().items()})
        return
    names = [name for name in next(iter(found.metrics.values()), {}) if name not in found.tables]
    rows = [["split", *names]]
    rows += [[split, *(figure(values[name]) for name in names)] for split, values in found.metrics.items()]
    result("\n".join(columns(rows, right=range(1, len(rows[0])))))
    for name, axes in found.tables.items():
        for split, values in found.metrics.items():
            result(f"\n{split} {name}: rows {axes[0]}, columns {axes[1]}")
            result("\n".join(_table(values[name], found.class_names)))
    print_groups(found.by)
    for split, regions in found.regions.items():
        result("\n" + "\n".join(paragraph(f"{split} coverage: {promise(regions)}", width=line_length())))
        result("\n".join(columns(regions_table(regions), right=range(1, 5), indent="  ")))


def print_groups(by: Mapping[str, MetricsByGroup], note: str = NOTE) -> None:
    """Print loss and metrics of the groups of rows of each split, if there are any."""
    for split, groups in by.items():
        for column in groups.columns:
            result(f"\n{split} by {column}")
            result("\n".join(blocks(groups.table(column, with_ends), right=[1], indent="  ", width=line_length())))
    if by:
        result("\n" + "\n".join(paragraph(note, width=line_length())))


def _plain(regions: RegionsFound | None) -> dict[str, Any]:
    """Return what regions hold as plain data."""
    return {} if regions is None else {"regions": regions._asdict() | {"of": [each._asdict() for each in regions.of]}}


def print_warning(directory: Path, found: Evaluation) -> None:
    """Warn of data that has changed since the training."""
    if found.warning:
        message(f"warning: {directory}: {found.warning}")


def _table(counts: list[list[int]], class_names: tuple[str, ...]) -> list[str]:
    """Return the lines of a table, with the names of the classes if it has a row for each, else with numbers."""
    names = class_names if len(class_names) == len(counts) else tuple(map(str, range(len(counts))))
    width = max(map(len, counts), default=0)
    above = names if width == len(names) else tuple(map(str, range(width)))
    rows = [["", *above], *([name, *map(str, row)] for name, row in zip(names, counts, strict=True))]
    return columns(rows, right=range(1, width + 1), indent="  ")

"""Printing the results of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.display.regions import promise, regions_table
from mlpkit.jobs.evaluate import evaluate, evaluate_file
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.jobs.evaluate import Evaluation
    from mlpkit.network.coverage import RegionsFound
    from mlpkit.registry.registry import Registry


def print_run(directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool) -> None:
    """Evaluate a run, and print the results; for the arguments see ``evaluate`` and ``evaluate_file``."""
    found = evaluate(directory, splits, registry) if data is None else evaluate_file(directory, data, registry)
    print_warning(directory, found)
    if as_json:
        document({split: values | _plain(found.regions.get(split)) for split, values in found.metrics.items()})
        return
    names = [name for name in next(iter(found.metrics.values()), {}) if name not in found.tables]
    rows = [["split", *names]]
    rows += [[split, *(figure(values[name]) for name in names)] for split, values in found.metrics.items()]
    result("\n".join(columns(rows, right=range(1, len(rows[0])))))
    for name, axes in found.tables.items():
        for split, values in found.metrics.items():
            result(f"\n{split} {name}: rows {axes[0]}, columns {axes[1]}")
            result("\n".join(_table(values[name], found.class_names)))

    for split, regions in found.regions.items():
        result(f"\n{split} coverage: {promise(regions)}")
        result("\n".join(columns(regions_table(regions), right=range(1, 5), indent="  ")))


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

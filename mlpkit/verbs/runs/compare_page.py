"""A page that compares runs: whether the difference is more than chance, results, curves, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.page import page
from mlpkit.pages.parts import folded, paragraph, section, table
from mlpkit.pages.results import RunSet, results_table
from mlpkit.runs.files import write_atomically
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.verbs.runs.compare import Comparison, Row, compare_sides, read_sides, rows_by_group


def write_comparison(
    directories: Sequence[Path], file: Path, metrics: Sequence[str] = (), by: Sequence[str] = ()
) -> None:
    """Write a page that compares runs: one file that works from disk, without a network."""
    sides = read_sides(directories)
    found = compare_sides(sides, metrics, by)
    parts = [_chance_section(found), _results_section(sides), *_groups_section(found), curves_of_sets(sides)]
    parts.append(_differences_section(found))
    write_atomically(file, page(f"{len(sides)} {'specs' if found.grouped else 'runs'} compared", parts).encode())


def _chance_section(found: Comparison) -> str:
    headings = ["run", "metric", "difference", "95 % interval", "verdict", "test"]
    rows = [[verdict.other, *verdict.cells, verdict.test] for verdict in found.chance]
    values = [
        [verdict.other, verdict.metric, verdict.difference, verdict.difference, verdict.p_value, verdict.test]
        for verdict in found.chance
    ]
    caption = f"Differences from {found.runs[0]} ({found.level})"
    verdicts = (
        [table(headings, rows, caption=caption, texts=[0, 1, 4, 5], sortable=True, values=values)] if rows else []
    )
    nothing = [] if rows or found.remarks else [paragraph("No two finished runs have different results.")]
    return section("More than chance?", *verdicts, *nothing, *map(paragraph, found.remarks))


def _results_section(sides: Sequence[RunSet]) -> str:
    """Return loss and metrics at the end of each side, and of each run if a side has several."""
    runs = [RunSet(str(run.directory), (run,)) for side in sides for run in side.runs]
    if len(runs) == len(sides):
        return section("Results", results_table(sides, "At the end"))
    each = folded("Each run", results_table(runs, "Each run at its end"))
    return section("Results", results_table(sides, "At the end, mean ± half the width of the 95 % interval"), each)


def _groups_section(found: Comparison) -> list[str]:
    """Return the section about groups of rows, if some were asked for."""
    tables = [
        table(["group", *found.runs], rows, caption=title, texts=[0], sortable=True)
        for title, rows in rows_by_group(found).items()
    ]
    return [section("By group", *tables)] if tables else []


def _differences_section(found: Comparison) -> str:
    """Return what differs in specs and versions."""
    return section(
        "What differs",
        _differences("Spec", found.spec, found),
        _differences("Versions", found.versions, found),
    )


def _differences(caption: str, values: Row, found: Comparison) -> str:
    if not values:
        return paragraph(f"{caption}: the same.")
    rows = [[key, *("" if each is None else to_inline_yaml(each) for each in row)] for key, row in values.items()]
    return table([caption.lower(), *found.runs], rows, caption=caption, texts=range(len(found.runs) + 1), sortable=True)

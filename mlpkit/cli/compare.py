"""``mlpkit compare``: show what differs between runs, and whether it is more than chance."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.formatting import blocks, columns, counted, line_length, paragraph
from mlpkit.cli.output import document, result
from mlpkit.progress.figures import figure, plus_minus
from mlpkit.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit.jobs.compare import Comparison

CHECKSUM = re.compile("[0-9a-f]{40,}")
DIGITS_SHOWN = 10
ABSENT = "-"


@options.verb("compare")
@click.argument(
    "directories",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=completion.runs_and_folders_of_runs,
)
@click.option(
    "--metric",
    "metrics",
    metavar="NAME",
    multiple=True,
    help="Judge only this metric, such as loss or test.loss; may be repeated.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a page with curves instead.",
)
@options.takes_json
def command(directories: tuple[Path, ...], metrics: tuple[str, ...], page: Path | None, as_json: bool) -> None:
    """Show what differs between runs, and whether by chance.

    Each RUN is a run folder, or a folder with the runs of several seeds. What is the same in all of them is left out:
    keys of the spec, versions, the last figures of the history, the metrics at the end, the SHA-256 of the results.

    Runs that differ in their seeds alone are compared as one, by their means. A test then says whether loss and metrics
    differ from those of the first by more than chance.
    """
    from mlpkit.jobs.compare import compare  # noqa: PLC0415 - --help does without

    if page is not None:
        _write_page(directories, page, metrics, as_json)
        return
    found = compare(directories, metrics)
    if as_json:
        document(asdict(found))
    else:
        width = line_length()
        result("\n".join([*blocks(_table(found), width=width), "", *_about_chance(found, width)]).rstrip())


def _write_page(directories: Sequence[Path], file: Path, metrics: Sequence[str], as_json: bool) -> None:
    from mlpkit.jobs.compare_page import write_comparison  # noqa: PLC0415 - --help does without

    write_comparison(directories, file, metrics)
    if as_json:
        document({"out": file})
    else:
        result(f"comparison in {file}")


def _table(found: Comparison) -> list[list[str]]:
    from mlpkit.specfile.yaml_writer import to_inline_yaml  # noqa: PLC0415 - loads YAML, which --help does without

    blank = [""] * len(found.runs)
    apart = "" if found.part_at is None else f" (apart from iteration {found.part_at} on)"
    rows = [["", *found.runs]]
    if found.grouped:
        rows.append(["", *map(_runs_of_side, found.members, found.finished_members)])
    for title, values, shown in (
        ("spec", found.outline, to_inline_yaml),
        ("versions", found.versions, _short),
        (f"curves, last values{apart}", found.curves, _figure),
        ("metrics", found.metrics, _figure),
        ("results, SHA-256", found.results, _short),
    ):
        if found.grouped and title.startswith("results"):
            continue
        same = "the same" if found.finished or title != "metrics" else "no run is finished"
        rows.append([title if values else f"{title}: {same}", *blank])
        rows += [[f"  {key}", *(_shown(value, shown) for value in each)] for key, each in values.items()]
    return rows


def _runs_of_side(runs: Sequence[str], finished: int) -> str:
    return counted(len(runs), "run") + ("" if finished == len(runs) else f", {finished} finished")


def _short(value: Any) -> str:
    """Write a version, or the first digits of a checksum."""
    text = str(value)
    return text[:DIGITS_SHOWN] if CHECKSUM.fullmatch(text) else text


def _figure(value: Any) -> str:
    if isinstance(value, Interval):
        return figure(value.mean) if value.low == value.high else plus_minus(value)
    return figure(value) if isinstance(value, float) else str(value)


def _shown(value: Any, shown: Callable[[Any], str]) -> str:
    return ABSENT if value is None else shown(value)


def _about_chance(found: Comparison, width: int | None) -> list[str]:
    """Return lines that say whether what differs is more than chance, or what it takes to know."""
    lines = [line for other in found.runs[1:] for line in _verdicts(found, other, width)]
    for remark in found.remarks:
        lines += [*paragraph(remark.text, width=width), *(f"  {command}" for command in remark.commands), ""]
    return lines


def _verdicts(found: Comparison, other: str, width: int | None) -> list[str]:
    """Return lines about what differs between a side and the first."""
    verdicts = [verdict for verdict in found.chance if verdict.other == other]
    if not verdicts:
        return []
    title = f"chance: {other} against {found.runs[0]} ({verdicts[0].test}, {found.level})"
    table = columns([verdict.cells for verdict in verdicts], right=[1], indent="  ", width=width)
    return [*paragraph(title, width=width), *table, ""]

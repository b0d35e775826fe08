"""``mlpkit compare``: show what differs between runs."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.formatting import blocks, line_length
from mlpkit.cli.output import document, result
from mlpkit.errors import UsageError
from mlpkit.progress.figures import figure

if TYPE_CHECKING:
    from collections.abc import Callable

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
    shell_complete=completion.runs,
)
@options.takes_json
def command(directories: tuple[Path, ...], as_json: bool) -> None:
    """Show what differs between runs.

    Each RUN is a run folder. What is the same in all of them is left out: keys of the spec, versions, the last figures
    of the history, the metrics at the end, the SHA-256 of the results.
    """
    if len(directories) < 2:
        raise UsageError(f"there is nothing to compare {directories[0]} with; give two run folders or more")
    from mlpkit.jobs.compare import compare  # noqa: PLC0415 - --help does without

    found = compare(directories)
    if as_json:
        document(asdict(found))
    else:
        result("\n".join(blocks(_table(found), width=line_length())).rstrip())


def _table(found: Comparison) -> list[list[str]]:
    from mlpkit.specfile.yaml_writer import to_inline_yaml  # noqa: PLC0415 - loads YAML, which --help does without

    blank = [""] * len(found.runs)
    apart = "" if found.part_at is None else f" (apart from iteration {found.part_at} on)"
    rows = [["", *found.runs]]
    for title, values, shown in (
        ("spec", found.spec, to_inline_yaml),
        ("versions", found.versions, _short),
        (f"curves, last values{apart}", found.curves, _figure),
        ("metrics", found.metrics, _figure),
        ("results, SHA-256", found.results, _short),
    ):
        same = "the same" if found.finished or title != "metrics" else "no run is finished"
        rows.append([title if values else f"{title}: {same}", *blank])
        rows += [[f"  {key}", *(_shown(value, shown) for value in each)] for key, each in values.items()]
    return rows


def _short(value: Any) -> str:
    """Write a version, or the first digits of a checksum."""
    text = str(value)
    return text[:DIGITS_SHOWN] if CHECKSUM.fullmatch(text) else text


def _figure(value: Any) -> str:
    return figure(value) if isinstance(value, float) else str(value)


def _shown(value: Any, shown: Callable[[Any], str]) -> str:
    return ABSENT if value is None else shown(value)

"""``mlpkit grade``: mark homework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import document, message, result, styled

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry
    from mlpkit.verbs.homework.marking import Mark


@options.verb("grade")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--csv", "table", metavar="FILE", type=click.Path(path_type=Path), help="Also write the marks as CSV.")
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=10.0, help="The longest that a check may take; by default 10."
)
@click.option(
    "--seed", type=click.IntRange(0), help="The seed of random inputs; by default one that no submission can know."
)
@options.registry_option
@options.json_option
def command(
    folder: Path, table: Path | None, seconds: float, seed: int | None, registry: Registry, as_json: bool
) -> None:
    """Mark homework of mlpkit new-homework, with the reason for each missing point.

    FOLDER holds a file or a folder for each student, or the files of one. A comment names a file's exercise, as in its
    skeleton.

    Each submission runs in a process of its own, with limits of time and memory, without files, network and other
    processes. It gets only inputs: expected values and marks stay here.
    """
    from mlpkit.verbs.homework.marking import Marking, handed_in  # noqa: PLC0415 - loads NumPy
    from mlpkit.verbs.homework.table import written  # noqa: PLC0415 - only here

    found, empty = handed_in(folder, registry)
    marking = Marking(registry, seconds, seed)
    marks = []
    for each in found:
        mark = marking.mark(each.student, each.path, each.exercise, each.text)
        marks.append(mark)
        document(mark.to_plain()) if as_json else result("\n".join(_lines(mark)))
    for student in empty:
        message(f"note: {student} has handed in nothing")
    if marking.missing:
        message(f"note: this system can't limit {', '.join(sorted(marking.missing))} of a submission's process")
    if table is not None:
        written(table, marks, empty)
        message(f"written to {table}")


def _lines(mark: Mark) -> list[str]:
    """Return the mark, and a line for each check whose points are missing."""
    width = line_length()
    colour = "green" if mark.points == mark.out_of else "yellow"
    head = f"{styled(mark.student, bold=True)}  {mark.exercise}  {styled(f'{mark.points} of {mark.out_of}', colour)}"
    missing = [each for each in mark.results if each.reason]
    if len(missing) == len(mark.results) and len({each.reason for each in missing}) == 1:
        return [head, *paragraph(missing[0].reason, indent="  ", width=width)]
    return [
        head,
        *(
            line
            for each in missing
            for line in paragraph(f"-{each.out_of}  {each.title}: {each.reason}", indent="  ", width=width)
        ),
    ]

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
    """Mark homework, with the reason for each missing point.

    FOLDER holds a file or a folder for each student, or the files of one. A comment names a file's exercise, as in its
    skeleton.

    Each submission runs in its own process, with limits of time and memory, without files, network and further
    processes. It gets only inputs: expected values and marks stay here.
    """
    from mlpkit.verbs.homework.marking import Marking, handed_in, write_table  # noqa: PLC0415 - loads NumPy

    found, unmarked = handed_in(folder)
    marking, marks = Marking(registry, seconds, seed), []
    for each in found:
        marks.append(marking.mark(*each))
        document(marks[-1].to_plain()) if as_json else result("\n".join(_lines(marks[-1])))
    for student, reason in unmarked:
        message(f"note: {student} {reason}")
    if marking.missing:
        message(f"note: this system can't limit {', '.join(sorted(marking.missing))} of a submission's process")
    if table is not None:
        write_table(table, marks, unmarked)
        message(f"written to {table}")


def _lines(mark: Mark) -> list[str]:
    """Return the mark, and a line for each check whose points are missing; one, if all have the same reason."""
    colour = "green" if mark.points == mark.out_of else "yellow"
    points = styled(f"{mark.points} of {mark.out_of}", colour)
    reasons = {f"-{each.out_of}  {each.title}: {each.reason}": each.reason for each in mark.results if each.reason}
    same = len(reasons) == len(mark.results) and len(set(reasons.values())) == 1
    shown = list(reasons.values())[:1] if same else list(reasons)
    lines = [line for each in shown for line in paragraph(each, indent="  ", width=line_length())]
    return [f"{styled(mark.student, bold=True)}  {mark.exercise}  {points}", *lines]

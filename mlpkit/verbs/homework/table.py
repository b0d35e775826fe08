"""The marks as a table for the course's list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from mlpkit.runs.files import write_atomically
from mlpkit.verbs.homework.handed_in import Unmarked
from mlpkit.verbs.homework.marking import Mark

COLUMNS = ("student", "exercise", "points", "out_of", "reasons")


def write_table(path: Path, marks: Iterable[Mark], unmarked: Iterable[Unmarked]) -> None:
    """Write a row for each submission, and one without points for each that can't be marked.

    Raises:
        StorageError: the file can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for mark in marks:
        reasons = "; ".join(f"{each.title}: {each.reason}" for each in mark.results if each.reason)
        writer.writerow([*map(_harmless, (mark.student, mark.exercise)), mark.points, mark.out_of, _harmless(reasons)])
    writer.writerows([_harmless(student), "", 0, "", _harmless(reason)] for student, reason in unmarked)
    write_atomically(path, text.getvalue().encode())


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    plain = "".join(each if each.isprintable() else "?" for each in text)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain

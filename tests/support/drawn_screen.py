"""A terminal within this process, for displays that draw: what is to be seen on it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_PARTS = re.compile(r"\x1b\[(?P<number>[?\d;]*)(?P<command>[A-Za-z])|\n|\r|(?P<text>[^\x1b\n\r]+)")


class DrawnScreen(io.StringIO):
    """Standard output and standard error of this process, which are a terminal.

    Args:
        monkeypatch: puts them back after the test.
        columns: its width.
        rows: its height.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, columns: int = 80, rows: int = 50) -> None:
        super().__init__()
        self._columns = columns
        for name, value in {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm-256color"}.items():
            monkeypatch.setenv(name, value)
        for name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("sys.stdout", self)
        monkeypatch.setattr("sys.stderr", self)

    def isatty(self) -> bool:
        """Be a terminal."""
        return True

    def lines(self) -> list[str]:
        """Return what is to be seen, without blanks at the ends."""
        rows, row, column = [""], 0, 0
        for found in _PARTS.finditer(self.getvalue()):
            if found["command"] == "A":
                row -= int(found["number"])
            elif found["command"] == "K":
                assert found["number"] == "2", "nothing but whole lines can be erased"
                rows[row] = ""
            elif found[0] == "\r":
                column = 0
            elif found[0] == "\n":
                row, column = row + 1, 0
                rows += [""] * (row == len(rows))
            for text in self._wrapped(found["text"] or "", column):
                if column == self._columns:
                    row, column = row + 1, 0
                    rows += [""] * (row == len(rows))
                line = rows[row].ljust(column)
                rows[row], column = line[:column] + text + line[column + len(text) :], column + len(text)
        return "\n".join(line.rstrip() for line in rows).rstrip("\n").split("\n")

    def _wrapped(self, text: str, column: int) -> list[str]:
        """Return the parts of a text that go to lines of their own."""
        first = self._columns - column
        rest = range(first, len(text), self._columns)
        return [part for part in (text[:first], *(text[i : i + self._columns] for i in rest)) if part]

"""What the runs of a training are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.terminal.formatting import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_NAME: Final = 32
"""Characters of a run's name next to its bar."""


class RunNames:
    """Names of runs by their numbers, such as ``seed 3``; a single run has none.

    Args:
        what: what the number of a run is; empty for a single run.

    Attributes:
        runs: the run folders by number, once training has started.
    """

    def __init__(self, what: str = "") -> None:
        self.what = what
        self.runs: Mapping[int, Path] = {}

    def name(self, run: int) -> str:
        """Return the name of a run."""
        return f"{self.what} {run}"

    def label(self, run: int) -> str:
        """Return the first words of a line about a run."""
        return f"{self.name(run)}: " if self.what else ""

    def aligned(self, run: int) -> str:
        """Return the name of a run, padded to the longest."""
        return f"{self.what} {run:{max(len(str(each)) for each in self.runs)}}" if self.what else ""

    def plain(self, run: int) -> dict[str, Any]:
        """Return what identifies a run, as plain data."""
        return {self.what: run} if self.what else {}


class FolderNames(RunNames):
    """Names of runs by their folders, such as ``digits`` or ``digits/seed-3``.

    Args:
        parent: the folder that the names start from.
    """

    def __init__(self, parent: Path) -> None:
        super().__init__("run")
        self._parent = parent

    def name(self, run: int) -> str:
        """Return the path of a run."""
        return str(self.runs[run].relative_to(self._parent))

    def aligned(self, run: int) -> str:
        """Return the path of a run, padded to the longest; the middle of a long one is left out."""
        width = min(LONGEST_NAME, max(len(self.name(each)) for each in self.runs))
        return f"{shortened(self.name(run), LONGEST_NAME):{width}}"

    def plain(self, run: int) -> dict[str, Any]:
        """Return the folder of a run."""
        return {"run": self.runs[run]}

"""The specs and lessons that come with mlpkit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import mlpkit

SHIPPED: Final = Path(mlpkit.__file__).parent / "shipped_specs"

QUICK: Final = ("", "tables")
"""The folders whose specs train in seconds or a few minutes."""

FOLDERS: Final = (*QUICK, "papers")
"""The folders of specs that come with mlpkit, below the one of them all."""


def shipped_specs(folders: Iterable[str] = FOLDERS) -> dict[str, Path]:
    """Return the specs that come with mlpkit, by name."""
    paths = [path for folder in folders for path in (SHIPPED / folder).glob("*.yaml")]
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def shipped_lessons() -> dict[str, Path]:
    """Return the folders of lessons that come with mlpkit, by name: specs, and scripts that show what they teach."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/lesson.py"))}

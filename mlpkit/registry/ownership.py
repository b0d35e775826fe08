"""Which of several distributions that call themselves ``mlpkit`` is the one that is running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mlpkit.registry.distributions import InstalledDistribution

RUNNING: Final = Path(__file__).resolve()


def holds_this_program(distribution: InstalledDistribution) -> bool:
    """Whether the program that is running belongs to a distribution: lies beside it, or where it was built from."""
    beside = Path(distribution.place, *RUNNING.parts[-3:])
    return beside.resolve() == RUNNING or _was_built_from(distribution)


def _was_built_from(distribution: InstalledDistribution) -> bool:
    """Whether an editable installation, as ``pip install -e`` makes it, points at a folder around the program."""
    try:
        url = urlsplit(json.loads(distribution.text("direct_url.json"))["url"])
    except (KeyError, TypeError, ValueError):
        return False
    return url.scheme == "file" and RUNNING.is_relative_to(Path(unquote(url.path)).resolve())

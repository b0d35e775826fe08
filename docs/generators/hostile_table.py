"""The table of hostile plugins, from those that the tests install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from generators.tables import table
from mlpkit import __version__

HOSTILE_PLUGINS: Final = Path(__file__).parents[2] / "tests" / "hostile"


def hostile_table() -> str:
    """Return a row for each: what is wrong with it, what becomes of it, and what ``mlpkit plugins`` says."""
    sys.path.insert(0, str(HOSTILE_PLUGINS))
    from hostile_plugins import HOSTILE  # noqa: PLC0415 - stands among the tests

    said = ((plugin, plugin.why.replace("VERSION", __version__).replace("PLACE", "...")) for plugin in HOSTILE)
    rows = ((f"`{plugin.name}`", plugin.does, plugin.status, f"`{why}`") for plugin, why in said)
    return table(("plugin", "what is wrong with it", "status", "what `mlpkit plugins` says"), rows)

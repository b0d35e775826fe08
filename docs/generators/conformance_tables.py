"""The table of the conformance suite's checks, and that of the broken components which test it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generators.tables import table
from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.all_checks import all_checks

if TYPE_CHECKING:
    from mlpkit.testing.suite.check import Check

KILL_MATRIX: Final = Path(__file__).resolve().parents[2] / "tests" / "testing" / "suite"


def checks_table() -> str:
    """Return a table for each group of kinds that share their checks."""
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in all_checks():
        groups.setdefault(check.kinds, []).append(check)
    parts = []
    for kinds in sorted(groups, key=lambda kinds: (-len(kinds), list(KINDS).index(kinds[0]))):
        who = "every kind" if len(kinds) == len(KINDS) else " and ".join(kinds)
        rows = ((f"`{check.name}`", check.asks, check.why) for check in groups[kinds])
        parts.append(table((who, "what it asks", "why"), rows))
    return "\n".join(parts)


def kill_matrix_table() -> str:
    """Return a row for each broken component: the check that catches it, and what is wrong with it."""
    sys.path.insert(0, str(KILL_MATRIX))
    from kill_matrix import rows  # noqa: PLC0415 - stands among the tests

    ordered = {check.name: [row for row in rows() if row.check == check.name] for check in all_checks()}
    cells = ((f"`{name}`", row.name, row.kind, row.fault) for name, found in ordered.items() for row in found)
    return table(("check", "broken component", "kind", "what is wrong with it"), cells)

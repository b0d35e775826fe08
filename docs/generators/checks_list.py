"""The list of the conformance suite's checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.kinds import KINDS
from mlpkit.testing.check_plugin import all_checks
from mlpkit.testing.suite.checks.process import IN_TRAINING

if TYPE_CHECKING:
    from mlpkit.testing.suite.check import Check

TITLES: Final = {tuple(KINDS): "Every kind", IN_TRAINING: "Every kind that takes part in a training"}


def checks_list() -> str:
    """Return a list for each group of kinds that share their checks."""
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in all_checks():
        groups.setdefault(check.kinds, []).append(check)
    return "\n".join(_group(kinds, groups[kinds]) for kinds in sorted(groups, key=_order))


def _order(kinds: tuple[str, ...]) -> tuple[int, int]:
    return -len(kinds), list(KINDS).index(kinds[0])


def _group(kinds: tuple[str, ...], checks: list[Check]) -> str:
    title = TITLES.get(kinds) or " and ".join(kinds).capitalize()
    names = "\n".join(f"- `{check.name}`" for check in checks)
    return f"### {title}\n\n{names}\n"

"""All checks there are: the functions so marked in the modules of the folder ``checks``."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mlpkit.testing.suite import checks
from mlpkit.testing.suite.check import Check, check_of


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of folders, files and lines; the one that must come first is first."""
    found: dict[str, Check] = {}
    for module in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        for member in vars(import_module(module.name)).values():
            check = check_of(member)
            if check is not None:
                found[check.name] = check
    return tuple(found.values())


def checks_for(kind: str) -> list[Check]:
    """Return the checks for a kind of component."""
    return [check for check in all_checks() if kind in check.kinds]

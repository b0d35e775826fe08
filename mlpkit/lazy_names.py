"""Public names of a package that are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(package: dict[str, Any], home_of: Mapping[str, str]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package, which loads a name from its module and keeps it (PEP 562).

    Args:
        package: the package's ``globals()``.
        home_of: the module that each public name lives in.
    """

    def load(name: str) -> object:
        if name not in home_of:
            msg = f"module '{package['__name__']}' has no attribute '{name}'"
            raise AttributeError(msg)
        value: object = getattr(import_module(home_of[name]), name)
        package[name] = value
        return value

    return load

"""Deprecations: of a component, a key or parameter, a verb, or a name in Python."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Deprecation(NamedTuple):
    """What replaces something that still works, since when it is deprecated, and which version removes it.

    It marks a component or a verb in ``component(..., deprecated=...)``, a parameter or a key of a spec in
    ``Annotated[int, Deprecation(...)]``, and decorates a function or method::

        @Deprecation("use acme.score", since="0.2", removed_in="0.4")
        def rate(x): ...

    Args:
        instead: what to do instead, such as ``"use acme.NewLayer"``.
        since: the version of your package that deprecates it; empty if unknown.
        removed_in: the first version without it; empty if unknown.
    """

    instead: str
    since: str = ""
    removed_in: str = ""

    def about(self, subject: str) -> str:
        """Return the first part of a warning, as in ``layer acme.Old is deprecated since 0.2; 0.4 removes it``."""
        since = f" since {self.since}" if self.since else ""
        return f"{subject} is deprecated{since}" + (f"; {self.removed_in} removes it" if self.removed_in else "")

    def message(self, subject: str) -> str:
        """Return a warning in one line."""
        return f"{self.about(subject)}; {self.instead}"

    def warn(self, subject: str) -> None:
        """Raise a ``FutureWarning`` at the file and line that called the caller."""
        warnings.warn(self.message(subject), FutureWarning, stacklevel=3)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that warns its caller."""

        @functools.wraps(function)
        def deprecated(*arguments: P.args, **keywords: P.kwargs) -> R:
            self.warn(f"{function.__module__.partition('.')[0]}.{function.__qualname__}")
            return function(*arguments, **keywords)

        return deprecated

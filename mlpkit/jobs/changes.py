"""What has changed since a run was begun."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.jobs.flattened import flattened

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "environment"
DATA = "data_checksum"


class Change(NamedTuple):
    """A value of the lock that is not what it was.

    Args:
        key: its dotted key, such as ``environment.numpy``.
        then: what it was, None if there was none.
        now: what it is.
    """

    key: str
    then: Any
    now: Any

    def __str__(self) -> str:
        """Say what it was and what it is."""
        then, now = ("none" if value is None else value for value in (self.then, self.now))
        return f"{self.key}: {then} then, {now} now"

    @property
    def of_environment(self) -> bool:
        """Whether it is about Python, NumPy, BLAS or the processor: the same task, but perhaps other bits."""
        return self.key.startswith(f"{ENVIRONMENT}.")


def text_changes(name: str, then: str, now: str) -> list[str]:
    """Return a diff of a file, a line each; none if it is the same."""
    diff = list(difflib.unified_diff(then.splitlines(), now.splitlines(), n=1, lineterm=""))
    return [f"{name}:", *(f"  {line}" for line in diff[2:])] if diff else []


def lock_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return how the lock of now differs from an earlier one."""
    earlier, later = flattened(then), flattened(now)
    keys = [*earlier, *(key for key in later if key not in earlier)]
    return [Change(key, earlier.get(key), later.get(key)) for key in keys if earlier.get(key) != later.get(key)]

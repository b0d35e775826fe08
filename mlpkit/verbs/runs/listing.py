"""The runs in a folder that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.groups.list_runs import RunList, chosen, in_order, nothing_to_judge, read_condition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.groups.list_runs import RunGroup


class Listing:
    """The runs in a folder that are asked for, in an order.

    Args:
        directory: the folder.
        states: as for ``chosen``.
        specs: as for ``chosen``.
        conditions: what must hold, such as ``loss<0.1``.
        key: as for ``in_order``.
        reverse: as for ``in_order``.

    Raises:
        UsageError: a condition is not a comparison.
    """

    def __init__(
        self,
        directory: Path,
        states: Sequence[str],
        specs: Sequence[str],
        conditions: Sequence[str],
        key: str,
        *,
        reverse: bool,
    ) -> None:
        self._runs = RunList(directory)
        self._where = [read_condition(text) for text in conditions]
        self._chosen = states, specs, self._where
        self._order = key, reverse

    def read(self) -> list[RunGroup]:
        """Return the runs as they are now."""
        key, reverse = self._order
        return in_order(chosen(self._runs.read(), *self._chosen), key, reverse=reverse)

    def why_none(self) -> str:
        """Say that there are no runs, or none of those that are asked for, and why."""
        why = nothing_to_judge(self._runs.read(), self._where)
        return ("no such run" if any(self._chosen) else "no runs") + (why and f": {why}")

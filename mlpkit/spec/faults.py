"""Collects what is wrong with the texts of a spec, so that all of it is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.fault import MOST_FAULTS
from mlpkit.errors import SpecSyntaxError

if TYPE_CHECKING:
    from mlpkit.errors import SpecFault
    from mlpkit.spec.source import Place


class FaultList:
    """The faults of one spec's texts, in any order; more than a hundred help nobody, and are left out."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, SpecFault]] = []

    @property
    def full(self) -> bool:
        """Whether what is reported from now on is left out."""
        return len(self._found) >= MOST_FAULTS

    def report(
        self, place: Place, message: str, *, expected: str = "", remedy: str = "", notes: tuple[str, ...] = ()
    ) -> None:
        """Record a fault."""
        if not self.full:
            fault = place.fault(message, expected=expected, remedy=remedy, notes=notes)
            self._found.append((place, fault))

    def raise_if_any(self) -> None:
        """Raise the faults, text by text and line by line.

        Raises:
            SpecSyntaxError: there are faults.
        """
        if self._found:
            ordered = sorted(self._found, key=lambda found: (found[0].text.order, found[0].start))
            raise SpecSyntaxError([fault for _, fault in ordered])

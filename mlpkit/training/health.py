"""What is found in a network while it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Health: TypeAlias = dict[str, Any]
"""What was found at one time, as plain data; ``mlpkit.verbs.doctor.probe.Probe`` explains each key."""


class Symptom(NamedTuple):
    """Something about a training that is not as it should be.

    Args:
        name: what it is called, such as ``dead_units``.
        layer: the layer that has it; empty if the network has.
        finding: what was found, with the figures.
        advice: what to try, the most promising first; what begins with ``--set`` can be added to the command.
        iteration: steps done when it was noticed.
    """

    name: str
    layer: str
    finding: str
    advice: tuple[str, ...]
    iteration: int

    @property
    def title(self) -> str:
        """The name in words, and the layer: ``dead units in Relu1``."""
        return self.name.replace("_", " ") + (f" in {self.layer}" if self.layer else "")

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.title}: {self.finding}; try {', or '.join(self.advice)}"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self._asdict(), "advice": list(self.advice)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Symptom:
        """Return the symptom that ``to_plain`` was called on."""
        return cls(**{**plain, "advice": tuple(plain["advice"])})

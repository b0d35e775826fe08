"""What is found in a network while it is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import RESOLVED
from mlpkit.runs.overview import DIVERGED
from mlpkit.specfile.document import parse_document

Health: TypeAlias = dict[str, Any]
"""What was found at one time, as plain data; ``mlpkit.verbs.doctor.probe.Probe`` explains each key."""


class Symptom(NamedTuple):
    """Something about a training that is not as it should be.

    Args:
        name: what it is called, such as ``dead_units``.
        layer: the layer that has it; empty if the network has.
        finding: what was found, with the figures.
        advice: what to try, the most promising first; what starts with ``--set`` can be added to the command.
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
        """Return it as a line."""
        return f"{self.title}: {self.finding}; try {', or '.join(self.advice)}"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self._asdict(), "advice": list(self.advice)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Symptom:
        """Return the symptom that ``to_plain`` was called on."""
        return cls(**{**plain, "advice": tuple(plain["advice"])})


CLIP: Final = "--set training.clip.norm=1"
"""The override that keeps a few large gradients from throwing parameters far away."""


def recorded_symptoms(folder: RunFolder, healths: Iterable[Health]) -> list[Symptom]:
    """Return the symptoms in the order in which they were noticed; of a training that diverged, at least that."""
    symptoms = [Symptom.from_plain(plain) for health in healths for plain in health["symptoms"]]
    failure = folder.read_failure()
    if failure.get("state") == DIVERGED and not symptoms:
        resolved = parse_document(folder.resolved_text(), str(folder.directory / RESOLVED)).values
        advice = ("mlpkit tune-rate SPEC", *([CLIP] if resolved["training"].get("clip") is None else []))
        symptoms = [Symptom("diverging", "", str(failure.get("message")), advice, int(failure.get("steps", 0)))]
    return symptoms

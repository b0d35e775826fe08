"""The symptoms that were noticed during a training, from its run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.runs.layout import RESOLVED
from mlpkit.runs.overview import DIVERGED
from mlpkit.specfile.document import parse_document
from mlpkit.training.health import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.runs.folder import RunFolder
    from mlpkit.training.health import Health

CLIP: Final = "--set training.clip.norm=1"
"""The override that keeps a few large gradients from throwing parameters far away."""


def recorded_symptoms(folder: RunFolder, healths: Iterable[Health]) -> list[Symptom]:
    """Return the symptoms in the order in which they were noticed; of a training that diverged, at least that.

    Args:
        folder: the run folder.
        healths: what was found in the network.

    Raises:
        RunFolderError: a file is damaged.
    """
    symptoms = [Symptom.from_plain(plain) for health in healths for plain in health["symptoms"]]
    failure = folder.read_failure()
    if failure.get("state") == DIVERGED and not symptoms:
        resolved = parse_document(folder.resolved_text(), str(folder.directory / RESOLVED)).values
        advice = ("mlpkit tune-rate SPEC", *([CLIP] if resolved["training"].get("clip") is None else []))
        symptoms = [Symptom("diverging", "", str(failure.get("message")), advice, int(failure.get("steps", 0)))]
    return symptoms

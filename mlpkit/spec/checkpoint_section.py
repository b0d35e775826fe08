"""The keys of ``training.checkpoint``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from annotated_types import Ge, Gt

from mlpkit.spec.section import OptionalSectionType

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking


OCCASIONS: Final = ("every", "every_epochs", "every_seconds", "best")
"""Keys that say when to save; one of them must be given."""


@dataclass(frozen=True)
class Checkpoint:
    """When a run is saved as it goes, and how much of that is kept.

    Args:
        every: steps between checkpoints.
        every_epochs: passes over the training data between checkpoints.
        every_seconds: seconds between checkpoints.
        keep: how many of the last checkpoints to keep; with one, nothing is left to fall back on.
        best: loss, or one of the metrics; the checkpoint at which it was best on the validation data is kept as well.
    """

    every: Annotated[int | None, Ge(1)] = None
    every_epochs: Annotated[int | None, Ge(1)] = None
    every_seconds: Annotated[float | None, Gt(0)] = None
    keep: Annotated[int, Ge(1)] = 2
    best: str | None = None


class CheckpointType(OptionalSectionType):
    """The section ``checkpoint``: its keys, and what they mean together."""

    def __init__(self) -> None:
        super().__init__("training.checkpoint", Checkpoint)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in, or None if there is no such section."""
        known = isinstance(value, dict) and set(value) <= set(self.signature.types)  # a misspelt key is told by itself
        if known and not any(value.get(occasion) is not None for occasion in OCCASIONS):  # type: ignore[attr-defined]
            expected = f"one of {', '.join(OCCASIONS)}"
            checking.report(path, "nothing says when to save a checkpoint", expected=expected, at_key=True)
        return super().check(value, path, checking)

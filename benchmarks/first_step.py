"""A plugin that notes when the first training step was done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlpkit import Callback, component, hookimpl

if TYPE_CHECKING:
    from mlpkit import TrainingView
    from mlpkit.components.hook import ComponentDeclaration


class NoteFirstStep(Callback):
    """Writes the time of the first step into a file."""

    def __init__(self, file: str) -> None:
        self.file = file

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Write the time, in seconds since the epoch."""
        if training.progress.step == 1:
            Path(self.file).write_text(repr(time.time()), encoding="utf-8")


@hookimpl
def mlpkit_components() -> list[ComponentDeclaration]:
    """Return the one component."""
    return [component("callback", "note_first_step", NoteFirstStep)]

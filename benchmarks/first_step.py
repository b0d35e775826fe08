"""A plugin that notes when the first training step was done."""

from __future__ import annotations

import time
from pathlib import Path

import mlpkit


class NoteFirstStep(mlpkit.Callback):
    """Writes the time of the first step into a file."""

    file: str

    def on_step(self, training: mlpkit.TrainingView, loss: float) -> None:
        """Write the time, in seconds since the epoch."""
        if training.progress.step == 1:
            Path(self.file).write_text(repr(time.time()), encoding="utf-8")


@mlpkit.hookimpl
def mlpkit_components() -> list[object]:
    """Return the one component."""
    return [mlpkit.component("callback", "note_first_step", NoteFirstStep)]

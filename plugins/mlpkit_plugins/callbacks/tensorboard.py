"""The callback that writes evaluations for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit import Callback, TrainingView
from mlpkit_plugins.files.regular_file import storing
from mlpkit_plugins.tracking import curve

if TYPE_CHECKING:
    from tensorboardX.event_file_writer import EventsWriter

LIBRARY = "tensorboardX"
if find_spec(LIBRARY) is None:  # imported only to write: it may import PyTorch, which takes seconds
    msg = f"No module named {LIBRARY!r}"
    raise ModuleNotFoundError(msg, name=LIBRARY)


class Tensorboard(Callback):
    """Writes the values of each evaluation into an event file, which ``tensorboard --logdir`` shows as curves.

    Curves have names such as ``loss/train``, so that TensorBoard groups them by value. A resumed run rewrites the file
    from the history, so that no step occurs twice. Without a run folder, nothing is written.

    Args:
        folder: name of the folder for the file, in the run folder.

    Raises:
        StorageError: the file can't be written.

    Source: Abadi et al., TensorFlow: Large-Scale Machine Learning on Heterogeneous Distributed Systems (2015), section
        9.1. The files are written with tensorboardX.
    """

    def __init__(self, folder: str = "tensorboard") -> None:
        self.folder = folder
        self.path: Path | None = None
        self.writer: EventsWriter | None = None

    def files(self) -> list[str]:
        """Return the folder's name."""
        return [self.folder]

    def on_start(self, training: TrainingView) -> None:
        """Start the file with the evaluations from before a resume."""
        if training.folder is None:
            return
        from tensorboardX.event_file_writer import EventsWriter  # noqa: PLC0415 - slow to import

        self.path = training.folder / self.folder
        with storing(self.path):
            if self.path.is_symlink():  # a foreign run folder must not redirect what is written
                self.path.unlink()
            self.path.mkdir(exist_ok=True)
            for old in self.path.glob("events.out.tfevents.*"):
                old.unlink()
            self.writer = EventsWriter(str(self.path / "events"))
        for record in training.history:
            self.on_evaluation(training, record)

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Write each value."""
        if self.writer is None or self.path is None:
            return
        from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415 - slow to import
        from tensorboardX.summary import scalar  # noqa: PLC0415 - slow to import

        with storing(self.path):
            for key, value in record.items():
                if key != "iteration":
                    summary = scalar(curve(key), value)
                    self.writer.write_event(Event(step=int(record["iteration"]), summary=summary))
            self.writer.flush()

    def on_end(self, training: TrainingView) -> None:
        """Close the file."""
        if self.writer is not None and self.path is not None:
            with storing(self.path):
                self.writer.close()
            self.writer = None

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it with the default name and another name."""
        return [{}, {"folder": "curves"}]

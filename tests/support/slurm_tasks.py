"""What jobs do in place of training."""

from __future__ import annotations

import os
import signal
import time

from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import TrainingEnd


def do(directory, *, what, stop):
    """End in one of the ways that a trial ends in; note that it was begun."""
    with (directory / "begun").open("a") as file:
        file.write("x")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fail":
        raise ValueError("no idea")
    if what == "write":
        RunFolder(directory).claim()
    while what in ("wait", "write") and not stop.reason:
        time.sleep(0.01)
    return TrainingEnd(7, stop.reason)

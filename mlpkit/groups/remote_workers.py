"""What workers on other machines need to know before they train."""

from __future__ import annotations

from pathlib import Path

from mlpkit.version import VERSION


def worker_problem(folder: str, here: str, driver_version: str) -> str:
    """In a worker: return what is in the way of training a sweep's trials; empty if nothing is.

    Args:
        folder: the folder of the sweep.
        here: the folder that relative paths start from.
        driver_version: mlpkit's version where the driver is.
    """
    for each in (folder, here):
        if not Path(each).is_dir():
            return f"can't find the folder {each}; put it on a disk that all machines share, under the same path"
    if driver_version != VERSION:
        return f"has mlpkit {VERSION}, and the driver {driver_version}; install the same version"
    return ""

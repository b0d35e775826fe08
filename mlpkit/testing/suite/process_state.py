"""The settings of a process that belong to the program, and not to a component."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import numpy as np


def process_state() -> dict[str, Any]:
    """Return the settings by what they are."""
    return {
        "NumPy's error settings": np.geterr(),
        "NumPy's print options": np.get_printoptions(),
        "the environment": dict(os.environ),
        "the working folder": os.getcwd(),  # noqa: PTH109 - compared, not used
        "the import path": list(sys.path),
        "the running threads": sorted(thread.ident or 0 for thread in threading.enumerate()),
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return which settings differ."""
    return [what for what in before if before[what] != after[what]]


def restore(state: dict[str, Any]) -> None:
    """Set back what can be set back."""
    np.seterr(**state["NumPy's error settings"])
    np.set_printoptions(**state["NumPy's print options"])
    os.chdir(state["the working folder"])
    os.environ.clear()
    os.environ.update(state["the environment"])
    sys.path[:] = state["the import path"]

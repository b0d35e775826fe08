"""What a timing was taken on."""

from __future__ import annotations

import os
from typing import Any

from mlpkit.runs.lock import environment
from mlpkit.training.plan import available_cores


def machine() -> dict[str, Any]:
    """Return processor, cores, load, and versions of Python, NumPy and BLAS, as plain data."""
    load = round(os.getloadavg()[0], 2)
    return {**environment(), "cores": available_cores(), "load": load}


def heading(about: dict[str, Any]) -> str:
    """Return the lines that say what a timing was taken on.

    Args:
        about: what ``machine`` returned.
    """
    blas = about["blas"]
    return (
        f"{about['processor']}, {about['cores']} cores, load {about['load']}, {about['platform']}\n"
        f"{about['python']}, NumPy {about['numpy']}, {blas['name']} {blas['version']} ({blas['architecture']})\n"
    )

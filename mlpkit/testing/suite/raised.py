"""What a component raised, in words."""

from __future__ import annotations

import traceback

from mlpkit.errors import MlpkitError
from mlpkit.network.blame import named


def described(error: Exception) -> str:
    """Say what was raised and, unless mlpkit raised it on purpose, where."""
    cause = error.__cause__ if isinstance(error, MlpkitError) else error
    text = str(error) if isinstance(error, MlpkitError) else named(error)
    if cause is None or isinstance(cause, MlpkitError):
        return text
    last = traceback.extract_tb(cause.__traceback__)[-1]
    return f"{text} (at {last.filename}:{last.lineno})"

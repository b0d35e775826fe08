"""Why a plugin failed, on one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pluggy

from mlpkit.errors import PluginError, printable

LONGEST: Final = 500
"""Characters of a message; some print whole files."""

OF_PYTHON: Final = Path(os.__file__).parent
OURS: Final = (Path(__file__).parents[1], Path(pluggy.__file__).parent)
INSTALLED: Final = {"site-packages", "dist-packages"}


def error_summary(error: BaseException) -> str:
    """Return the exception's type, its message, and the line of the plugin that it came from."""
    message = one_line(_message(error))
    if not isinstance(error, PluginError):
        message = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = "" if isinstance(error, SyntaxError) else _place(error)  # whose message ends with a place
    return f"{message} ({place})" if place else message


def one_line(text: str) -> str:
    """Return a text as one line that any terminal can show, shortened if it is long."""
    line = printable(" ".join(text[: 2 * LONGEST].split()))
    return line if len(line) <= LONGEST else line[:LONGEST] + "..."


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as another:  # what a plugin raises is a plugin's code too
        return f"its message can't be read: {type(another).__name__}"


def _place(error: BaseException) -> str:
    """Return the innermost line outside of Python and mlpkit, or nothing."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not is_foreign(file):
            place = f"{'/'.join(file.parts[-2:]) if file.stem == '__init__' else file.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def is_foreign(file: Path) -> bool:
    """Whether a file belongs to Python or to mlpkit, and so isn't the place of a plugin's fault."""
    if not file.is_absolute():  # <frozen importlib._bootstrap>
        return file.name.startswith("<")
    of_python = file.is_relative_to(OF_PYTHON) and not INSTALLED & set(file.parts)
    return of_python or any(file.is_relative_to(folder) for folder in OURS)

"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TextIO

import click

from mlpkit.errors import StorageError, printable

LONGEST_WORD: Final = 500
"""Characters of a value that a message shows."""

_STYLE: Final = "\U0010ffff"
"""Stands for the escape character of our own colours: a code point that is no character, so that no name has it."""

_STYLES: Final = re.compile(rf"{_STYLE}(\[[0-9;]*m)")
_LONG_WORDS: Final = re.compile(rf"(\S{{{LONGEST_WORD}}})\S+")


class OutputClosedError(Exception):
    """The reader of the results has closed the pipe, as ``head`` does."""


def result(text: str = "") -> None:
    """Print a line, or several, of results.

    Raises:
        OutputClosedError: the reader has closed the pipe.
        StorageError: standard output can't be written: its disk is full, say.
    """
    try:
        click.echo(_shown(text))
    except BrokenPipeError as error:
        _give_up(sys.stdout)
        raise OutputClosedError from error
    except OSError as error:
        _give_up(sys.stdout)
        raise StorageError(f"standard output can't be written: {error.strerror}") from error


def document(data: Mapping[str, Any]) -> None:
    """Print plain data as JSON on one line, in ASCII; numbers that are not finite become null.

    Raises:
        OutputClosedError: the reader has closed the pipe.
        StorageError: standard output can't be written.
    """
    import json  # noqa: PLC0415 - only some want JSON

    result(json.dumps(_json_ready(data), allow_nan=False))


def message(text: str) -> None:
    """Print a line, or several, that is not a result; the longest values in it are shortened."""
    try:
        click.echo(_shown(_LONG_WORDS.sub(r"\1...", text)), err=True)
    except OSError:  # standard error is gone, and there is nowhere left to say so
        _give_up(sys.stderr)


def styled(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Return a text that ``result`` and ``message`` print in a colour or in bold letters."""
    return click.style(printable(text), fg=colour, bold=bold or None).replace("\x1b", _STYLE)


def unstyled(text: str) -> str:
    """Return a text without its styles."""
    return _STYLES.sub("", text)


def on_one_line(text: str) -> str:
    """Return a text, which may be styled, with escapes for what isn't printable, line ends included."""
    return printable(text, keep=_STYLE)


def _shown(text: str) -> str:
    """Return a text as it is printed: of all that is in it, only our styles command a terminal."""
    if text.replace("\n", "").isprintable():  # most are, and some have millions of lines
        return text
    return _STYLES.sub("\x1b\\1", printable(text, keep=f"\n\t{_STYLE}")).replace(_STYLE, ascii(_STYLE)[1:-1])


def _json_ready(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _json_ready(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_json_ready(value) for value in data]
    if data is None or isinstance(data, bool | int | str):
        return data
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    return str(data)


def _give_up(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that Python doesn't complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a replaced stream has no descriptor
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

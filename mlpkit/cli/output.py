"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from mlpkit.errors import StorageError


class OutputClosedError(Exception):
    """Whoever read the results has closed the pipe, as ``head`` does; there is nobody to tell."""


def result(text: str = "") -> None:
    """Print a line, or several, of results.

    Raises:
        OutputClosedError: the reader has closed the pipe.
        StorageError: standard output can't be written: its disk is full, say.
    """
    try:
        click.echo(text)
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
    """Print a line, or several, that is not a result."""
    with printing_messages():
        click.echo(text, err=True)


@contextmanager
def printing_messages() -> Iterator[None]:
    """Print to standard error; if it can't be written, nobody can be told so."""
    try:
        yield
    except OSError:
        _give_up(sys.stderr)


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

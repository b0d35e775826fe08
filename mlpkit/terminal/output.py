"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import errno
import math
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import click

from mlpkit.errors import Diagnostic, StorageError, abridged, printable

_STYLE: Final = "\U0010ffff"
"""Stands for the escape character of our own colours: a code point that is no character, so that no name has it."""

_STYLES: Final = re.compile(rf"{_STYLE}(\[[0-9;]*m)")


class OutputClosedError(Exception):
    """The reader of the results has closed the pipe, as ``head`` does."""


def result(text: str = "") -> None:
    """Print a line, or several, of results; once the terminal is closed, print nothing.

    Raises:
        OutputClosedError: the reader has closed the pipe.
        StorageError: standard output can't be written, for example because its disk is full.
    """
    with _for_a_reader():
        click.echo(as_printed(text), color=colours_wanted())


def write_out() -> None:
    """Write out what ``print`` has buffered; raise what ``result`` does."""
    with _for_a_reader():
        sys.stdout.flush()


@contextmanager
def _for_a_reader() -> Iterator[None]:
    try:
        with ignore_hangup():
            yield
    except BrokenPipeError as error:
        _give_up(sys.stdout)
        raise OutputClosedError from error
    except OSError as error:
        _give_up(sys.stdout)
        raise StorageError(f"standard output can't be written: {error.strerror}") from error


@contextmanager
def ignore_hangup() -> Iterator[None]:
    """Discard standard output once its terminal is closed, so that the work continues or is saved."""
    try:
        yield
    except OSError as error:
        if not (_hung_up or (error.errno == errno.EIO and _is_device(sys.stdout))):
            raise
        _give_up(sys.stdout)


_hung_up = False


def readers_may_be_gone(hung_up: bool) -> None:
    """Whether the terminal was closed, and perhaps another reader of the output with it."""
    global _hung_up  # noqa: PLW0603 - standard output is the process's as well
    _hung_up = hung_up


def document(data: Mapping[str, Any]) -> None:
    """Print plain data as JSON on one line, in ASCII; numbers that are not finite become null."""
    import json  # noqa: PLC0415 - only some want JSON

    result(json.dumps(_json_ready(data), allow_nan=False))


def message(text: str) -> None:
    """Print a line, or several, that is not a result; the longest values in it are shortened."""
    _print_message(abridged(text))


def diagnostic(text: str, colour: str) -> None:
    """Print a message about something wrong, its places, carets and labels in colour."""
    _print_message("\n".join(_highlighted(line, colour) for line in abridged(text).split("\n")))


def print_warnings(found: Iterable[Diagnostic]) -> None:
    """Print what a spec shouldn't do any more, and what of its data is most likely not meant."""
    for warning in found:
        diagnostic(str(warning._replace(message=f"warning: {warning.message}")) + "\n", "yellow")


def _print_message(text: str) -> None:
    try:
        click.echo(as_printed(text), err=True, color=colours_wanted())
    except OSError:  # nothing is left to write to
        _give_up(sys.stderr)


_CARET: Final = re.compile(r"( *\|)([ \t]*\^+)")
_QUOTED: Final = re.compile(r"( *\d+ \|)( .*)")
_LABELLED: Final = re.compile(r"( +(?:expected|help|note):)( .*)")
_PLACED: Final = re.compile(r"(\S.*?:\d+:\d+:)( .*)")
_BEGUN: Final = re.compile(r"( ?(?:internal error|error|Error|warning|note):)(.*)")


def _highlighted(line: str, colour: str) -> str:
    if found := _CARET.fullmatch(line):
        return styled(found[1], "blue") + styled(found[2], colour, bold=True)
    if found := _QUOTED.fullmatch(line):
        return styled(found[1], "blue") + found[2]
    if found := _LABELLED.fullmatch(line):
        return styled(found[1], "cyan") + found[2]
    if found := _PLACED.fullmatch(line):
        return styled(found[1], bold=True) + _highlighted(found[2], colour)
    if found := _BEGUN.fullmatch(line):
        return styled(found[1], colour, bold=True) + found[2]
    return line


def on_screen() -> bool:
    """Return whether standard output is a terminal that can be drawn on."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


_colours: bool | None = None


def choose_colours(wanted: bool | None) -> None:
    """Turn colours on or off; None leaves them to the environment."""
    global _colours  # noqa: PLW0603 - standard output is the process's as well
    _colours = wanted


def colours_wanted() -> bool | None:
    """Return whether to use colours: as chosen, else from the environment; None for on terminals only.

    ``NO_COLOR`` turns them off and ``FORCE_COLOR`` on, if set and not empty; a dumb terminal has none.
    """
    if _colours is not None:
        return _colours
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM", "dumb") == "dumb" else None


def styled(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Return a text that ``result`` and ``message`` print in a colour or in bold letters."""
    return click.style(printable(text, keep="\t"), fg=colour, bold=bold or None).replace("\x1b", _STYLE)


def unstyled(text: str) -> str:
    """Return a text without its styles."""
    return _STYLES.sub("", text)


def on_one_line(text: str) -> str:
    """Return a text, which may be styled, with escapes for what isn't printable, line ends included."""
    return printable(text, keep=_STYLE)


def as_printed(text: str) -> str:
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


def _is_device(stream: Any) -> bool:
    """Whether a stream leads to a terminal, also one that is closed, which ``isatty`` denies."""
    with suppress(OSError, ValueError, AttributeError):  # a replaced stream has no descriptor
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    return False


def _give_up(stream: Any) -> None:
    """Send what is still buffered nowhere, so that Python doesn't complain when it ends."""
    with suppress(OSError, ValueError, AttributeError):  # a replaced stream has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)

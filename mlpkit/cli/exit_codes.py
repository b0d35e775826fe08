"""How a verb ends when something goes wrong: a message, and an exit code."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from mlpkit.cli.launcher import is_first
from mlpkit.errors import (
    DEBUG,
    Code,
    ComponentFailure,
    Diagnostic,
    MlpkitError,
    SpecError,
    StorageError,
    WrongUseError,
    abridged,
)
from mlpkit.system import shortage
from mlpkit.terminal.output import OutputClosedError, diagnostic, document, message, print_warnings, styled

WORK_FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 and the number of SIGINT."""
READER_LEFT: Final = 141
"""128 and the number of SIGPIPE, which ends other programs in such a case."""


@contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """Run a verb; what it raises ends the program with a message, never with a traceback, and with JSON if wanted."""
    try:
        yield
    except (click.Abort, click.exceptions.Exit):  # click's own ways out
        raise
    except OutputClosedError:
        raise click.exceptions.Exit(READER_LEFT) from None
    except KeyboardInterrupt as interrupt:
        raise click.exceptions.Exit(getattr(interrupt, "exit_code", INTERRUPTED)) from None
    except Exception as error:
        if not isinstance(error, click.ClickException):
            print_error(error)
        elif is_first():  # all processes that were started together have the same arguments
            text = StringIO()
            error.show(text)
            diagnostic(text.getvalue().rstrip("\n"), "red")
        if as_json and is_first():
            with suppress(OutputClosedError, StorageError):  # if standard output is what failed
                document({"ok": False, **problems_document(error)})
        code = error.exit_code if isinstance(error, MlpkitError | click.ClickException) else WORK_FAILED
        raise click.exceptions.Exit(code) from None


def problems_document(error: Exception, warnings: Sequence[Diagnostic] = ()) -> dict[str, Any]:
    """Return what ended the work, and what was noticed before, as plain data."""
    noticed = (*warnings, *error.warnings) if isinstance(error, SpecError) else warnings
    return {
        "problems": [problem.to_plain() for problem in problems_of(error)],
        "warnings": [warning.to_plain() for warning in noticed],
    }


def problems_of(error: Exception) -> tuple[Diagnostic, ...]:
    """Return what an exception reports, each with its place if it has one; its notes belong to the first."""
    notes = tuple(note.strip().removeprefix("note: ") for note in getattr(error, "__notes__", ()))
    if isinstance(error, SpecError):
        first, *others = error.faults
        return (first._replace(notes=(*first.notes, *notes)), *others)
    if isinstance(error, click.ClickException):
        return (Diagnostic("", 0, 0, error.format_message(), code="wrong-usage"),)
    if isinstance(error, WrongUseError):
        found = Diagnostic("", 0, 0, error.described(), expected=error.expected, remedy=error.remedy, notes=notes)
        return (found._replace(code=error.code),)
    if isinstance(error, MlpkitError):
        return (Diagnostic(getattr(error, "path", ""), 0, 0, str(error), notes=notes, code=error.code),)
    code: Code = "out-of-resources" if shortage(error) else "internal-error"
    return (Diagnostic("", 0, 0, error_report(error).text.removeprefix("error: "), notes=notes, code=code),)


class ErrorReport(NamedTuple):
    """The output for an exception that ends the work: the message, additional remarks, and the exit code."""

    text: str
    notes: tuple[str, ...]
    exit_code: int


def error_report(error: BaseException) -> ErrorReport:
    """Return the output for an exception, whether mlpkit raised it on purpose or not."""
    notes = tuple(getattr(error, "__notes__", ()))
    if isinstance(error, SpecError):
        return ErrorReport(str(error), notes, error.exit_code)
    if isinstance(error, MlpkitError):
        if isinstance(error, ComponentFailure) and error.__cause__ is not None:
            notes = (*notes, f"note: raised at {_place(error.__cause__, of_plugin=True)}", *_offered_traceback())
        return ErrorReport(f"error: {error}", notes, error.exit_code)
    if found := shortage(error):
        return ErrorReport(f"error: {found}", (), WORK_FAILED)
    text = f"internal error: {type(error).__name__}: {error} (at {_place(error)}); please report it"
    return ErrorReport(text, (*notes, *_offered_traceback()), WORK_FAILED)


def traceback_of(error: BaseException) -> str:
    """Return how an exception came to be, if the environment asks for it; otherwise nothing."""
    if not os.environ.get(DEBUG):
        return ""
    return "".join(traceback.format_exception(error))


def print_error(error: Exception) -> None:
    """Print what ended the work."""
    if trace := traceback_of(error):
        message(trace)
    if isinstance(error, SpecError):
        print_warnings(error.warnings)
    report = error_report(error)
    for line in (report.text, *(f"  {note}" for note in report.notes)):
        diagnostic(line, "red")
    if isinstance(error, SpecError):
        files = ", ".join(dict.fromkeys(fault.file for fault in error.faults))
        count = "1 error" if len(error.faults) == 1 else f"{len(error.faults)} errors"
        message("\n" + styled(f"{count} in {abridged(files)}", "red", bold=True))


@contextmanager
def warnings_as_messages() -> Iterator[None]:
    """Print what Python warns a user of, each text once, as mlpkit's own warnings; leave other categories to Python."""
    earlier, printed = warnings.showwarning, set()

    def show(message: Warning | str, category: type[Warning], *place: Any, **named: Any) -> None:
        if category is not UserWarning:
            earlier(message, category, *place, **named)
        elif str(message) not in printed:
            printed.add(str(message))
            diagnostic(f"warning: {message}", "yellow")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def _place(error: BaseException, *, of_plugin: bool = False) -> str:
    """Return where an exception was raised; or the innermost line of a plugin that it went through."""
    frames = list(traceback.extract_tb(error.__traceback__))
    if of_plugin:
        from mlpkit.registry.plugin import is_foreign  # noqa: PLC0415 - loads pluggy

        frames = [frame for frame in frames if not is_foreign(Path(frame.filename))] or frames
    frame = frames[-1]
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"


def _offered_traceback() -> tuple[str, ...]:
    help_text = f"help: with {DEBUG}=1 in the environment, mlpkit shows the whole traceback"
    return () if os.environ.get(DEBUG) else (help_text,)

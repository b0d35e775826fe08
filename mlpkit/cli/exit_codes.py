"""How a verb ends when something goes wrong: a message, and an exit code."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli.output import OutputClosedError, diagnostic, message, styled
from mlpkit.cli.shortages import shortage
from mlpkit.errors import DEBUG, ComponentFailure, MlpkitError, SpecError, SpecSyntaxError, abridged
from mlpkit.runs.layout import RESOLVED, has_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from mlpkit.errors import Diagnostic


WORK_FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 and the number of SIGINT."""
READER_LEFT: Final = 141
"""128 and the number of SIGPIPE, which ends other programs in such a case."""


@contextmanager
def exit_codes() -> Iterator[None]:
    """Run a verb; what it raises ends the program with a message, never with a traceback."""
    try:
        yield
    except (click.Abort, click.exceptions.Exit):  # click's own ways out
        raise
    except click.ClickException as error:
        _print_wrong_usage(error)
        raise click.exceptions.Exit(error.exit_code) from None
    except OutputClosedError:
        raise click.exceptions.Exit(READER_LEFT) from None
    except KeyboardInterrupt as interrupt:
        raise click.exceptions.Exit(getattr(interrupt, "exit_code", INTERRUPTED)) from None
    except MlpkitError as error:
        print_error(error)
        raise click.exceptions.Exit(error.exit_code) from None
    except Exception as error:
        if found := shortage(error):
            _print_traceback(error)
            diagnostic(f"error: {found}", "red")
        else:
            _print_internal_error(error)
        raise click.exceptions.Exit(WORK_FAILED) from None


def _print_wrong_usage(error: click.ClickException) -> None:
    text = StringIO()
    error.show(text)
    diagnostic(text.getvalue().rstrip("\n"), "red")


def print_error(error: MlpkitError) -> None:
    """Print an error that mlpkit raised on purpose."""
    _print_traceback(error)
    if isinstance(error, SpecError):
        print_warnings(error.warnings)
        diagnostic(str(error), "red")
        _print_notes(error)
        message("\n" + styled(_count(error), "red", bold=True))
        return
    diagnostic(f"error: {error}", "red")
    _print_notes(error)
    if isinstance(error, ComponentFailure) and error.__cause__ is not None:
        diagnostic(f"  note: raised at {_place(error.__cause__)}", "red")
        _offer_traceback()


@contextmanager
def warnings_as_messages() -> Iterator[None]:
    """Print what Python warns a user of, each text once, as mlpkit's own warnings; leave other categories to Python."""
    earlier, printed = warnings.showwarning, set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category is not UserWarning:
            earlier(message, category, filename, lineno, file, line)
        elif str(message) not in printed:
            printed.add(str(message))
            diagnostic(f"warning: {message}", "yellow")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def print_warnings(found: Iterable[Diagnostic]) -> None:
    """Print what a spec shouldn't do any more, and what of its data is most likely not meant."""
    for warning in found:
        diagnostic(str(warning._replace(message=f"warning: {warning.message}")) + "\n", "yellow")


def _print_internal_error(error: Exception) -> None:
    _print_traceback(error)
    diagnostic(f"internal error: {type(error).__name__}: {error} (at {_place(error)}); please report it", "red")
    _print_notes(error)
    _offer_traceback()


def _place(error: BaseException) -> str:
    """Return where an exception was raised."""
    import traceback  # noqa: PLC0415 - only after a mistake

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"


def _print_traceback(error: BaseException) -> None:
    if os.environ.get(DEBUG):
        import traceback  # noqa: PLC0415 - only where somebody asks for it

        message("".join(traceback.format_exception(error)))


def _offer_traceback() -> None:
    if not os.environ.get(DEBUG):
        diagnostic(f"  help: with {DEBUG}=1 in the environment, mlpkit shows the whole traceback", "red")


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", ()):
        diagnostic(f"  {note}", "red")


def _count(error: SpecError) -> str:
    files = ", ".join(dict.fromkeys(fault.file for fault in error.faults))
    number = len(error.faults)
    return f"{number} {'error' if number == 1 else 'errors'} in {abridged(files)}"


@contextmanager
def suggesting_shipped_spec(path: str) -> Iterator[None]:
    """Load a spec; if mlpkit ships one of the name of a missing file, or a run folder is given, the error says so.

    Args:
        path: the spec's file, as given.
    """
    try:
        yield
    except SpecSyntaxError as error:
        from mlpkit.jobs.init import shipped_specs  # noqa: PLC0415 - only after a mistake

        name = Path(path).stem
        if name in shipped_specs() and not Path(path).exists():
            error.add_note(f"help: mlpkit ships a spec of that name; 'mlpkit init {name}' copies it here")
        if has_file(Path(path), RESOLVED):
            error.add_note(f"help: it is the folder of a run, whose spec is {Path(path) / RESOLVED}")
        raise

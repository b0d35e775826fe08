"""Starts the program ``mlpkit``."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from mlpkit.cli.garbage import expect_loading
from mlpkit.system import shortage


def main() -> None:
    """Run the program with the arguments of this process, and end it."""
    expect_loading()
    try:
        from mlpkit.cli.verbs import program  # noqa: PLC0415 - Ctrl-C ends the program in silence from here on

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # None if it was closed
                stream.reconfigure(errors="backslashreplace")  # file names and formulas must not fail on an odd locale
        program(prog_name="mlpkit")
    except KeyboardInterrupt:
        sys.exit(130)
    except (ImportError, MemoryError, OSError, RuntimeError) as error:
        # It was raised before a verb runs, or while one reports an error.
        if not (found := shortage(error)):
            raise
        sys.exit(f"error: {found}")

"""Starts the program ``mlpkit``."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the program with the arguments of this process, and end it."""
    try:
        from mlpkit.cli.verbs import program  # noqa: PLC0415 - Ctrl-C ends the program in silence from here on
    except KeyboardInterrupt:
        sys.exit(130)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None if it was closed
            stream.reconfigure(errors="backslashreplace")  # file names and formulas must not fail on an odd locale
    program(prog_name="mlpkit")

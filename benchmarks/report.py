"""Options and output that all benchmarks share."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from machine import heading, machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def parser_of(doc: str | None, *, rounds: int | None = None) -> argparse.ArgumentParser:
    """Return a parser with ``--json`` and, if a number of rounds is given as the default, ``--rounds``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds, help="turns of each side (default: %(default)s)")
    return parser


def add_names(parser: argparse.ArgumentParser, names: str, known: Iterable[str]) -> None:
    """Add the argument ``names``: some of the known names, by default all."""
    known = list(known)

    def name(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"{text} is unknown; expected {', '.join(known)}")
        return text

    parser.add_argument(names, nargs="*", type=name, default=known, metavar="NAME", help="by default all")


def print_report(options: argparse.Namespace, found: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print the machine and the results, as JSON or as lines."""
    if options.json:
        print(json.dumps({"machine": machine(), **found}, indent=2))
    else:
        print("\n".join([heading(machine()), *lines]))


def limit(value: float, most: float, text: str) -> str:
    """Return a limit as text, and whether a value keeps it."""
    return f"at most {text}: {'met' if value <= most else 'MISSED'}"


def say(text: str) -> None:
    """Report progress on stderr."""
    print(text, file=sys.stderr, flush=True)

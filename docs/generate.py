"""Fills the generated parts of these pages.

    python docs/generate.py            writes what is stale
    python docs/generate.py --check    writes nothing, and exits 1 if something is stale

A generated part is between two comments. The first is ``<!-- generated: keys -->`` for the table of a spec's keys,
``catalogue`` for the built-in components, ``checks`` for the conformance suite, ``operators`` for those that exporters
know, ``reference`` for the plugin interface, ``python`` for what trains networks in Python, or ``<!-- generated: $
mlpkit check my.yaml -->`` for what a command prints; the second is ``<!-- end -->``. The picture on the page on
performance is drawn from ``benchmarks/results/training_step.json``; the stubs ``mlpkit/**/*.pyi`` list the public
names and the built-in layers; the specs in ``specs/tables`` are what ``mlpkit init --recipe`` writes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from generators.catalogue import catalogue
from generators.checks_list import checks_list
from generators.console import console
from generators.keys_table import keys_table
from generators.operators_list import operators_list
from generators.recipes import recipes
from generators.reference import python_reference, reference
from generators.step_time import PICTURE, step_time
from generators.stub import stubs

DOCS: Final = Path(__file__).resolve().parent
FIGURES: Final = DOCS.parent / "benchmarks/results/training_step.json"
PART: Final = re.compile(r"(?P<begin><!-- generated: (?P<what>.+?) -->\n).*?(?P<end>^<!-- end -->$)", re.M | re.S)
PARTS: Final = {
    "keys": keys_table,
    "catalogue": catalogue,
    "checks": checks_list,
    "operators": operators_list,
    "reference": reference,
    "python": python_reference,
}


def filled(page: str) -> str:
    """Return a page with every generated part as the code is now.

    Raises:
        ValueError: a part has no end.
    """
    if page.count("<!-- generated: ") != len(PART.findall(page)):
        msg = "a generated part has no line '<!-- end -->'"
        raise ValueError(msg)
    return PART.sub(lambda part: part["begin"] + _content(part["what"], page) + part["end"], page)


def main(arguments: list[str]) -> int:
    """Fill or check all pages and pictures, and return the exit code."""
    check_only = "--check" in arguments
    stale = False
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        try:
            renewed = filled(page)
        except (KeyError, ValueError) as error:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)}: {error}\n")
            return 2
        stale |= _renew(path, renewed, check_only=check_only)
        if PICTURE in page:
            stale |= _renew(DOCS / PICTURE, step_time(FIGURES.read_text(encoding="utf-8")), check_only=check_only)
    for place, content in {**stubs(), **recipes()}.items():
        stale |= _renew(DOCS.parent / place, content, check_only=check_only)
    return int(stale and check_only)


def _renew(path: Path, renewed: str, *, check_only: bool) -> bool:
    """Write a file that is stale, or only name it, and return whether it was stale."""
    if path.is_file() and path.read_text(encoding="utf-8") == renewed:
        return False
    if not check_only:
        path.write_text(renewed, encoding="utf-8")
    sys.stdout.write(f"{path.relative_to(DOCS.parent)} {'is stale' if check_only else 'written'}\n")
    return True


def _content(what: str, page: str) -> str:
    return console(what[2:], page) if what.startswith("$ ") else PARTS[what]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

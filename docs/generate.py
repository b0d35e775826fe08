"""Fills the generated parts of these pages.

    python docs/generate.py            writes what is stale
    python docs/generate.py --check    writes nothing, and exits 1 if something is stale

A generated part stands between two comments: ``<!-- generated: keys -->`` for a table from the code, and likewise
``components``, ``checks``, ``kill matrix`` and ``hostile plugins``, ``reference`` for the plugin interface from its
docstrings,
``<!-- generated: $ mlpkit check my.yaml -->`` for what a command prints, and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from generators.components_table import components_table
from generators.conformance_tables import checks_table, kill_matrix_table
from generators.console import console
from generators.hostile_table import hostile_table
from generators.keys_table import keys_table
from generators.reference import reference

DOCS: Final = Path(__file__).resolve().parent
PART: Final = re.compile(r"(?P<begin><!-- generated: (?P<what>.+?) -->\n).*?(?P<end>^<!-- end -->$)", re.M | re.S)
PARTS: Final = {
    "keys": keys_table,
    "components": components_table,
    "checks": checks_table,
    "kill matrix": kill_matrix_table,
    "hostile plugins": hostile_table,
    "reference": reference,
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
    """Fill or check all pages, and return the exit code."""
    check_only = "--check" in arguments
    exit_code = 0
    for path in sorted(DOCS.rglob("*.md")):
        page, name = path.read_text(encoding="utf-8"), path.relative_to(DOCS.parent)
        try:
            renewed = filled(page)
        except (KeyError, ValueError) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 2
        if renewed != page and check_only:
            sys.stdout.write(f"{name} is stale\n")
            exit_code = 1
        elif renewed != page:
            path.write_text(renewed, encoding="utf-8")
            sys.stdout.write(f"{name} written\n")
    return exit_code


def _content(what: str, page: str) -> str:
    return console(what[2:], page) if what.startswith("$ ") else PARTS[what]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

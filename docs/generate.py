"""Writes the pages that come from code, and fills the generated parts of the others.

    python docs/generate.py            writes what is stale
    python docs/generate.py --check    writes nothing, and exits 1 if something that git keeps is stale

``docs/generated_pages.py`` has the pages. A generated part of another page is what a command prints: it is between the
comments ``<!-- generated: $ mlpkit check my.yaml -->`` and ``<!-- end -->``. The picture on the page on performance is
drawn from ``benchmarks/results/training_step.json``; the stubs ``mlpkit/**/*.pyi`` list the public names and the
built-in layers; the specs in ``specs/tables`` are what ``mlpkit init --recipe`` writes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from generated_pages import PAGES
from generators.console import console
from generators.recipes import recipes
from generators.step_time import PICTURE, step_time
from generators.stub import stubs

DOCS: Final = Path(__file__).resolve().parent
FIGURES: Final = DOCS.parent / "benchmarks/results/training_step.json"
PART: Final = re.compile(r"(?P<begin><!-- generated: \$ (?P<command>.+?) -->\n).*?(?P<end>^<!-- end -->$)", re.M | re.S)


def filled(page: str) -> str:
    """Return a page with every generated part as the code is now.

    Raises:
        ValueError: a part has no end, or its command is another program's.
    """
    if page.count("<!-- generated: ") != len(PART.findall(page)):
        msg = "a generated part has no command after '$', or no line '<!-- end -->'"
        raise ValueError(msg)
    return PART.sub(lambda part: part["begin"] + console(part["command"], page) + part["end"], page)


def main(arguments: list[str]) -> int:
    """Fill or check all pages and pictures, and return the exit code."""
    check_only = "--check" in arguments
    stale = False
    for path in sorted(DOCS.rglob("*.md")):
        if path.relative_to(DOCS).as_posix() in PAGES:
            continue
        page = path.read_text(encoding="utf-8")
        try:
            renewed = filled(page)
        except ValueError as error:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)}: {error}\n")
            return 2
        stale |= _renew(path, renewed, check_only=check_only)
        if PICTURE in page:
            stale |= _renew(DOCS / PICTURE, step_time(FIGURES.read_text(encoding="utf-8")), check_only=check_only)
    for place, content in {**stubs(), **recipes()}.items():
        stale |= _renew(DOCS.parent / place, content, check_only=check_only)
    if not check_only:
        subprocess.run([sys.executable, str(DOCS / "generated_pages.py")], check=True)
    return int(stale and check_only)


def _renew(path: Path, renewed: str, *, check_only: bool) -> bool:
    """Write a file that is stale, or only name it, and return whether it was stale."""
    if path.is_file() and path.read_text(encoding="utf-8") == renewed:
        return False
    if not check_only:
        path.write_text(renewed, encoding="utf-8")
    sys.stdout.write(f"{path.relative_to(DOCS.parent)} {'is stale' if check_only else 'written'}\n")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

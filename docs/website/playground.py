"""The playground of the site, which runs without a server, and the chapters' specs that it opens."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from generators.marked_blocks import BLOCK, write_files

from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.verbs.play.server import PAGE

DOCS: Final = Path(__file__).resolve().parents[1]
CHAPTERS: Final = "course"
"""The folder of the chapters below ``docs``, and of their specs beside the page."""
PLAYED: Final = "flowers"
"""The shipped spec that the page begins with otherwise."""


def write_playground(folder: Path) -> None:
    """Write the page of ``mlpkit play`` for browsers without a server, with the chapters' specs beside it.

    Pyodide and wheel are those of the page in ``docs/browser``.
    """
    (folder / CHAPTERS).mkdir(parents=True)
    for part in PAGE.iterdir():
        (folder / part.name).write_text(part.read_text("utf-8"), "utf-8")
    example = (DOCS / "browser/index.html").read_text("utf-8")
    pyodide, wheel = (re.search(rf'data-{name}="(.*?)"', example)[1] for name in ("pyodide", "wheel"))  # type: ignore[index]
    page = (folder / "index.html").read_text("utf-8")
    places = f'<html lang="en" data-pyodide="{pyodide}" data-wheel="../browser/{wheel}">'
    (folder / "index.html").write_text(page.replace('<html lang="en">', places), "utf-8")
    shutil.copy(shipped_specs()[PLAYED], folder / "spec.yaml")
    for chapter in (DOCS / CHAPTERS).glob("*.md"):
        write_files(chapter.read_text("utf-8"), folder / CHAPTERS)


def with_links(chapter: str) -> str:
    """Return the text of a chapter with a link to the playground below each spec."""
    return BLOCK.sub(lambda block: block[0] + _link(block["name"]) * (block["role"] == "spec"), chapter)


def _link(spec: str) -> str:
    return f'\n\n<a href="../playground/index.html?spec={CHAPTERS}/{spec}">Open in the playground</a>'

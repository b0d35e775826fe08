"""The files and the Python that a page shows, each marked by a comment in the line above it.

    <!-- plugin: my_layers.py -->     a plugin, as a reader would save it
    <!-- spec: my.yaml -->            a valid spec
    <!-- wrong spec: wrong.yaml -->   a spec with mistakes
    <!-- python -->                   Python to be run beside these files, or a session with its results
    <!-- exported -->                 a program that uses what the page exports

Readers don't see these comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

BLOCK: Final = re.compile(
    r"^<!-- (?P<role>plugin|spec|wrong spec|python|exported)(?:: (?P<name>\S+))? -->\n"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class MarkedBlock:
    """A block of code in a page.

    Args:
        role: ``plugin``, ``spec``, ``wrong spec``, ``python`` or ``exported``.
        name: the file's name; empty for Python that is only run.
        language: ``python``, ``pycon`` for a session, ``yaml``, or that of the program, such as ``js``.
        text: the code.
    """

    role: str
    name: str
    language: str
    text: str


def marked_blocks(page: str) -> list[MarkedBlock]:
    """Return the marked blocks of a page, in their order."""
    return [
        MarkedBlock(found["role"], found["name"] or "", found["language"], found["text"])
        for found in BLOCK.finditer(page)
    ]


def write_files(page: str, folder: Path) -> None:
    """Save the plugins and specs of a page in a folder."""
    for block in marked_blocks(page):
        if block.name:
            (folder / block.name).write_text(block.text, encoding="utf-8")

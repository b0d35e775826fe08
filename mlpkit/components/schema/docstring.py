"""Reads the sections of a docstring: summary, mathematics, parameters, source."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring.

    Args:
        summary: the first sentence.
        body: everything between the summary and the first section: formulas and explanations.
        parameters: meaning of each parameter, from the section ``Args:``.
        sections: the other sections, such as ``Source:``, by their titles.
    """

    summary: str = ""
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)


_TITLE = re.compile(r"^(Args|Raises|Returns|Shapes?|Source|Example):\s*(.*)$")
_PARAMETER = re.compile(r"^    (\w+): (.*)$")


def parse_docstring(text: str | None) -> Docstring:
    """Return the parts of a docstring; missing ones are empty."""
    head, sections = _parts(inspect.cleandoc(text or "").split("\n"), _TITLE)
    summary, _, body = "\n".join(head).strip().partition("\n\n")
    _, parameters = _parts(sections.pop("Args", []), _PARAMETER)
    return Docstring(
        summary=" ".join(summary.split()),
        body=body.strip("\n"),
        parameters={name: _in_one_line(lines) for name, lines in parameters.items()},
        sections={name: _in_one_line(lines) for name, lines in sections.items()},
    )


def _parts(lines: list[str], heading: re.Pattern[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the lines before the first heading, and the lines of each part, by its name."""
    current: list[str] = []
    head, parts = current, dict[str, list[str]]()
    for line in lines:
        found = heading.match(line)
        if found:
            current = parts.setdefault(found[1], [])
        current.append(found[2] if found else line)
    return head, parts


def _in_one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())

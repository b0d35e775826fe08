"""Reads the sections of a docstring: summary, mathematics, parameters, source."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Docstring:
    """A docstring, taken apart.

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
    """Take a docstring apart; missing parts are empty."""
    lines = inspect.cleandoc(text or "").split("\n")
    head: list[str] = []
    sections: dict[str, list[str]] = {}
    current = head
    for line in lines:
        title = _TITLE.match(line)
        if title:
            current = sections.setdefault(title[1], [])
            current += [title[2]] if title[2] else []
        else:
            current.append(line)
    summary, _, body = "\n".join(head).strip().partition("\n\n")
    return Docstring(
        summary=" ".join(summary.split()),
        body=body.strip("\n"),
        parameters=_parameters(sections.pop("Args", [])),
        sections={name: " ".join(" ".join(lines).split()) for name, lines in sections.items()},
    )


def _parameters(lines: list[str]) -> dict[str, str]:
    meanings: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        parameter = _PARAMETER.match(line)
        if parameter:
            current = meanings.setdefault(parameter[1], [])
            current.append(parameter[2])
        else:
            current.append(line.strip())
    return {name: " ".join(" ".join(words).split()) for name, words in meanings.items()}

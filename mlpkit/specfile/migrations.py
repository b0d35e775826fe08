"""Formats of specs: which number a spec says, and how its text is brought from one format to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.schema.context import Problem, ValueType, show
from mlpkit.specfile.nodes import MappingNode, ScalarNode
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.components.recipe import KeyPath
    from mlpkit.components.schema.context import CheckContext, SchemaReferences
    from mlpkit.specfile.nodes import Node

FORMAT: Final = "mlpkit"
"""The key whose value is the number of a spec's format."""

MIGRATIONS: Final[list[Callable[[str], str]]] = []
"""What brings a text from format 1 to format 2, from 2 to 3 and so on; comments and layout stay.

A migration leaves the number of the format as it is, and a text that has nothing to be changed.
"""


def newest_format() -> int:
    """Return the number of the format that specs are checked in."""
    return len(MIGRATIONS) + 1


def format_problem(value: object) -> Problem | None:
    """Return what is wrong with the number of a format, or None if it is one that can be read."""
    newest, place = newest_format(), (FORMAT,)
    expected = str(newest) if newest == 1 else f"a number from 1 to {newest}"
    if type(value) is not int or value < 1:
        return Problem(place, f"{show(value)} is not the number of a format", expected=expected)
    if value > newest:
        message = f"format {value} is newer than this version of mlpkit, {VERSION}, can read"
        return Problem(place, message, expected=expected, remedy="upgrade mlpkit")
    return None


class FormatType(ValueType):
    """The number of a spec's format; a text in an older one has been migrated before it is checked."""

    def describe(self) -> str:
        """Say what is expected."""
        return str(newest_format())

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the number."""
        problem = format_problem(value)
        if problem is None and value != newest_format():
            problem = Problem(path, f"format {value} is out of date", expected=self.describe())
        if problem is None:
            return value
        return context.report(path, problem.message, expected=problem.expected, remedy=problem.remedy)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"enum": [newest_format()]}


def format_of(spec: MappingNode) -> int | None:
    """Return the number of the format that a spec says it is in; None if it says none that can be read."""
    entry = spec.entries.get(FORMAT)
    value = entry.node.value if entry is not None and isinstance(entry.node, ScalarNode) else None
    return value if isinstance(value, int) and format_problem(value) is None else None


def migrated(text: str, number: int) -> str:
    """Return the text of a spec in the newest format.

    Args:
        text: the text.
        number: the format that it is in.
    """
    for migration in MIGRATIONS[number - 1 :]:
        text = migration(text)
    entry = _tree(text).entries.get(FORMAT)
    if entry is None:  # a spec that extends another, which says the number
        return text
    place = entry.node.origin.place
    return f"{text[: place.start]}{newest_format()}{text[place.end :]}"


def _tree(text: str) -> MappingNode:
    node: Node | None = parse_yaml(SourceText("migrated spec", text), DiagnosticList())
    assert isinstance(node, MappingNode)
    return node

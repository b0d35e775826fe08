"""PyYAML's parser, for events only: libyaml where PyYAML was built with it, else the one in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import Event


class EventParser(Protocol):
    """What both parsers can do."""

    def get_event(self) -> Event | None:
        """Return the next event, or None after the last."""


class PythonParser(Reader, Scanner, Parser):
    """The parser in Python."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skip what is between tokens, tabs too where they can't be indentation, as libyaml does."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()


@dataclass(eq=False)
class ParserProblem(Exception):  # noqa: N818 - what the parser itself calls it; it never reaches the user
    """Where a parser gave up, in its own words.

    Args:
        context: what it was doing.
        context_start: where that began, or None if it did not say.
        problem: what it met.
        position: where it met it.
    """

    context: str
    context_start: int | None
    problem: str
    position: int


def parser_for(text: str) -> EventParser:
    """Return a parser for a text."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser  # noqa: PLC0415 - not there if PyYAML was built without libyaml

        return CParser(text)
    return PythonParser(text)


def events(text: str) -> Iterator[Event]:
    """Go through the events of a text.

    Raises:
        ParserProblem: the text is not YAML.
    """
    parser = parser_for(text)
    while True:
        try:
            event = parser.get_event()
        except yaml.MarkedYAMLError as error:
            start = error.context_mark.index if error.context_mark else None
            position = error.problem_mark.index if error.problem_mark else len(text)
            raise ParserProblem(error.context or "", start, error.problem or "", position) from error
        except (ValueError, OverflowError) as error:  # the parser in Python makes characters of any escape
            position = parser.index if isinstance(parser, PythonParser) else len(text)
            start = max(text.rfind('"', 0, position), 0)
            raise ParserProblem("while scanning a double-quoted scalar", start, str(error), position) from error
        if event is None:
            return
        yield event


def span(event: Event) -> tuple[int, int]:
    """Return the positions of an event's first character and of that after its last."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index

"""The YAML parsers, which yield events, and the meaning of plain scalars."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from mlpkit.specfile.source import MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import Event

    from mlpkit.specfile.nodes import Scalar


WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
OCTAL: Final = re.compile(r"0o[0-7]+")
HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve_plain(text: str) -> Scalar:
    """Return the value of a scalar written without quotes.

    Raises:
        ValueError: it is a number, but not finite or with too many digits.
    """
    if text in WORDS:
        return WORDS[text]
    for pattern, base in ((DECIMAL, 10), (OCTAL, 8), (HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _integer(text, base)
    if NOT_FINITE.fullmatch(text):
        msg = f"{text} is not finite"
        raise ValueError(msg)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            msg = f"{_shortened(text)} is not finite"
            raise ValueError(msg)
        return number
    return text


def _integer(text: str, base: int) -> int:
    digits = len(text.lstrip("+-"))
    if digits <= MOST_DIGITS:
        integer = int(text, base)
        if abs(integer) < 10**MOST_DIGITS:
            return integer
        digits = len(str(abs(integer)))
    msg = f"an integer of {digits} digits is too long; the longest has {MOST_DIGITS}"
    raise ValueError(msg)


def _shortened(text: str) -> str:
    longest = 40
    return text if len(text) <= longest else text[:longest] + "..."


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

"""PyYAML's parser, for events only, held to YAML 1.2; and what scalars without quotes stand for.

It is always the parser in Python: libyaml, which PyYAML may be built with, reads some texts differently, and a spec is
read in a millisecond.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from yaml import MarkedYAMLError
from yaml.error import Mark
from yaml.events import Event
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import FlowMappingEndToken, FlowSequenceEndToken, ScalarToken

from mlpkit.specfile.nodes import Scalar
from mlpkit.specfile.source import MOST_DIGITS

END: Final = "\0"
"""What the reader puts after the last character."""

WHITE: Final = " \t"
BLANK: Final = WHITE + "\r\n" + END
BRACKETS: Final = ",[]{}"
INDICATORS: Final = "-?:" + BRACKETS + "#&*!|>'\"%@`"

# No pattern repeats a group: that takes memory for each time, and a word may have a million characters.
PLAIN_END: Final = re.compile(rf"[{BLANK}]|:(?=[{BLANK}])")
PLAIN_END_IN_BRACKETS: Final = re.compile(rf"[{BLANK},\[\]{{}}]|:(?=[{BLANK},\[\]{{}}])")
QUOTED: Final = re.compile(rf"[^'\"\\{BLANK}]++")
REST_OF_LINE: Final = re.compile(rf"[^\r\n{END}]*+")
LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
EMPTY_LINES: Final = re.compile(rf"[{WHITE}\r\n]*[\r\n]")
REST_IS_BLANK: Final = re.compile(rf"[{WHITE}]*[#\r\n{END}]")

BLOCK_TEXT: Final = "while scanning a block scalar"
TAB: Final = "found a tab"
BLANK_LINE_INDENTED_MORE: Final = "found a blank line with more spaces than the first line"


class EventParser(Reader, Scanner, Parser):
    """The parser, corrected where it reads YAML 1.1, or more or less than YAML."""

    def __init__(self, text: str) -> None:
        # The last line is a line, whether or not a line break ends it.
        Reader.__init__(self, text if text.endswith(("\n", "\r")) else text + "\n")
        Scanner.__init__(self)
        Parser.__init__(self)

    def forward(self, length: int = 1) -> None:
        """Skip some characters, which may be a million."""
        if length == 1 and self.buffer[self.pointer] not in "\r\n":
            self.pointer, self.index, self.column = self.pointer + 1, self.index + 1, self.column + 1
            return
        start, end = self.pointer, self.pointer + length
        breaks = LINE_BREAK.findall(self.buffer, start, end)
        self.pointer, self.index = end, self.index + length
        if breaks:
            start = max(self.buffer.rfind("\n", start, end), self.buffer.rfind("\r", start, end)) + 1
            self.line, self.column = self.line + len(breaks), 0
        self.column += end - start

    def fetch_directive(self) -> None:
        """Refuse directives."""
        raise ScannerError("while scanning a directive", self.get_mark(), "found a directive", self.get_mark())

    def check_key(self) -> bool:
        """Whether a question mark starts a key: ``{?foo: bar}`` has the key ``?foo``."""
        return self.peek(1) in BLANK

    def check_value(self) -> bool:
        """Whether a colon ends a key: in ``[:foo]`` it starts a text, in ``{"foo":bar}`` it needs no space."""
        following = self.peek(1)
        return following in BLANK or (self.flow_level > 0 and (following in BRACKETS or self._follows_json()))

    def _follows_json(self) -> bool:
        last = self.tokens[-1] if self.tokens else None
        if isinstance(last, ScalarToken):
            return not last.plain
        return isinstance(last, FlowSequenceEndToken | FlowMappingEndToken)

    def check_plain(self) -> bool:
        """Whether a text without quotes starts here."""
        character, following = self.peek(), self.peek(1)
        if character in "-?:":
            return following not in BLANK and not (self.flow_level and following in BRACKETS)
        return character not in BLANK + INDICATORS

    def scan_to_next_token(self) -> None:
        """Skip what is between tokens; before the ``#`` of a comment there must be white space."""
        while True:
            if self.column == 0:
                self._skip_match(EMPTY_LINES)
            self._skip_white()
            if self.peek() == "#" and (self.column == 0 or self.buffer[self.pointer - 1] in WHITE):
                self._skip_match(REST_OF_LINE)
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _skip_match(self, pattern: re.Pattern[str]) -> str:
        """Skip what a pattern matches here, if it matches anything, and return it."""
        found = pattern.match(self.buffer, self.pointer)
        if not found or not found[0]:
            return ""
        self.forward(len(found[0]))
        return found[0]

    def _until(self, pattern: re.Pattern[str]) -> str:
        """Return the text from here up to what a pattern matches."""
        found = pattern.search(self.buffer, self.pointer)
        return self.buffer[self.pointer : found.start()] if found else ""

    def _skip_white(self) -> None:
        """Skip spaces, and tabs where they can't be taken for indentation."""
        while self.peek() == " " or (self.peek() == "\t" and self._tab_separates()):
            self.forward()

    def _tab_separates(self) -> bool:
        if REST_IS_BLANK.match(self.buffer, self.pointer):
            return True
        return self.column > self.indent if self.flow_level else not self.allow_simple_key

    def scan_line_break(self) -> str:
        """Skip a line break, which is LF, CR or both."""
        if self.buffer[self.pointer] not in "\r\n":
            return ""
        length = 2 if self.buffer.startswith("\r\n", self.pointer) else 1
        self.pointer, self.index = self.pointer + length, self.index + length
        self.line, self.column = self.line + 1, 0
        return "\n"

    def scan_plain(self) -> ScalarToken:
        """Read a text without quotes; its further lines are indented by more than what it belongs to."""
        pieces: list[str] = []
        between = ""
        start = end = self.get_mark()
        ends = PLAIN_END_IN_BRACKETS if self.flow_level else PLAIN_END
        while self.peek() != "#" and (word := self._until(ends)):
            self.forward(len(word))
            self.allow_simple_key = False
            pieces += [between, word]
            end = self.get_mark()
            between = self._scan_between_words()
            if not between or (not self.flow_level and self.column <= self.indent):
                break
        return ScalarToken("".join(pieces), True, start, end)

    def _scan_between_words(self) -> str:
        """Return what the white space here stands for in a text without quotes; nothing where the text must end."""
        start = self.pointer
        self._skip(WHITE)
        if self.peek() not in "\r\n":
            passed: str = self.buffer[start : self.pointer]
            return passed
        self.scan_line_break()
        self.allow_simple_key = True
        breaks = ""
        while not (self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in BLANK):
            self._skip(" ")
            if self.column > self.indent or REST_IS_BLANK.match(self.buffer, self.pointer):
                self._skip(WHITE)
            line_break = self.scan_line_break()
            if not line_break:
                return breaks or " "
            breaks += line_break
        return ""

    def _skip(self, characters: str) -> None:
        while self.peek() in characters:
            self.forward()

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Mark) -> list[str]:
        """Read a word of a text in quotes."""
        return [self._skip_match(QUOTED), *super().scan_flow_scalar_non_spaces(double, start_mark)]

    def scan_flow_scalar_breaks(self, double: bool, start_mark: Mark) -> list[str]:
        """Read the empty lines inside a text in quotes."""
        breaks = LINE_BREAK.findall(self._skip_match(EMPTY_LINES))
        return ["\n"] * len(breaks) + super().scan_flow_scalar_breaks(double, start_mark)

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Mark]:
        """Find out how far a block text is indented: as its first line is, and no blank line above may be further."""
        breaks, deepest, end = super().scan_block_scalar_indentation()
        least = max(self.indent + 1, 1)
        self._refuse_tab(least)
        if least <= self.column < deepest and self.peek() != END:
            raise ScannerError(BLOCK_TEXT, None, BLANK_LINE_INDENTED_MORE, self.get_mark())
        return breaks, deepest, end

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Mark]:
        """Skip the blank lines of a block text."""
        breaks, end = super().scan_block_scalar_breaks(indent)
        self._refuse_tab(indent)
        return breaks, end

    def _refuse_tab(self, indent: int) -> None:
        if self.column < indent and self.peek() == "\t":
            raise ScannerError(BLOCK_TEXT, None, TAB, self.get_mark())


@dataclass(eq=False)
class ParserProblem(Exception):  # noqa: N818 - what the parser itself calls it; it never reaches the user
    """Where the parser gave up, in its own words: what it was doing since when, if known, and what it met."""

    context: str
    context_start: int | None
    problem: str
    position: int


def events(text: str) -> Iterator[Event]:
    """Go through the events of a text up to a ``ParserProblem``."""
    parser = EventParser(text)
    while True:
        try:
            event = parser.get_event()  # type: ignore[no-untyped-call]
        except MarkedYAMLError as error:
            start = error.context_mark.index if error.context_mark else None
            position = error.problem_mark.index if error.problem_mark else len(text)
            raise ParserProblem(error.context or "", start, error.problem or "", min(position, len(text))) from error
        except (ValueError, OverflowError) as error:  # an escape such as \UFFFFFFFF isn't a character
            start = max(text.rfind('"', 0, parser.index), 0)
            problem = ParserProblem("while scanning a double-quoted scalar", start, str(error), parser.index)
            raise problem from error
        if event is None:
            return
        yield event


def span(event: Event) -> tuple[int, int]:
    """Return the positions of an event's first character and of that after its last."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


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
    """Return the value of a scalar without quotes; a ``ValueError`` if a number isn't finite or has too many digits."""
    if text in WORDS:
        return WORDS[text]
    for pattern, base in ((DECIMAL, 10), (OCTAL, 8), (HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _integer(text, base)
    if NOT_FINITE.fullmatch(text) or (FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError(f"{text} is not finite")
    return float(text) if FLOAT.fullmatch(text) else text


def _integer(text: str, base: int) -> int:
    digits = len(text.lstrip("+-"))
    if digits <= 2 * MOST_DIGITS:  # an octal number has a few more digits, and leading zeros
        integer = int(text, base)
        if abs(integer) < 10**MOST_DIGITS:
            return integer
        digits = len(str(abs(integer)))
    raise ValueError(f"an integer of {digits} digits is too long; the longest has {MOST_DIGITS}")

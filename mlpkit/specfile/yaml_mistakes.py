"""From the parser's complaint to what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mlpkit.components.schema.wording import counted
from mlpkit.errors import Fix
from mlpkit.specfile.source import (
    COLON_WITHOUT_SPACE,
    Mistake,
    SourceText,
    Span,
    another_document,
    missing_space,
    mistake_at,
    unsupported,
)
from mlpkit.specfile.yaml_parser import ParserProblem

DASH_WITHOUT_SPACE: Final = re.compile(r" *(-)([^\W\d][\w.]*)")
"""A line such as ``-item``."""

ESCAPE: Final = re.compile(r"\\(?:[xuU][0-9a-fA-F]*|.?)")

CLOSING: Final = {"[": "]", "{": "}"}


class Evidence:
    """What there is to go by.

    Attributes:
        source: the text.
        problem: where the parser gave up.
        open_bracket: position of the innermost bracket that is still open, or None.
        position: where the parser gave up.
        start: where what the parser was doing began.
        character: the character at which it gave up; empty at the end of the text.
        line: the line of that character.
        before: the part of the line before it.
        at_line_start: whether that is only spaces.
    """

    def __init__(self, source: SourceText, problem: ParserProblem, open_bracket: int | None) -> None:
        self.source, self.problem, self.open_bracket = source, problem, open_bracket
        self.text, self.position = source.text, problem.position
        self.start = self.position if problem.context_start is None else problem.context_start
        self.character = self.text[self.position : self.position + 1]
        self.line = source.line_number(self.position)
        self.before = self.text[source.line_starts[self.line - 1] : self.position]
        self.at_line_start = not self.before.strip()

    @property
    def in_column_of_start(self) -> bool:
        """Whether it is the first of its line, in the column where what the parser was doing began."""
        start_of_line = self.source.line_starts[self.source.line_number(self.start) - 1]
        return self.at_line_start and len(self.before) == self.start - start_of_line

    def previous_line(self, number: int) -> int | None:
        """Return the nearest line above that has more than a comment, or None."""
        for candidate in range(number - 1, 0, -1):
            written = self.source.line(candidate).strip()
            if written and not written.startswith("#"):
                return candidate
        return None

    def line_start(self, number: int) -> int:
        """Return the position of a line's first character that is not a space."""
        line = self.source.line(number)
        return self.source.line_starts[number - 1] + len(line) - len(line.lstrip(" "))

    def indentation(self, number: int) -> int:
        """Return the number of spaces at the start of a line."""
        return self.line_start(number) - self.source.line_starts[number - 1]

    def says(self, *words: str) -> bool:
        """Whether the parser's complaint has one of these words."""
        return any(word in self.problem.problem for word in words)

    def while_parsing(self, *words: str) -> bool:
        """Whether the parser was busy with one of these."""
        return any(word in self.problem.context for word in words)


def explain(source: SourceText, problem: ParserProblem, open_bracket: int | None) -> Mistake:
    """Return what is wrong in plain words."""
    evidence = Evidence(source, problem, open_bracket)
    for explanation in EXPLANATIONS:
        mistake = explanation(evidence)
        if mistake:
            return mistake
    doing = f"{problem.context}, " if problem.context else ""
    return mistake_at(evidence.position, f"this is not YAML: {doing}{problem.problem}")


def _tab(evidence: Evidence) -> Mistake | None:
    if evidence.character != "\t":
        return None
    verb = "indent" if evidence.at_line_start else "be used here"
    return mistake_at(evidence.position, f"a tab can't {verb}", "use spaces")


def _quotes(evidence: Evidence) -> Mistake | None:
    if not evidence.while_parsing("quoted scalar"):
        return None
    quote = evidence.text[evidence.start : evidence.start + 1]
    if evidence.says("end of stream", "document"):
        return mistake_at(evidence.start, "this quote is never closed", f"put {quote} after the last character")
    backslash = evidence.text.rfind("\\", evidence.start, evidence.position + 1)
    escape = ESCAPE.match(evidence.text, max(backslash, 0))
    written = escape[0] if escape else ""
    remedy = "use single quotes, in which a backslash is a backslash"
    return Mistake(backslash, backslash + len(written), f"{written} is not an escape that double quotes allow", remedy)


def _features_left_out(evidence: Evidence) -> Mistake | None:
    if evidence.while_parsing("alias", "anchor"):
        remedy = "put the value in quotes, or use a variable: vars and $name"
        return unsupported(evidence.start, "specs have no anchors and aliases", remedy)
    if evidence.while_parsing("a tag") or evidence.says("tag handle"):
        remedy = "put the value in quotes if '!' belongs to it"
        return unsupported(evidence.start, "specs have no tags", remedy)
    if evidence.while_parsing("directive"):
        return unsupported(evidence.start, "specs have no directives", "remove the line")
    if evidence.says("mapping keys are not allowed"):
        remedy = "put the value in quotes if '?' belongs to it"
        return unsupported(evidence.position, "specs have no complex keys", remedy)
    return None


def _reserved_character(evidence: Evidence) -> Mistake | None:
    if not evidence.says("cannot start any token"):
        return None
    if evidence.character == "#":
        remedy = "put a space before it, or the whole value in quotes if '#' belongs to it"
        return mistake_at(evidence.position, "a comment needs a space before its '#'", remedy)
    return mistake_at(evidence.position, f"a value can't start with {evidence.character}", "put the value in quotes")


def _colon_without_space(evidence: Evidence) -> Mistake | None:
    if not evidence.says("mapping values are not allowed", "could not find expected ':'"):
        return None
    number = evidence.source.line_number(evidence.start)
    suspects = [evidence.previous_line(number), number] if evidence.start == evidence.position else [number]
    for suspect in suspects:
        found = COLON_WITHOUT_SPACE.match(evidence.source.line(suspect)) if suspect else None
        if suspect and found:
            return missing_space(evidence.source.line_starts[suspect - 1] + found.start(1))
    return None


def _dash_without_space(evidence: Evidence) -> Mistake | None:
    if evidence.says("could not find expected ':'"):
        suspects = [evidence.source.line_number(evidence.start)]
    elif evidence.says("mapping values are not allowed"):
        suspects = [evidence.line, evidence.previous_line(evidence.line) or evidence.line]
    elif evidence.while_parsing("block collection"):
        suspects = [evidence.line]
    else:
        return None
    for suspect in suspects:
        found = DASH_WITHOUT_SPACE.match(evidence.source.line(suspect))
        if found:
            dash = evidence.source.line_starts[suspect - 1] + found.start(1)
            mistake = mistake_at(dash, "a space is missing after '-'", f"write '- {found[2]}'")
            return mistake._replace(fix=Fix("-", "- "))
    return None


def _line_without_colon(evidence: Evidence) -> Mistake | None:
    if evidence.says("could not find expected ':'"):
        number = evidence.source.line_number(evidence.start)
    elif evidence.says("mapping values are not allowed"):
        number = evidence.previous_line(evidence.line) or 0
        if not number or re.search(r":(\s|$)", evidence.source.line(number)):
            return None
        if evidence.source.line(number).lstrip().startswith("- ") or _has_colon(evidence.before):
            return None
    else:
        return None
    start, end = evidence.line_start(number), evidence.source.line_end(number)
    return Mistake(start, end, "this line has no ':'", "write 'key: value'")


def _colon_inside_value(evidence: Evidence) -> Mistake | None:
    if not evidence.says("mapping values are not allowed"):
        return None
    position = evidence.position
    if _has_colon(evidence.before):
        remedy = "put the value in quotes if ':' belongs to it, or the inner mapping in {braces}"
        return mistake_at(position, "a second ':' on one line", remedy)
    previous = evidence.previous_line(evidence.line)
    if previous is None:
        return mistake_at(position, "a ':' isn't allowed here", "write 'key: value'")
    return _wrong_indentation(evidence, previous)


def _wrong_indentation(evidence: Evidence, previous: int) -> Mistake:
    here, above = evidence.indentation(evidence.line), evidence.indentation(previous)
    start = evidence.line_start(evidence.line)
    end = max(start + 1, evidence.source.line_end(evidence.line))
    spaces = counted(above, "space")
    if here > above:
        message = f"this line is indented more than line {previous}, which already has its value"
        remedy = f"indent it by {spaces}, like line {previous}" if above else "remove the spaces before it"
    elif here == above:
        message, remedy = f"this line can't follow line {previous}", "write 'key: value' in both"
    else:
        depth = f"indented by {counted(here, 'space')}" if here else "not indented"
        message = f"this line is {depth}, which matches no line above"
        remedy = f"indent it like the lines it belongs to; line {previous} has {spaces}"
    return Mistake(start, end, message, remedy)


def _has_colon(text: str) -> bool:
    return re.search(r":\s", text) is not None


def _list_beside_key(evidence: Evidence) -> Mistake | None:
    if not evidence.says("sequence entries are not allowed"):
        return None
    message = "a list of '-' items can't start on the line of its key"
    remedy = "start it on a new line, or write [first, second]; put the value in quotes if '-' belongs to it"
    return mistake_at(evidence.position, message, remedy)


def _key_over_lines(evidence: Evidence) -> Mistake | None:
    if evidence.character != ":" or not evidence.while_parsing("flow sequence", "flow mapping"):
        return None
    key = _since_comma(evidence.text[evidence.start : evidence.position]).lstrip()
    if not re.search(r"[\r\n]", key) or _has_colon(key):
        return None
    if not evidence.at_line_start and _is_outside(evidence, evidence.start):
        return None
    message = "a key and its ':' must be on the same line"
    return mistake_at(evidence.position, message, "write 'key: value', and ',' between the values")


def _open_bracket(evidence: Evidence) -> Mistake | None:
    flow = evidence.while_parsing("flow sequence", "flow mapping")
    inside = evidence.while_parsing("flow node") and evidence.open_bracket is not None
    if not flow and not inside:
        return None
    opening = evidence.start if flow else evidence.open_bracket or 0
    bracket = evidence.text[opening : opening + 1]
    closing = CLOSING.get(bracket, "}")  # a bracket that is missing is that of a single pair, as in [a: 1
    character = evidence.character
    position = evidence.position
    if character in ("}", "]") and character != closing:
        note = f"the {bracket} is at {Span(evidence.source, opening, opening + 1)}"
        return mistake_at(position, f"{bracket} is closed by {character}", f"write {closing}", (note,))
    if not character or _is_outside(evidence, opening) or evidence.text.startswith(("---", "..."), position):
        return mistake_at(opening, f"this {bracket} is never closed", f"put {closing} after its last value")
    if character == "{" and evidence.before.endswith("$"):
        return Mistake(position - 1, position + 1, "inside brackets, a variable takes no braces", "write $name")
    if inside:
        what = "key" if character == ":" else "value"
        return mistake_at(position, f"a {what} is missing before '{character}'")
    if character == ":" and not evidence.at_line_start and _has_colon(_since_comma(evidence.before)):
        remedy = "put the value in quotes if ':' belongs to it, or the inner mapping in {braces}"
        return mistake_at(position, "a second ':' in one value", remedy)
    remedy = f"put ',' between the values, or {closing} after the last"
    return mistake_at(position, f"a ',' or {closing} is missing before this", remedy)


def _is_outside(evidence: Evidence, opening: int) -> bool:
    """Whether the line at which the parser gave up is not indented as what is inside a bracket should be."""
    first_line = evidence.source.line_number(opening)
    return evidence.line > first_line and evidence.indentation(evidence.line) <= evidence.indentation(first_line)


def _since_comma(text: str) -> str:
    return re.split(r"[,{\[]", text)[-1]


def _stray_closing(evidence: Evidence) -> Mistake | None:
    outside = evidence.while_parsing("block") or evidence.says("document start")
    if evidence.character not in ("]", "}", ",") or not outside:
        return None
    if evidence.says("node content"):
        message, remedy = f"a value can't start with {evidence.character}", "put the value in quotes"
    else:
        message, remedy = f"this {evidence.character} closes nothing", "remove it"
    return mistake_at(evidence.position, message, remedy)


def _among_keys(evidence: Evidence) -> Mistake | None:
    if not evidence.while_parsing("block mapping"):
        return None
    if evidence.character == ":":
        return mistake_at(evidence.position, "a key is missing before ':'", "write 'key: value'")
    if evidence.in_column_of_start and evidence.character == "-":
        remedy = "give the list its own key, or indent it"
        return mistake_at(evidence.position, "a list item isn't allowed among keys", remedy)
    return None


def _among_items(evidence: Evidence) -> Mistake | None:
    if not evidence.while_parsing("block collection") or not evidence.in_column_of_start:
        return None
    remedy = "start the line with '- ', or indent it like what it belongs to"
    return mistake_at(evidence.position, "a key isn't allowed among list items", remedy)


def _indentation_or_rest(evidence: Evidence) -> Mistake | None:
    if not evidence.while_parsing("block") and not evidence.says("document start"):
        return None
    previous = evidence.previous_line(evidence.line)
    if evidence.at_line_start and previous:
        if evidence.source.line(previous).startswith("..."):
            return another_document(evidence.position)
        return _wrong_indentation(evidence, previous)
    if evidence.text.startswith("...", evidence.position):
        return Mistake(evidence.position, evidence.position + 3, "'...' ends the spec before it starts", "remove it")
    if evidence.says("node content"):
        return None
    last = evidence.before.rstrip()[-1:]
    remedy = "double each ' inside single quotes" if last == "'" else "put the whole value in quotes"
    return mistake_at(evidence.position, "text after the end of a value", remedy)


def _block_text(evidence: Evidence) -> Mistake | None:
    if not evidence.while_parsing("block scalar"):
        return None
    if evidence.says("blank line"):
        message = "a blank line above has more spaces than this first line of the text"
        return mistake_at(evidence.position, message, "remove the spaces from the blank line")
    indicator = evidence.text[evidence.start : evidence.start + 1]
    message = f"only a comment can follow {indicator} on its line"
    return mistake_at(evidence.position, message, "put the value in quotes")


EXPLANATIONS: Final[tuple[Callable[[Evidence], Mistake | None], ...]] = (
    _tab,
    _quotes,
    _features_left_out,
    _reserved_character,
    _colon_without_space,
    _dash_without_space,
    _line_without_colon,
    _colon_inside_value,
    _list_beside_key,
    _key_over_lines,
    _open_bracket,
    _block_text,
    _stray_closing,
    _among_keys,
    _among_items,
    _indentation_or_rest,
)

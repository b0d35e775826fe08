"""The dialect of specs: YAML without anchors, aliases, merges, tags, directives and complex keys.

The tree is built from a parser's events, one collection at a time, so that limits stop it early.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from mlpkit.components.schema.context import show
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, ValueOrigin
from mlpkit.specfile.source import (
    DEEPEST_NESTING,
    MOST_VALUES,
    REFUSED,
    TOO_DEEP,
    DiagnosticList,
    Mistake,
    SourceText,
    Span,
    another_document,
    describe_character,
    missing_space,
    shown,
)
from mlpkit.specfile.yaml_parser import ParserProblem, events, resolve_plain, span

TAG: Final = re.compile(r"![^\s,\[\]{}]*")
NO_ALIASES: Final = "write the value out, or use a variable: vars and $name"


def parse_yaml(source: SourceText, faults: DiagnosticList, *, start: int = 0) -> Node | None:
    """Return the tree of a text from a position on, or None if it can't be read to its end or holds no value.

    The tree leaves out what makes no sense, which is reported.
    """
    refused = REFUSED.search(source.text, start)
    if refused:
        what = describe_character(refused[0])
        remedy = "save it as text" if refused[0] == "\0" else "remove it"
        place = Span(source, refused.start(), refused.end())
        faults.report(place, f"a spec can't hold the character {what}", remedy=remedy)
        return None
    builder = _Builder(source, faults)
    try:
        # Spaces in place of the text before keep every position unchanged.
        for event in events(" " * start + source.text[start:]):
            builder.take(event)
    except ParserProblem as problem:
        from mlpkit.specfile.yaml_mistakes import explain  # noqa: PLC0415 - only after a mistake

        brackets = (opened.start for opened in reversed(builder.open) if opened.in_brackets)
        builder.report(explain(source, problem, next(brackets, None)))
        return None
    except _Stop:
        return None
    return builder.root


def readable_part(text: str) -> Node | None:
    """Return the tree of a text up to its first mistake, for an editor; None if there is no value before it."""
    source = SourceText("", shown(text))
    builder = _Builder(source, DiagnosticList())
    with suppress(ParserProblem, _Stop):
        for event in events(source.text):
            builder.take(event)
    return builder.root


class _Stop(Exception):  # noqa: N818 - not a separate error: the fault is already reported
    """The rest of the text is not to be read."""


@dataclass
class _Key:
    """A key that waits for its value; without a name it is wrong, and its value is left out.

    The colon is one in it that must have been meant to end it, if no value follows.
    """

    name: str | None
    origin: ValueOrigin
    colon: int | None = None


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    node: ListNode | MappingNode
    start: int
    in_brackets: bool
    key: _Key | None = None


class _Builder:
    """Puts the tree together."""

    def __init__(self, source: SourceText, faults: DiagnosticList) -> None:
        self.source = source
        self.faults = faults
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.values = 0
        self.documents = 0

    def report(self, mistake: Mistake) -> None:
        """Record a mistake."""
        start, end, message, remedy, notes, code, fix = mistake
        self.faults.report(Span(self.source, start, end), message, remedy=remedy, notes=notes, code=code, fix=fix)

    def take(self, event: Event) -> None:
        """Add the content of an event."""
        if isinstance(event, ScalarEvent):
            self._refuse_properties(event)
            self._take_scalar(event)
        elif isinstance(event, CollectionStartEvent):
            self._refuse_properties(event)
            self._begin(event)
        elif isinstance(event, CollectionEndEvent):
            opened = self.open.pop()
            if opened.in_brackets:
                opened.node.origin = ValueOrigin(Span(self.source, opened.start, span(event)[1]))
        elif isinstance(event, AliasEvent):
            self.report(Mistake(*span(event), "specs have no aliases", NO_ALIASES, code="unsupported-yaml"))
            self._add(ScalarNode(None, ValueOrigin(self._place(event))))
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.report(another_document(span(event)[0]))
                raise _Stop

    def _place(self, event: Event) -> Span:
        return Span(self.source, *span(event))

    def _refuse_properties(self, event: NodeEvent) -> None:
        start, _ = span(event)
        if event.anchor is not None:
            end = start + 1 + len(event.anchor)
            self.report(Mistake(start, end, "specs have no anchors", NO_ALIASES, code="unsupported-yaml"))
        if getattr(event, "tag", None) is not None:
            tag = TAG.search(self.source.text, start)
            begin, end = tag.span() if tag else (start, start + 1)
            remedy = "remove it, or put the value in quotes if '!' belongs to it"
            self.report(Mistake(begin, end, "specs have no tags", remedy, code="unsupported-yaml"))

    def _take_scalar(self, event: ScalarEvent) -> None:
        place = self._place(event)
        if REFUSED.search(event.value):
            what = describe_character(REFUSED.findall(event.value)[0])
            self.faults.report(place, f"a string can't hold the character {what}", remedy="remove it")
        if self.open and isinstance(self.open[-1].node, MappingNode) and self.open[-1].key is None:
            self.open[-1].key = self._key(event, place)
            return
        if event.style:
            self._add(ScalarNode(event.value, ValueOrigin(place)))
            return
        if place.start == place.end:
            place = self._place_of_nothing(place)
        try:
            value = resolve_plain(event.value)
        except ValueError as error:
            self.faults.report(place, str(error), remedy="put it in quotes if it is text")
            value = None
        self._add(ScalarNode(value, ValueOrigin(place)))

    def _place_of_nothing(self, place: Span) -> Span:
        """Return where a value is missing: at its key, or at the dash of its list item."""
        key = self.open[-1].key if self.open else None
        if key is None:
            return Span(self.source, max(place.start - 1, 0), place.start)
        if key.colon is not None:
            self.report(missing_space(key.colon))
        return key.origin.place

    def _key(self, event: ScalarEvent, place: Span) -> _Key:
        """Return a key, which waits for its value from now on."""
        key = _Key(self._key_name(event, place), ValueOrigin(place))
        if not event.style and self.open[-1].in_brackets:
            text = self.source.text
            if ":" in event.value:  # {units:50} is a key, if no value follows
                key.colon = text.find(":", place.start)
            elif text.startswith(":", place.end) and text[place.end + 1 : place.end + 2] in tuple(",[]{}"):
                self.report(missing_space(place.end))  # {units:[5]}
        return key

    def _key_name(self, event: ScalarEvent, place: Span) -> str | None:
        name: str = event.value
        if not event.style and not self._is_key(name, place):
            return None
        node = self.open[-1].node
        earlier = node.entries.get(name) if isinstance(node, MappingNode) else None
        if earlier:
            message, note = f"the key {show(name)} is given twice", f"the first is at {earlier.key.place}"
            self.faults.report(place, message, remedy="keep one of them", notes=(note,), code="duplicate-key")
            return None
        return name

    def _is_key(self, text: str, place: Span) -> bool:
        if text == "<<":
            remedy = "write the keys out, or extend another file: extends"
            self.faults.report(place, "specs have no merge keys", remedy=remedy, code="unsupported-yaml")
            return False
        if place.start == place.end:
            place = Span(self.source, max(place.start - 1, 0), place.start)
            self.faults.report(place, "a key is missing", remedy="write 'key: value'")
            return False
        try:
            if isinstance(resolve_plain(text), str):
                return True
        except ValueError:
            pass
        self.faults.report(place, f"the key {text} is not a string", expected="a name", remedy="put it in quotes")
        return False

    def _begin(self, event: CollectionStartEvent) -> None:
        start, _ = span(event)
        origin = ValueOrigin(Span(self.source, start, start + 1))
        if len(self.open) == DEEPEST_NESTING:
            self.report(Mistake(start, start + 1, TOO_DEEP, code="too-large"))
            raise _Stop
        is_mapping = isinstance(event, MappingStartEvent)
        node: ListNode | MappingNode = MappingNode({}, origin) if is_mapping else ListNode([], origin)
        self._add(node)
        self.open.append(_Open(node, start, in_brackets=bool(event.flow_style)))

    def _add(self, node: Node) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            message = f"a spec can't hold more than {MOST_VALUES:,} values"
            self.faults.report(node.origin.place, message, code="too-large")
            raise _Stop
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent.node, ListNode):
            parent.node.items.append(node)
        elif parent.key is None:
            self.faults.report(node.origin.place, "a list or mapping can't be a key", expected="a name")
            parent.key = _Key(None, node.origin)
        else:
            if parent.key.name is not None:
                parent.node.entries[parent.key.name] = Entry(parent.key.origin, node)
            parent.key = None

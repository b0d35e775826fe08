"""What an editor shows between the lines: shapes and parameters of layers, and what the network needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from mlpkit.components.schema.wording import counted, memory_size
from mlpkit.jobs.check import CheckedMember
from mlpkit.specfile.source import Span
from mlpkit.terminal.figures import short_duration
from mlpkit.terminal.formatting import shape
from mlpkit.verbs.lsp.open_spec import OpenSpec, position, span_range

MEASURE: Final = "mlpkit.measureStep"
"""The command that measures a step of the spec at an address."""


def inlay_hints(spec: OpenSpec, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Return the output shape and the parameters of each layer, in lines that are unchanged since they were right."""
    hints: list[types.InlayHint] = []
    if spec.right is None:
        return hints
    document = spec.right.spec.document
    for member in _with_inner(spec.right.members):
        name, value = document.place(member.place, at_key=True), document.place(member.place)
        if member.place and _unchanged(spec, name) and (label := _label(member)):
            offset = spec.text.line_starts[name.line - 1] + _column_behind(name, value)
            at = position(spec.text, offset, spec.codec)
            hints.append(types.InlayHint(at, label, types.InlayHintKind.Type, padding_left=True))
    return hints


def code_lenses(spec: OpenSpec, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Return what the network needs, above its layers."""
    right = spec.right
    place = right.spec.document.place(("layers",), at_key=True) if right else None
    if not right or not place or not _unchanged(spec, place):
        return []
    title = f"{counted(right.parameters, 'parameter')}, at least {memory_size(right.memory)} of memory to train"
    commands = [types.Command(title, ""), types.Command("measure a step", MEASURE, arguments=[spec.uri])]
    if spec.step and spec.step[0] == spec.text.text:
        commands = [types.Command(f"{title}, about {short_duration(spec.step[1])} for a step", "")]
    where = span_range(spec.text, spec.text.line_starts[place.line - 1], spec.text.line_end(place.line), spec.codec)
    return [types.CodeLens(where, command) for command in commands]


def _with_inner(members: Sequence[CheckedMember]) -> Iterator[CheckedMember]:
    for member in members:
        yield member
        yield from _with_inner(member.inside)


def _unchanged(spec: OpenSpec, place: Span) -> bool:
    """Whether a place is in this file, and its line is the same as when it was checked."""
    in_text = place.file == spec.text.name and place.line <= len(spec.text.line_starts)
    return in_text and spec.text.line(place.line) == place.text.line(place.line)


def _column_behind(name: Span, value: Span) -> int:
    """Return the column behind a layer and its parameters, or the end of its line if they are in the next ones."""
    text, end = name.text, value.end
    in_line = value.text is text and text.line_number(end) == name.line and not text.text.startswith(":", end)
    return (end if in_line else text.line_end(name.line)) - text.line_starts[name.line - 1]


def _label(member: CheckedMember) -> str:
    output = [f"→ {shape(member.output_shape)}"] if member.output_shape else []
    return " · ".join([*output, *([counted(member.parameters, "parameter")] if member.parameters else [])])

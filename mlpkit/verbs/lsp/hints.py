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
from mlpkit.verbs.lsp.open_spec import OpenSpec
from mlpkit.verbs.lsp.places import position, span_range

MEASURE: Final = "mlpkit.measureStep"
"""The command that measures a step of the spec at an address."""


def inlay_hints(spec: OpenSpec, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Return the output shape and the parameters of each layer, in lines that are unchanged since they were right."""
    hints = []
    for member, place in _placed(spec, spec.right.checked.members) if spec.right else ():
        at = position(spec.text, spec.text.line_starts[place.line - 1] + _last_column(spec, member, place), spec.codec)
        hints.append(types.InlayHint(at, _label(member), types.InlayHintKind.Type, padding_left=True))
    return hints


def _last_column(spec: OpenSpec, member: CheckedMember, place: Span) -> int:
    """Return the column behind a layer and its parameters, or the end of its line if they are in the next ones."""
    assert spec.right is not None
    text, end = place.text, spec.right.checked.spec.document.place(member.place).end
    has_end = text.line_number(end) == place.line and not text.text.startswith(":", end)
    return (end if has_end else text.line_end(place.line)) - text.line_starts[place.line - 1]


def code_lenses(spec: OpenSpec, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Return what the network needs, above its layers."""
    if spec.right is None:
        return []
    checked = spec.right.checked
    place = checked.spec.document.place(("layers",), at_key=True)
    if not _unchanged(spec, place):
        return []
    title = f"{counted(checked.parameters, 'parameter')}, at least {memory_size(checked.memory)} of memory to train"
    commands = [types.Command(title, ""), types.Command("measure a step", MEASURE, arguments=[spec.uri])]
    if spec.step and spec.step[0] == spec.text.text:
        commands = [types.Command(f"{title}, about {short_duration(spec.step[1])} for a step", "")]
    where = span_range(spec.text, spec.text.line_starts[place.line - 1], spec.text.line_end(place.line), spec.codec)
    return [types.CodeLens(where, command) for command in commands]


def _placed(spec: OpenSpec, members: Sequence[CheckedMember]) -> Iterator[tuple[CheckedMember, Span]]:
    """Yield the layers that are written in this file, also inside others, with their places."""
    assert spec.right is not None
    for member in members:
        place = spec.right.checked.spec.document.place(member.place, at_key=True)
        if member.place and _unchanged(spec, place) and (member.output_shape or member.parameters):
            yield member, place
        yield from _placed(spec, member.inside)


def _unchanged(spec: OpenSpec, place: Span) -> bool:
    """Whether a line of this file is the one that was checked last without errors."""
    if place.file != spec.text.name or spec.right is None or place.line > len(spec.text.line_starts):
        return False
    return spec.text.line(place.line) == spec.right.text.line(place.line)


def _label(member: CheckedMember) -> str:
    output = [f"→ {shape(member.output_shape)}"] if member.output_shape else []
    return " · ".join([*output, *([counted(member.parameters, "parameter")] if member.parameters else [])])

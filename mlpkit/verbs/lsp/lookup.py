"""What an editor shows: what a word means, where it is defined, the shapes of layers, and what the network needs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from lsprotocol import types

from mlpkit.components.kinds import in_words
from mlpkit.components.schema.recipe import written
from mlpkit.components.schema.types import PathType
from mlpkit.components.schema.wording import counted, memory_size
from mlpkit.jobs.check import CheckedMember
from mlpkit.registry.registry import RegisteredComponent
from mlpkit.specfile.sections import EXTENDS
from mlpkit.specfile.source import Span
from mlpkit.specfile.variables import variables_of
from mlpkit.specfile.yaml_writer import to_inline_yaml, value_or_not_set
from mlpkit.terminal.formatting import shape
from mlpkit.verbs.lsp.open_spec import Cursor, OpenSpec, location, position, span_range, uri_of


def hover(spec: OpenSpec, params: types.HoverParams) -> types.Hover | None:
    """Return what a key, a component or a variable means, and where its value comes from."""
    cursor = spec.cursor(params.position)
    if cursor is None or not cursor.word:
        return None
    text = "\n\n".join([*_meaning(spec, cursor), *_origin(spec, cursor)])
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None


def _meaning(spec: OpenSpec, cursor: Cursor) -> Iterator[str]:
    """Yield paragraphs about the component at the cursor, or else about its parameter."""
    grammar = spec.grammar
    component, found = _component(spec, cursor), grammar.parameter_at(cursor.path)
    if component:
        docstring = component.schema.docstring
        yield f"**{component.name}**, {in_words(component.kind)} from {component.plugin.label}"
        yield docstring.summary
        yield docstring.body
        yield from (f"{title}: {text}" for title, text in docstring.sections.items() if title != "Raises")
    elif found:
        schema, parameter = found
        kind = parameter.type.describe()
        yield f"**{parameter.name}**: {schema.docstring.parameters.get(parameter.name, kind)}"
        default = "required" if parameter.required else f"default: `{value_or_not_set(written(parameter.default))}`"
        yield f"{kind}; {default}"


def _component(spec: OpenSpec, cursor: Cursor) -> RegisteredComponent | None:
    """Return the component whose name is the word at the cursor."""
    return spec.grammar.component_at(cursor.path[:-1] if cursor.at_key else cursor.path, cursor.word)


def _origin(spec: OpenSpec, cursor: Cursor) -> Iterator[str]:
    """Yield the value of a variable, or of a value that comes from elsewhere, and where that is."""
    document = spec.document
    if document is None:
        return
    if cursor.variable in document.variables:
        yield f"`${cursor.variable}` is `{to_inline_yaml(document.variables[cursor.variable])}`"
    if document.has_value(cursor.path):
        yield from document.origin_notes(cursor.path)


FIRST_LINE = types.Range(types.Position(0, 0), types.Position(0, 0))


def definitions(spec: OpenSpec, params: types.DefinitionParams) -> list[types.Location]:
    """Return the file, variable, component or layer that is named at the cursor."""
    cursor = spec.cursor(params.position)
    return list(_definitions(spec, cursor)) if cursor and cursor.word else []


def _definitions(spec: OpenSpec, cursor: Cursor) -> Iterator[types.Location]:
    component = _component(spec, cursor)
    if component and (file := inspect.getsourcefile(component.component)):
        line = types.Position(inspect.getsourcelines(component.component)[1] - 1, 0)
        yield types.Location(uri_of(file), types.Range(line, line))
    elif cursor.variable:
        variables = variables_of(spec.document.with_names) if spec.document else None
        if variables and cursor.variable in variables.entries:
            yield location(variables.entries[cursor.variable].key.place, spec.codec)
    elif cursor.path == (EXTENDS,) or any(isinstance(kind, PathType) for kind in spec.grammar.kinds_at(cursor.path)):
        if (path := spec.path.parent / cursor.word).exists():
            yield types.Location(uri_of(str(path)), FIRST_LINE)
    else:
        yield from _layers(spec, cursor.word)


def _layers(spec: OpenSpec, word: str) -> Iterator[types.Location]:
    """Yield the layers that a name, a pattern, or a dotted key such as ``layers.Affine1.units`` names."""
    pattern = word.removeprefix("layers.").partition(".")[0]
    if spec.right:
        for member in spec.right.spec.layers:
            if fnmatchcase(member.name, pattern):
                yield location(spec.right.spec.document.place(member.path, at_key=True), spec.codec)


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
    where = span_range(spec.text, spec.text.line_starts[place.line - 1], spec.text.line_end(place.line), spec.codec)
    return [types.CodeLens(where, types.Command(title, ""))]


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

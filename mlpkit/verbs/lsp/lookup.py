"""What an editor shows about the word under the pointer, and where that is defined."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from fnmatch import fnmatchcase

from lsprotocol import types

from mlpkit.components.kinds import in_words
from mlpkit.components.schema.recipe import written
from mlpkit.components.schema.types import PathType
from mlpkit.specfile.sections import EXTENDS
from mlpkit.specfile.variables import variables_of
from mlpkit.specfile.yaml_writer import to_inline_yaml, value_or_not_set
from mlpkit.verbs.lsp.cursor import Cursor
from mlpkit.verbs.lsp.open_spec import OpenSpec, location, uri_of


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
    component, found = grammar.component_at(cursor), grammar.parameter_at(cursor.path)
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
    component = spec.grammar.component_at(cursor)
    if component and (file := inspect.getsourcefile(component.component)):
        line = types.Position(inspect.getsourcelines(component.component)[1] - 1, 0)
        yield types.Location(uri_of(file), types.Range(line, line))
    elif cursor.variable:
        variables = variables_of(spec.document.with_names) if spec.document else None
        if variables and cursor.variable in variables.entries:
            yield location(variables.entries[cursor.variable].key.place, spec.codec)
    elif cursor.path == (EXTENDS,) or any(isinstance(kind, PathType) for kind in spec.grammar.kinds_at(cursor.path)):
        yield types.Location(uri_of(str(spec.path.parent / cursor.word)), FIRST_LINE)
    else:
        yield from _layers(spec, cursor.word)


def _layers(spec: OpenSpec, word: str) -> Iterator[types.Location]:
    """Yield the layers that a name, a pattern, or a dotted key such as ``layers.Affine1.units`` names."""
    pattern = word.removeprefix("layers.").partition(".")[0]
    if spec.right:
        for member in spec.right.spec.layers:
            if fnmatchcase(member.name, pattern):
                yield location(spec.right.spec.document.place(member.path, at_key=True), spec.codec)

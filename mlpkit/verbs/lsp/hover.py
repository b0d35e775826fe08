"""What an editor shows about the word under the pointer."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from mlpkit.components.kinds import in_words
from mlpkit.components.schema.recipe import written
from mlpkit.specfile.yaml_writer import to_inline_yaml, value_or_not_set
from mlpkit.verbs.lsp.cursor import Cursor
from mlpkit.verbs.lsp.open_spec import OpenSpec


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

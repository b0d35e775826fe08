"""Where what is named at the cursor is defined."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from fnmatch import fnmatchcase

from lsprotocol import types

from mlpkit.components.schema.types import PathType
from mlpkit.specfile.sections import EXTENDS
from mlpkit.specfile.variables import variables_of
from mlpkit.verbs.lsp.cursor import Cursor
from mlpkit.verbs.lsp.open_spec import OpenSpec, location, uri_of

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

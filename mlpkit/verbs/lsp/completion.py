"""What an editor offers at the cursor: keys, components, choices, files, columns, names of layers and variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from lsprotocol import types
from lsprotocol.types import CompletionItemKind as Icon

from mlpkit.components.schema.component_types import ComponentOfKind, layer_names
from mlpkit.components.schema.context import INVALID, CheckContext
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.signature import SectionType
from mlpkit.components.schema.types import (
    BooleanType,
    ChoiceType,
    ColumnNameType,
    MappingType,
    NullType,
    PathType,
    TextType,
)
from mlpkit.errors import MlpkitError
from mlpkit.registry.registry import RegisteredComponent
from mlpkit.specfile.document import YAML_SUFFIXES
from mlpkit.specfile.key_types import FORMAT, FormatType, LayerPatternType, MonitorNameType
from mlpkit.specfile.sections import EXTENDS, STACK_KINDS, LayerStackType
from mlpkit.specfile.variables import VARS
from mlpkit.specfile.yaml_writer import to_inline_key, to_inline_yaml
from mlpkit.verbs.lsp.grammar import Kind, alternatives, items_of, schema_of_keys
from mlpkit.verbs.lsp.open_spec import MARK, Cursor, OpenSpec, offset_of, span_range, value_at

HERE: Final = "$1"
"""Where a snippet leaves the cursor."""


class Offer(NamedTuple):
    """Something to complete: the label is what an editor lists, and what to write unless there is another text."""

    label: str
    icon: Icon
    text: str = ""
    about: str = ""
    deprecated: bool = False


def completions(spec: OpenSpec, params: types.CompletionParams) -> list[types.CompletionItem]:
    """Return what fits at the cursor; the editor shows what starts with the word there."""
    cursor = spec.cursor(params.position)
    if cursor is None:
        return []
    end = offset_of(spec.text, params.position, spec.codec)
    word = span_range(spec.text, end - len(cursor.before), end, spec.codec)
    offers = {offer.label: offer for offer in _Offers(spec, cursor).all()}
    return [_item(offer, word, spec.snippets, place) for place, offer in enumerate(offers.values())]


def _item(offer: Offer, word: types.Range, snippets: bool, place: int) -> types.CompletionItem:
    text = offer.text or offer.label
    is_snippet = snippets and HERE in text
    return types.CompletionItem(
        offer.label,
        kind=offer.icon,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, offer.about) if offer.about else None,
        tags=[types.CompletionItemTag.Deprecated] if offer.deprecated else None,
        sort_text=f"{place:05}",
        filter_text=offer.label,
        insert_text_format=types.InsertTextFormat.Snippet if is_snippet else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(word, text if is_snippet else text.replace(HERE, "")),
    )


class _Offers:
    """What fits at a place of a spec."""

    def __init__(self, spec: OpenSpec, cursor: Cursor) -> None:
        self.spec, self.cursor, self.grammar = spec, cursor, spec.grammar
        self.colon = "" if cursor.followed else ": "

    def all(self) -> Iterator[Offer]:
        """Yield everything that fits at the cursor."""
        cursor = self.cursor
        if cursor.at_key:
            given = {key for key in cursor.written_at(cursor.path[:-1]) or {} if MARK not in key}
            for kind in self.grammar.kinds_at(cursor.path[:-1]):
                yield from (offer for offer in self._keys(kind, alone=not given) if offer.label not in given)
        elif cursor.before.startswith("$"):
            yield from self._variables()
        else:
            for kind in self.grammar.kinds_at(cursor.path):
                yield from self._values(kind)
                if cursor.fresh:
                    yield from self._keys(kind, alone=False)

    def _keys(self, kind: Kind, *, alone: bool) -> Iterator[Offer]:
        """Yield the keys that a mapping may have; a component must be alone in its mapping."""
        schema = schema_of_keys(kind)
        if schema is not None:
            for field in schema.fields:
                has_lines = self.cursor.fresh and any(isinstance(k, SectionType) for k in alternatives(field.type))
                about = schema.docstring.parameters.get(field.name, "")
                text = field.name + (self.colon.rstrip() if has_lines else self.colon)
                yield Offer(field.name, Icon.Property, text, about)
        if isinstance(kind, RegisteredComponent) and kind.kind in STACK_KINDS:
            yield Offer("name", Icon.Property, f"name{self.colon}", "the layer's name.")
        if isinstance(kind, ComponentOfKind) and alone:
            yield from self._components(kind)
        if isinstance(kind, LayerStackType) and self.cursor.written_at((EXTENDS,)):
            yield from (Offer(name, Icon.Property, f"{name}{self.colon}") for name in self.grammar.layers)
        if isinstance(kind, MappingType):
            for name in self._names(kind.keys):
                yield Offer(name, Icon.Field, (name if self.cursor.quoted else to_inline_key(name)) + self.colon)

    def _values(self, kind: Kind) -> Iterator[Offer]:
        """Yield the values of a type, if they can be listed."""
        if isinstance(kind, ComponentOfKind):
            yield from self._components(kind)
        elif isinstance(kind, TextType):
            for name in self._names(kind):
                quoted = name if self.cursor.quoted else to_inline_yaml(name)
                yield Offer(name, Icon.File if isinstance(kind, PathType) else Icon.Field, quoted)
        elif isinstance(kind, ChoiceType | BooleanType | NullType | FormatType):
            literals = {BooleanType: (True, False), NullType: (None,), FormatType: (FORMAT,)}
            for value in kind.choices if isinstance(kind, ChoiceType) else literals[type(kind)]:
                yield Offer(to_inline_yaml(value), Icon.Value)
        elif (items := items_of(kind)) is not None and self.cursor.fresh:
            for inner in alternatives(items):
                yield from (offer._replace(text=f"- {offer.text or offer.label}") for offer in self._values(inner))

    def _components(self, kind: ComponentOfKind) -> Iterator[Offer]:
        for listed in self.spec.registry.components(kind.kinds):
            entry = self.grammar.component(kind, listed.name)
            if entry is None:  # its extra is missing, as `mlpkit plugins` tells
                continue
            required = [field.name for field in entry.schema.fields if field.required]
            text = entry.name
            if self.cursor.at_key:
                text += self.colon
            elif required:
                text += f": {{{required[0]}: {HERE}}}"
                text = text if self.cursor.fresh else f"{{{text}}}"
            about = f"{entry.schema.docstring.summary}\n\nFrom {entry.plugin.label}."
            yield Offer(entry.name, Icon.Class, text, about, deprecated=bool(entry.declaration.deprecated))

    def _names(self, kind: TextType) -> Iterable[str]:
        """Return the names that a text may be."""
        if isinstance(kind, ColumnNameType):
            return self._columns()
        if isinstance(kind, LayerPatternType):
            return filter(None, layer_names(self._list("layers")))
        if isinstance(kind, MonitorNameType):
            metrics = self._list("training", "metrics")
            return ["loss", *(str(next(iter(each), "")) if isinstance(each, dict) else str(each) for each in metrics)]
        if isinstance(kind, PathType) or self.cursor.path == (EXTENDS,):
            return self._files(() if isinstance(kind, PathType) else YAML_SUFFIXES)
        return ()

    def _list(self, *path: str) -> list[Any]:
        """Return a list of the spec; if it isn't written here, from the last text that could be read."""
        return next((each for each in self._written_or_known(path) if isinstance(each, list)), [])

    def _written_or_known(self, path: KeyPath) -> tuple[Any, Any]:
        """Return a value as written here, and as in the last text that could be read, with all that it extends."""
        return self.cursor.written_at(path), value_at(self.spec.document and self.spec.document.values, path)

    def _columns(self) -> Iterable[str]:
        """Return the columns of the data set whose parameter is at the cursor."""
        paths = (self.cursor.path[:end] for end in range(1, len(self.cursor.path)))
        kinds = ((kind, path) for path in paths for kind in self.grammar.kinds_at(path))
        return next((self._columns_of(kind, path) for kind, path in kinds if isinstance(kind, RegisteredComponent)), ())

    def _columns_of(self, dataset: RegisteredComponent, path: KeyPath) -> Iterable[str]:
        written, known = self._written_or_known(path)
        given = dict(known) if isinstance(known, dict) else {}
        given |= {name: value for name, value in written.items() if "$" not in str(value)}
        folder, kinds = self.spec.path.parent, dataset.schema.types
        context = CheckContext(self.spec.registry.resolve, lambda _: folder)
        checked = {name: kinds[name].check(value, (name,), context) for name, value in given.items() if name in kinds}
        right = {name: value for name, value in checked.items() if value is not INVALID}
        try:
            return dataset.component.table_columns(right)  # type: ignore[attr-defined,no-any-return]
        except MlpkitError:  # a file that can't be read is a problem that the check reports
            return ()

    def _files(self, suffixes: tuple[str, ...]) -> Iterator[str]:
        """Yield the files in the folder that is written so far, folders with a slash."""
        before, slash, _ = self.cursor.before.rpartition("/")
        try:
            entries = sorted(Path(self.spec.path.parent, before + slash).iterdir())
        except OSError:
            return
        for entry in entries:
            if not entry.name.startswith(".") and (entry.is_dir() or not suffixes or entry.suffix in suffixes):
                yield f"{before}{slash}{entry.name}{'/' if entry.is_dir() else ''}"

    def _variables(self) -> Iterator[Offer]:
        written = self.cursor.written_at((VARS,))
        inherited = self.spec.document.variables if self.spec.document else {}
        for name, value in (inherited | (written if isinstance(written, dict) else {})).items():
            yield Offer(f"${name}", Icon.Variable, about=to_inline_yaml(value))

"""From a file to a document: reading it and those it extends, setting overrides, putting in variables."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mlpkit.components.schema.context import Problem, show
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.wording import nearest_file
from mlpkit.errors import Diagnostic, Fix
from mlpkit.registry.registry import Registry
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, ValueOrigin, copied, count, plain
from mlpkit.specfile.python_spec import node_of_spec
from mlpkit.specfile.sections import EXTENDS
from mlpkit.specfile.source import (
    COLON_WITHOUT_SPACE,
    LARGEST_TEXT,
    MOST_LINES,
    MOST_VALUES,
    DiagnosticList,
    SourceText,
    Span,
    shown,
)
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.specfile.variables import VARS, substitute
from mlpkit.specfile.yaml_writer import to_yaml
from mlpkit.system import is_regular

if TYPE_CHECKING:
    from mlpkit.specfile.overrides import Overrides

Texts: TypeAlias = "Mapping[str, str]"
"""Texts that replace the content of files, such as unsaved ones in an editor, by absolute path."""

FROM_DISK: Final[Texts] = MappingProxyType({})

WHAT_TO_WRITE: Final = "'mlpkit init' writes a spec to start from"
KEEP_DATA_ELSEWHERE: Final = "keep data in separate files"
YAML_SUFFIXES: Final = (".yaml", ".yml")
BYTE_ORDER_MARK: Final = "\ufeff"
BEYOND_COMMENTS: Final = re.compile(r"(?:\A|[\r\n])[ \t]*[^ \t\r\n#]")
"""The first line that is neither blank nor a comment."""


def read_text(
    path: Path,
    faults: DiagnosticList,
    *,
    order: int = 0,
    notes: tuple[str, ...] = (),
    asked_at: Span | None = None,
    texts: Texts = FROM_DISK,
) -> SourceText | None:
    """Return the text of a file, or None after reporting why it can't be read, at ``asked_at`` if another names it.

    The notes tell how the spec came to this file.
    """
    name = shown(str(path))
    start = Span(SourceText(name, "", order, notes), 0, 0)
    unreadable = partial(faults.report, code="unreadable-file")
    content: bytes | None
    if (text := texts.get(os.path.normpath(Path.cwd() / path)) if texts else None) is not None:
        content = text.encode("utf-8", "surrogatepass")
    else:
        content = _read_bytes(path, faults, asked_at or start, follows=asked_at is not None)
    if content is None:
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = SourceText(name, content.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK), order, notes)
        character = len(content[: error.start].decode("utf-8").removeprefix(BYTE_ORDER_MARK))
        place = Span(whole, character, character + 1)
        unreadable(place, f"byte {error.start} is not UTF-8", remedy="save the file as UTF-8")
        return None
    # The resolved spec of a run names files as seen from where the run was started.
    of_a_run = path.name == "resolved.yaml" and path.with_name("lock.json").exists()
    folder = None if of_a_run else path.parent
    source = SourceText(name, text.removeprefix(BYTE_ORDER_MARK), order, notes, folder=folder)
    return source if holds_something(source, faults) else None


def holds_something(source: SourceText, faults: DiagnosticList) -> bool:
    """Whether a text has more than comments and is not too large; if not, that is reported."""
    start = Span(source, 0, 0)
    if len(source.text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        _report_size(source.name, start, faults)
    elif source.line_number(len(source.text) - 1) > MOST_LINES:
        message = f"'{source.name}' has more than {MOST_LINES:,} lines"
        faults.report(start, message, remedy=KEEP_DATA_ELSEWHERE, code="too-large")
    elif not source.text.strip() or not BEYOND_COMMENTS.search(source.text):
        what = "holds nothing but comments" if source.text.strip() else "is empty"
        faults.report(start, f"this spec {what}", remedy=WHAT_TO_WRITE, code="missing-key")
    else:
        return True
    return False


def _read_bytes(path: Path, faults: DiagnosticList, place: Span, *, follows: bool) -> bytes | None:
    """Return the content of a file, or None after reporting at a place why it can't be read.

    A file that another one names, which ``follows`` it, must be a regular one.
    """
    name, unreadable = shown(str(path)), partial(faults.report, place, code="unreadable-file")
    try:
        if follows and not (is_regular(path) or path.is_dir()):  # a pipe or a terminal would keep its reader waiting
            unreadable(f"'{name}' is not a regular file", expected="a YAML file")
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT + len(codecs.BOM_UTF8) + 1)
        if len(content.removeprefix(codecs.BOM_UTF8)) <= LARGEST_TEXT:
            return content
        _report_size(name, place, faults)
    except FileNotFoundError:
        _report_missing(path, faults, place)
    except IsADirectoryError:
        unreadable(f"'{name}' is a folder", expected="a YAML file")
    except OSError as error:
        unreadable(f"'{name}' can't be read: {error.strerror or error}")
    except ValueError as error:  # a NUL in the name
        unreadable(f"{str(path)!r} can't be the name of a file: {error}")
    return None


def _report_size(name: str, place: Span, faults: DiagnosticList) -> None:
    mebibytes = LARGEST_TEXT // 1024**2
    faults.report(place, f"'{name}' is larger than {mebibytes} MiB", remedy=KEEP_DATA_ELSEWHERE, code="too-large")


def _report_missing(path: Path, faults: DiagnosticList, place: Span) -> None:
    folder = path.parent
    if not folder.is_dir():
        faults.report(place, f"there is no folder '{shown(str(folder))}'", code="missing-file")
        return
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in YAML_SUFFIXES)
    except OSError:  # a folder that can't be listed has nothing to suggest
        names = []
    found = nearest_file(path.name, names)
    remedy = f"did you mean '{shown(str(folder / found))}'?" if found else ""
    faults.report(place, f"there is no file '{shown(str(path))}'", remedy=remedy, code="missing-file")


def read_with_bases(
    root: MappingNode, path: Path | None, faults: DiagnosticList, texts: Texts = FROM_DISK
) -> list[MappingNode] | None:
    """Return a spec and those it extends, each merged over all that it extends; None if one can't be read whole.

    A spec without a path can't extend others.
    """
    specs: list[MappingNode] = []
    chain = [path] if path else []
    links: list[str] = []
    values = 0
    while True:
        values += count(root)
        if values > MOST_VALUES:
            message = f"with the files it extends, the spec holds more than {MOST_VALUES:,} values"
            faults.report(root.origin.place, message, code="too-large")
            return None
        specs.append(root)
        entry = root.entries.pop(EXTENDS, None)
        if entry is None:
            break
        base = _base_path(entry, chain, faults)
        if base is None:
            return None
        notes = (f"{entry.key.place} extends this file", *links)
        place = entry.node.origin.place
        read = read_text(base, faults, order=len(specs), notes=notes, asked_at=place, texts=texts)
        extended = read_mapping(read, faults) if read else None
        if extended is None:
            return None
        root = extended
        chain.append(base)
        links.insert(0, f"{entry.key.place} extends {base}")
    if len(specs) == 1:
        return specs
    from mlpkit.specfile.merging import merge  # noqa: PLC0415 - most specs extend none

    return [*accumulate(reversed(specs), lambda base, child: merge(base, child, faults))][::-1]


def read_mapping(source: SourceText, faults: DiagnosticList) -> MappingNode | None:
    """Return a spec as written, or None after reporting why it can't be read or is not a mapping."""
    node = parse_yaml(source, faults)
    if node is not None and not isinstance(node, MappingNode):
        place = node.origin.place
        squeezed = COLON_WITHOUT_SPACE.match(source.line(place.line))
        remedy = "write a space after ':'" if squeezed else ""
        start, end = place.start, source.line_starts[place.line - 1] + squeezed.end(1) if squeezed else place.start
        fix = Fix(source.text[start:end], f"{source.text[start:end]} ") if squeezed else None
        message = f"a spec is a mapping, not {show(plain(node))}"
        faults.report(place, message, expected="lines such as 'seed: 0'", remedy=remedy, code="wrong-type", fix=fix)
        return None
    return node


def _base_path(entry: Entry, chain: list[Path], faults: DiagnosticList) -> Path | None:
    """Return the file that ``extends`` names, or None if it can't be followed."""
    node, report = entry.node, partial(faults.report, code="wrong-extends")
    place, value = node.origin.place, node.value if isinstance(node, ScalarNode) else None
    if not chain:
        return report(entry.key.place, "a spec that was not read from a file can't extend others")
    if not isinstance(value, str) or not value:
        return report(place, f"{show(plain(node))} is not the name of a file", expected="extends: other.yaml")
    if "$" in value:
        return report(place, "variables can't be used in extends", expected="extends: other.yaml")
    base = chain[-1].parent / value
    same = [index for index, earlier in enumerate(chain) if _is_same_file(earlier, base)]
    if same:
        circle = " -> ".join(str(path) for path in (*chain[same[0] :], chain[same[0]]))
        return report(place, f"specs extend each other in a circle: {circle}", remedy="remove one extends")
    return base


def _is_same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one that can't be looked at will be reported when it is read
        return False


@dataclass
class Document:
    """A spec after ``extends``, overrides and variables, before anything is known of its meaning.

    Args:
        path: the spec's file, as given.
        written: its text as written; None if it comes from Python.
        values: its content as plain data, without ``extends`` and ``vars``.
        variables: the values of its variables, as plain data.
        tree: the same with origins, ``vars`` included.
        with_names: the tree before variables were put in.
        stages: the same as each file makes it with those that it extends, without overrides; the spec's own is first.
    """

    path: Path
    written: str | None
    values: dict[str, Any]
    variables: dict[str, Any]
    tree: MappingNode = field(repr=False)
    with_names: MappingNode = field(repr=False)
    stages: Sequence[MappingNode] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """Its text as written; for a spec from Python, its content once variables are put in."""
        return self.written if self.written is not None else to_yaml(self.values)

    def changed(self, change: Callable[[MappingNode, DiagnosticList], None]) -> Document:
        """Return the document after changing a copy of the tree in which variables still have their names."""
        faults = DiagnosticList()
        root = copied(self.with_names)
        assert isinstance(root, MappingNode)
        change(root, faults)
        return _finished(root, self.path, self.written, faults)

    def located(self, fault: Problem) -> Diagnostic:
        """Return a fault with the place of the wrong value, or key, and notes on where that came from."""
        origin = self._origin(fault.path, at_key=fault.at_key)
        return origin.place.fault(
            fault.message,
            expected=fault.expected,
            remedy=fault.remedy,
            notes=(*fault.notes, *origin.notes),
            code=fault.code,
            path=".".join(map(str, fault.path)),
            fix=self._text_fix(fault, origin.place),
        )

    def _text_fix(self, fault: Problem, place: Span) -> Fix | None:
        """Return the change of the text that corrects a fault; None if the right key is there, too."""
        if fault.fix is None:
            return None
        from mlpkit.specfile.fixes import text_fix  # noqa: PLC0415 - only after a mistake

        _, right, rest = self._find((*fault.path[:-1], str(fault.fix.new)))
        is_beside = fault.at_key and right is not None and not rest and right.place.text is place.text
        return None if is_beside else text_fix(place, fault.fix)

    def place(self, path: KeyPath, *, at_key: bool = False) -> Span:
        """Return the place of a value, or of its key.

        What is missing has the place of the nearest thing around it: of its key, if it has one.
        """
        return self._origin(path, at_key=at_key).place

    def has_value(self, path: KeyPath) -> bool:
        """Whether there is a value at a path, or a component by its bare name; what is not there is a default."""
        node, _, rest = self._find(path)
        return not rest or (isinstance(node, ScalarNode) and (node.value,) == rest)

    def origin_notes(self, path: KeyPath) -> tuple[str, ...]:
        """Return whether and from where a value was inherited, substituted or overridden, a line each."""
        origin = self._origin(path, at_key=False)
        return (*origin.notes, *origin.place.text.notes)

    def folder_of(self, path: KeyPath) -> Path | None:
        """Return the folder that a relative path in a value starts from; None for the current folder."""
        origin = self._origin(path, at_key=False)
        return (origin.written or origin.place.text).folder

    def _origin(self, path: KeyPath, *, at_key: bool) -> ValueOrigin:
        node, key, rest = self._find(path)
        if rest:  # a bare name is the key to the missing parameters
            at_key = not isinstance(node, ScalarNode)
        if not at_key:
            return node.origin
        if key is None and path and isinstance(node, MappingNode) and len(node.entries) == 1:
            (entry,) = node.entries.values()  # a list item has no key; a component has its name
            return entry.key
        return key or node.origin

    def _find(self, path: KeyPath) -> tuple[Node, ValueOrigin | None, KeyPath]:
        """Return the value at a path, or the nearest around what is missing; its key; the missing part of the path."""
        node: Node = self.tree
        key: ValueOrigin | None = None
        for i, part in enumerate(path):
            if isinstance(node, MappingNode) and part in node.entries:
                entry = node.entries[str(part)]
                node, key = entry.node, entry.key
            elif isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
                node, key = node.items[part], None
            else:
                return node, key, path[i:]
        return node, key, ()


def read_document(path: str | Path, overrides: Overrides = (), *, texts: Texts = FROM_DISK) -> Document:
    """Read a spec's file and those it extends, set overrides, and put in variables, or raise a ``SpecSyntaxError``."""
    path = Path(path)
    faults = DiagnosticList()
    source = read_text(path, faults, texts=texts)
    root = read_mapping(source, faults) if source else None
    return _document(root, path, path, overrides, faults, source.text if source else "", texts)


def parse_document(text: str, name: str = "<spec>", overrides: Overrides = ()) -> Document:
    """Read a spec that is in memory, such as one from a model file; it can't extend others."""
    faults = DiagnosticList()
    source = SourceText(name, text)
    root = read_mapping(source, faults) if holds_something(source, faults) else None
    return _document(root, Path(name), None, overrides, faults, text)


def document_of(spec: Mapping[str, Any], overrides: Overrides = (), *, registry: Registry | None = None) -> Document:
    """Return the document of a spec that is a mapping in Python; files that it names are relative to the shell.

    The registry names components that were built in Python; without it, a spec can't hold any.
    """
    faults = DiagnosticList()
    root = node_of_spec(spec, faults, registry)
    return _document(root, Path("spec"), Path(), overrides, faults, None)


def _document(
    root: MappingNode | None,
    path: Path,
    file: Path | None,
    overrides: Overrides,
    faults: DiagnosticList,
    text: str | None,
    texts: Texts = FROM_DISK,
) -> Document:
    """Return the document, or raise everything that is wrong with its texts."""
    stages = read_with_bases(root, file, faults, texts) if root else None
    tree = stages[0] if stages else None
    if overrides:
        tree = _overridden(tree, overrides, faults)
    if not tree:  # in half a spec, what is missing would be reported too
        faults.raise_if_any()
    assert stages is not None
    assert tree is not None
    return replace(_finished(tree, path, text, faults), stages=stages)


def _overridden(tree: MappingNode | None, overrides: Overrides, faults: DiagnosticList) -> MappingNode | None:
    """Return a tree with the values of overrides, or None without a tree or if they can't be read."""
    from mlpkit.specfile.overrides import read_overrides, set_overrides  # noqa: PLC0415 - most specs have no overrides

    changes = read_overrides(overrides, faults)
    if tree is None or changes is None:
        return None
    root = copied(tree)
    assert isinstance(root, MappingNode)
    set_overrides(root, changes, faults)
    return root


def _finished(with_names: MappingNode, path: Path, text: str | None, faults: DiagnosticList) -> Document:
    """Return the document of a tree whose variables are still to be put in."""
    tree = substitute(with_names, faults)
    faults.raise_if_any()
    assert tree is not None
    values = plain(tree)
    variables = values.pop(VARS, {})
    return Document(path, text, values, variables, tree, with_names)

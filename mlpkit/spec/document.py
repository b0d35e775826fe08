"""A spec's text as one tree of plain values, in which every value knows where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit.spec.extends import read_with_bases
from mlpkit.spec.faults import FaultList
from mlpkit.spec.nodes import ListNode, MappingNode, Origin, ScalarNode, plain
from mlpkit.spec.overrides import read_overrides
from mlpkit.spec.read_text import holds_something, read_text
from mlpkit.spec.setting import set_overrides
from mlpkit.spec.source import SourceText
from mlpkit.spec.variables import VARS, substitute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.components.schema.fault import Fault
    from mlpkit.components.schema.fault import Path as ValuePath
    from mlpkit.errors import SpecFault
    from mlpkit.spec.nodes import Node
    from mlpkit.spec.source import Place


@dataclass
class Document:
    """A spec after ``extends``, overrides and variables, before anything is known of its meaning.

    Args:
        path: the spec's file, as given.
        text: its text as written.
        values: what it says, as plain data, without ``extends`` and ``vars``.
        variables: the values of its variables, as plain data.
        tree: the same with origins, ``vars`` included.
    """

    path: Path
    text: str
    values: dict[str, Any]
    variables: dict[str, Any]
    tree: MappingNode = field(repr=False)

    def located(self, fault: Fault) -> SpecFault:
        """Return a fault with the place of the wrong value, or key, and notes on where that came from."""
        origin = self._origin(fault.path, at_key=fault.at_key)
        return origin.place.fault(
            fault.message, expected=fault.expected, remedy=fault.remedy, notes=(*fault.notes, *origin.notes)
        )

    def place(self, path: ValuePath, *, at_key: bool = False) -> Place:
        """Return where a value stands, or its key.

        What is missing has the place of the nearest thing around it: of its key, if it has one.

        Args:
            path: keys and indices that lead to the value.
            at_key: whether to return the place of its key.
        """
        return self._origin(path, at_key=at_key).place

    def says(self, path: ValuePath) -> bool:
        """Whether there is a value at a path, or a component by its bare name; what is not there is a default."""
        values: Any = self.values
        for part in path:
            if isinstance(values, list) and isinstance(part, int) and part < len(values):
                values = values[part]
            elif isinstance(values, dict) and part in values:
                values = values[part]
            elif values == part:
                values = None
            else:
                return False
        return True

    def origin_notes(self, path: ValuePath) -> tuple[str, ...]:
        """Return whether and from where a value was inherited, substituted or overridden, a line each."""
        return self._origin(path, at_key=False).all_notes

    def _origin(self, path: ValuePath, *, at_key: bool) -> Origin:
        node: Node = self.tree
        key: Origin | None = None
        for part in path:
            if isinstance(node, MappingNode) and part in node.entries:
                entry = node.entries[str(part)]
                node, key = entry.node, entry.key
            elif isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
                node, key = node.items[part], None
            else:  # something is missing here; a bare name is the key to the parameters it lacks
                at_key = not isinstance(node, ScalarNode)
                break
        if not at_key:
            return node.origin
        if key is None and path and isinstance(node, MappingNode) and len(node.entries) == 1:
            (entry,) = node.entries.values()  # a list item has no key; a component has its name
            return entry.key
        return key or node.origin


def read_document(path: str | Path, overrides: Mapping[str, Any] | Sequence[str] = ()) -> Document:
    """Read a spec's file and those it extends, set overrides, and put in variables.

    Args:
        path: the file.
        overrides: a mapping from dotted keys to Python values, or texts ``KEY=VALUE`` as from ``--set``.

    Raises:
        SpecSyntaxError: a file can't be read, or the text, ``extends``, ``vars`` or an override is wrong.
    """
    path = Path(path)
    faults = FaultList()
    source = read_text(path, faults)
    return _document(source, path, path, overrides, faults)


def parse_document(text: str, name: str = "<spec>", overrides: Mapping[str, Any] | Sequence[str] = ()) -> Document:
    """Read a spec that is in memory, such as one from a model file; it can't extend others.

    Args:
        text: the spec's text.
        name: what stands for it in messages.
        overrides: as for ``read_document``.

    Raises:
        SpecSyntaxError: the text, ``vars`` or an override is wrong.
    """
    faults = FaultList()
    source = SourceText(name, text)
    return _document(source if holds_something(source, faults) else None, Path(name), None, overrides, faults)


def _document(
    source: SourceText | None,
    path: Path,
    file: Path | None,
    overrides: Mapping[str, Any] | Sequence[str],
    faults: FaultList,
) -> Document:
    """Return the document, or raise everything that is wrong with its texts."""
    tree = read_with_bases(source, file, faults) if source else None
    changes = read_overrides(overrides, faults)
    if tree and changes is not None:  # in half a spec, what is missing would be reported too
        set_overrides(tree, changes, faults)
        tree = substitute(tree, faults)
    faults.raise_if_any()
    assert source is not None
    assert tree is not None
    values = plain(tree)
    variables = values.pop(VARS, {})
    return Document(path, source.text, values, variables, tree)

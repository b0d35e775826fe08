"""The little that merging and overriding know of a spec's structure.

A section is a mapping with keys of its own. Everywhere else a value may be a component: a name, or a one-key
mapping from a name to parameters. Inside the parameters each value may be a component again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.containers import EitherType
from mlpkit.components.schema.signature import SectionType
from mlpkit.spec.sections import TOP_LEVEL
from mlpkit.spec.nodes import MappingNode, ScalarNode, is_null

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import ValueType
    from mlpkit.spec.nodes import Node


def _paths(section: ValueType, path: Path = ()) -> Iterator[Path]:
    """Go through the places of a section and of those below it."""
    yield path
    for name, kind in section.signature.types.items():
        inner = kind.alternatives[0] if isinstance(kind, EitherType) else kind
        if isinstance(inner, SectionType):
            yield from _paths(inner, (*path, name))


SECTIONS: Final[frozenset[Path]] = frozenset({("vars",), ("requires",), ("sweep",), *_paths(TOP_LEVEL)})
"""Where sections stand; the spec itself is one."""

COMPONENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def is_section(path: Path) -> bool:
    """Whether a section stands at a path."""
    return path in SECTIONS


def may_be_component(path: Path) -> bool:
    """Whether a component may stand at a path, as far as the structure tells."""
    return path == ("data",) or (len(path) > 1 and path[0] != "requires" and not is_section(path))


def component_of(node: Node) -> tuple[str, MappingNode | None] | None:
    """Return the name and the parameters of what may be a component, or None if it can't be one.

    ``sgd``, ``{sgd: null}`` and ``sgd:`` are the same: a component without parameters.
    """
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and COMPONENT_NAME.fullmatch(node.value):
        return node.value, None
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((name, entry),) = node.entries.items()
        if isinstance(entry.node, MappingNode):
            return name, entry.node
        if is_null(entry.node):
            return name, None
    return None

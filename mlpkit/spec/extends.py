"""Follows ``extends:`` from file to file, and merges what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.value_type import show
from mlpkit.spec.limits import LONGEST_CHAIN, MOST_VALUES
from mlpkit.spec.merging import merge
from mlpkit.spec.nodes import MappingNode, ScalarNode, count, plain
from mlpkit.spec.read_text import read_text
from mlpkit.spec.strict_yaml import parse_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.spec.faults import FaultList
    from mlpkit.spec.nodes import Entry
    from mlpkit.spec.source import SourceText

EXTENDS = "extends"


def read_with_bases(source: SourceText, path: Path | None, faults: FaultList) -> MappingNode | None:
    """Return a spec merged over all those it extends, or None if one of them could not be read whole.

    Args:
        source: the spec's text.
        path: its file; None if it has none, and so can't extend others.
        faults: takes what is wrong.
    """
    specs: list[MappingNode] = []
    chain = [path] if path else []
    links: list[str] = []
    values = 0
    while True:
        root = _read_mapping(source, faults)
        if root is None:
            return None
        values += count(root)
        if values > MOST_VALUES:
            message = f"with the files it extends, the spec holds more than {MOST_VALUES:,} values"
            faults.report(root.origin.place, message)
            return None
        specs.append(root)
        entry = root.entries.pop(EXTENDS, None)
        if entry is None:
            break
        base = _base_path(entry, chain, faults)
        if base is None:
            return None
        notes = (f"{entry.key.place} extends this file", *links)
        read = read_text(base, faults, order=len(specs), notes=notes, asked_at=entry.node.origin.place)
        if read is None:
            return None
        source = read
        chain.append(base)
        links.insert(0, f"{entry.key.place} extends {base}")
    merged = specs.pop()
    while specs:
        merged = merge(merged, specs.pop())
    return merged


def _read_mapping(source: SourceText, faults: FaultList) -> MappingNode | None:
    node = parse_yaml(source, faults)
    if node is not None and not isinstance(node, MappingNode):
        from mlpkit.spec.yaml_mistakes import COLON_WITHOUT_SPACE  # noqa: PLC0415 - only after a mistake

        place = node.origin.place
        squeezed = COLON_WITHOUT_SPACE.match(source.line(place.line))
        remedy = "write a space after ':'" if squeezed else ""
        message = f"a spec is a mapping, not {show(plain(node))}"
        faults.report(place, message, expected="lines such as 'seed: 0'", remedy=remedy)
        return None
    return node


def _base_path(entry: Entry, chain: list[Path], faults: FaultList) -> Path | None:
    """Return the file that ``extends`` names, or None if it can't be followed."""
    node, place = entry.node, entry.node.origin.place
    if not chain:
        faults.report(entry.key.place, "a spec that is not in a file of its own can't extend others")
        return None
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.value:
        faults.report(place, f"{show(plain(node))} is not the name of a file", expected="extends: other.yaml")
        return None
    if "$" in node.value:
        faults.report(place, "variables can't be used in extends", expected="extends: other.yaml")
        return None
    base = chain[-1].parent / node.value
    same = [index for index, earlier in enumerate(chain) if _is_same_file(earlier, base)]
    if same:
        circle = " -> ".join(str(path) for path in (*chain[same[0] :], chain[same[0]]))
        faults.report(place, f"specs extend each other in a circle: {circle}", remedy="remove one extends")
        return None
    if len(chain) > LONGEST_CHAIN:
        names = " -> ".join(str(path) for path in chain)
        faults.report(place, f"more than {LONGEST_CHAIN} files extend one another", notes=(f"the files are {names}",))
        return None
    return base


def _is_same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one that can't be looked at will be reported when it is read
        return False

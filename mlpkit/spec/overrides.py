"""Reads overrides: ``KEY=VALUE`` texts, as from ``--set``, or a mapping from keys to Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.schema.value_type import show
from mlpkit.spec.characters import REFUSED
from mlpkit.spec.limits import DEEPEST_NESTING, LARGEST_TEXT, MOST_VALUES
from mlpkit.spec.nodes import count
from mlpkit.spec.python_values import node_of_value, text_of_value
from mlpkit.spec.source import Place, SourceText
from mlpkit.spec.strict_yaml import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.spec.faults import FaultList
    from mlpkit.spec.nodes import Node

FIRST_ORDER = 100
"""Overrides come after all files in the order of texts."""


@dataclass(frozen=True)
class Override:
    """A value to be set.

    Args:
        source: the override as a text.
        keys: the dotted key's parts.
        starts: where in the text each part begins.
        value: what to set.
    """

    source: SourceText
    keys: tuple[str, ...]
    starts: tuple[int, ...]
    value: Node

    def place(self, index: int) -> Place:
        """Return the place of one part of the key."""
        return Place(self.source, self.starts[index], self.starts[index] + len(self.keys[index]))

    def path(self, length: int) -> str:
        """Return the first parts of the key, dotted."""
        return ".".join(self.keys[:length])


def read_overrides(overrides: Mapping[str, Any] | Sequence[str], faults: FaultList) -> list[Override] | None:
    """Return the overrides in their order, or None if one of them could not be read.

    Args:
        overrides: a mapping from dotted keys to Python values, taken as they are; or texts, whose values are
            YAML of one line and may use variables.
        faults: takes what is wrong.
    """
    read: list[Override] = []
    wrong = values = 0
    for override in _each(overrides, faults):
        if override is None:
            wrong += 1
            continue
        read.append(override)
        values += count(override.value)
        if values > MOST_VALUES:
            faults.report(override.place(0), f"overrides can't hold more than {MOST_VALUES:,} values together")
            return None
    return None if wrong else read


def _each(overrides: Mapping[str, Any] | Sequence[str], faults: FaultList) -> Iterator[Override | None]:
    """Go through the overrides, None for one that could not be read."""
    if isinstance(overrides, Mapping):
        for index, (key, value) in enumerate(overrides.items()):
            yield _from_value(key, value, FIRST_ORDER + index, faults)
    else:
        for index, text in enumerate([overrides] if isinstance(overrides, str) else overrides):
            yield _from_text(text, FIRST_ORDER + index, faults)


def _from_text(text: str, order: int, faults: FaultList) -> Override | None:
    source = SourceText("--set", text, order, override=True)
    whole = Place(source, 0, len(text))
    if len(text) > LARGEST_TEXT:
        faults.report(whole, f"an override can't have more than {LARGEST_TEXT:,} characters")
        return None
    if "\n" in text or "\r" in text:
        faults.report(whole, "an override has only one line", expected="KEY=VALUE")
        return None
    key, equals, value = text.partition("=")
    if not equals:
        faults.report(whole, "'=' is missing", expected="KEY=VALUE, such as training.batch_size=128")
        return None
    parts = _parts(source, key, faults)
    start = len(key) + 1
    node = None
    if value.strip() and not value.lstrip().startswith("#"):
        node = parse_yaml(source, faults, start=start)
    else:
        faults.report(Place(source, start, start), "there is no value after '='", remedy="write null or '' for nothing")
    return Override(source, *parts, node) if node is not None and parts else None


def _from_value(key: object, value: object, order: int, faults: FaultList) -> Override | None:
    written = text_of_value(value)
    if not isinstance(key, str):
        source = SourceText("overrides", f"{key!r}={written}", order, override=True)
        faults.report(Place(source, 0, len(repr(key))), f"the key {key!r} is not a string")
        return None
    source = SourceText("overrides", f"{key}={written}", order, override=True)
    parts = _parts(source, key, faults)
    node = node_of_value(value, Place(source, len(key) + 1, len(source.text)), faults)
    return Override(source, *parts, node) if node is not None and parts else None


def _parts(source: SourceText, key: str, faults: FaultList) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """Return the parts of a dotted key and where each begins, or None if it is no key."""
    keys, starts, start = [], [], 0
    for part in key.split("."):
        keys.append(part.strip())
        starts.append(start + len(part) - len(part.lstrip()))
        start += len(part) + 1
    if not all(keys) or "\n" in key or "\r" in key or REFUSED.search(key):
        place = Place(source, 0, len(key))
        faults.report(place, f"{show(key)} is not a key", expected="names with dots between them")
        return None
    if len(keys) > DEEPEST_NESTING:
        place = Place(source, 0, len(key))
        faults.report(place, f"a key with more than {DEEPEST_NESTING} parts leads nowhere")
        return None
    return tuple(keys), tuple(starts)

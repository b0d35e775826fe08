"""Names of layers that mean another layer than where they were written, since the list of layers was replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.component_types import layer_names
from mlpkit.components.schema.context import Problem, show
from mlpkit.specfile.nodes import ListNode, MappingNode, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.components.recipe import KeyPath
    from mlpkit.network.shape_proof import Proof
    from mlpkit.specfile.nodes import Node
    from mlpkit.specfile.source import Span
    from mlpkit.specfile.spec import Spec


CHOOSING: Final = (
    ("training", "freeze"),
    ("training", "rates"),
    ("training", "decays"),
    ("training", "max_weight_norm"),
    ("initialize_from", "layers"),
)
"""The keys that choose layers or parameters by name: lists of patterns, or mappings from them."""


def shifted_names(spec: Spec, proof: Proof) -> list[Problem]:
    """Return a warning for each name that means another layer than it did in the list that is replaced.

    A layer without a name goes by its type and its number, which changes with the layers before it.
    """
    new = _below(spec.document.with_names, ("layers",))
    if not isinstance(new, ListNode) or new.replaces is None:
        return []
    return [problem for problem in (_shift(*pattern, new) for pattern in _patterns(spec)) if problem]


def _patterns(spec: Spec) -> Iterator[tuple[str, KeyPath, Span]]:
    """Yield each name or pattern that chooses layers, and where it is."""
    for place in CHOOSING:
        node = _below(spec.document.with_names, place)
        if isinstance(node, MappingNode):
            yield from ((key, (*place, key), entry.key.place) for key, entry in node.entries.items())
        elif isinstance(node, ListNode):
            yield from ((str(plain(item)), (*place, i), item.origin.place) for i, item in enumerate(node.items))


def _shift(pattern: str, place: KeyPath, span: Span, new: ListNode) -> Problem | None:
    """Return the warning of a name that meant another layer in the list that was there where it is written."""
    old = new
    while old.replaces is not None and _age(old.origin.place) < _age(span):
        old = old.replaces
    name = pattern.partition(".")[0]
    names, names_now = (layer_names(plain(layers)) for layers in (old, new))
    if old is new or name not in names or name not in names_now:
        return None
    from difflib import SequenceMatcher  # noqa: PLC0415 - slow to load, and few specs replace the list of layers

    meant, now = names.index(name), names_now.index(name)
    written, found = ([repr(plain(item)) for item in layers.items] for layers in (old, new))
    blocks = SequenceMatcher(None, written, found, autojunk=False).get_matching_blocks()
    moved = next((meant - block.a + block.b for block in blocks if 0 <= meant - block.a < block.size), now)
    if moved == now:
        return None
    there, here = old.items[meant].origin.place.quoted, new.items[now].origin.place.quoted
    message = f"{show(pattern)} is written for the layer of {there}, which is called {names_now[moved]} now; {name} is"
    remedy = "give the layer a name in both lists, and write that"
    return Problem(place, f"{message} that of {here}", remedy=remedy, at_key=isinstance(place[-1], str))


def _age(place: Span) -> int:
    """Return how many files lie between a place and the spec itself; less for an override."""
    return -1 if place.text.override else place.text.order


def _below(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        entry = node.entries.get(key) if isinstance(node, MappingNode) else None
        node = entry.node if entry else None
    return node

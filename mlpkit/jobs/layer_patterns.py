"""Layers and parameters that a spec chooses by name or by pattern, such as frozen ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from mlpkit.components.operation import Operation, belongs_to, own_parameters
from mlpkit.components.parameter import StepFactors
from mlpkit.components.schema.context import Problem, correction, show
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.network.shape_proof import Proof
from mlpkit.specfile.nodes import ListNode, MappingNode, Node, plain
from mlpkit.specfile.source import Span
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.structure import LayerLists

MOST_PARAMETERS_NAMED: Final = 12


def operations_of(proof: Proof) -> list[Operation]:
    """Return all members of a stack, and the layers inside them."""
    return [operation for member in proof.stack for operation in member.operations()]


def chosen(patterns: Sequence[str], place: KeyPath, proof: Proof) -> tuple[list[str], list[Problem]]:
    """Return the paths of the layers that names, or patterns such as ``Affine*``, match, and faults of the rest."""
    paths = [operation.path for operation in operations_of(proof)]
    found: list[str] = []
    faults: list[Problem] = []
    for i, pattern in enumerate(patterns):
        matching = [pattern] if pattern in paths else [path for path in paths if fnmatchcase(path, pattern)]
        found += matching
        if not matching:
            remedy = did_you_mean(pattern, paths)
            names = ", ".join(member.path for member in proof.stack)
            expected = "" if remedy else f"one of {names}, or a pattern with '*'"
            message, fix = f"no layer is called {show(pattern)}", correction(pattern, paths)
            faults.append(Problem((*place, i), message, expected, remedy, code="unknown-layer", fix=fix))
    return list(dict.fromkeys(found)), faults


def frozen_layers(spec: Spec, proof: Proof) -> tuple[list[str], list[Problem]]:
    """Return the paths of the layers that training leaves unchanged, and what is wrong with ``training.freeze``."""
    place: KeyPath = ("training", "freeze")
    frozen, faults = chosen(spec.training.freeze or (), place, proof)
    trained = _trained(proof, ())
    if not faults and trained and not _trained(proof, frozen):
        message = "every layer with parameters is frozen, so nothing is left to train"
        faults = [Problem(place, message, remedy=f"freeze fewer layers: leave {trained[-1]} to be trained")]
    return frozen, faults


def step_factors(spec: Spec, proof: Proof) -> tuple[dict[str, StepFactors], list[Problem]]:
    """Return the factors of weight decay and learning rate of each parameter, and what is wrong with what sets them.

    Without ``training.rates`` and ``training.decays`` nothing is returned: the layers declare all factors.
    """
    if not (spec.training.rates or spec.training.decays):
        return {}, []
    declared = [parameter for member in proof.stack for parameter in member.declared_parameters()]
    factors = {parameter.path: parameter.factors for parameter in declared}
    faults: list[Problem] = []
    for key, field in (("rates", "rate"), ("decays", "decay")):
        for pattern, factor in (getattr(spec.training, key) or {}).items():
            matching = [path for path in factors if path == pattern or fnmatchcase(path, pattern)]
            factors |= {path: factors[path]._replace(**{field: factor}) for path in matching}
            if not matching:
                faults.append(_no_parameter(pattern, ("training", key, pattern), list(factors)))
    return factors, faults


def max_weight_norm_faults(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is wrong with ``training.max_weight_norm``: patterns that match no parameter."""
    paths = [parameter.path for member in proof.stack for parameter in member.declared_parameters()]
    return [
        _no_parameter(pattern, ("training", "max_weight_norm", pattern), paths)
        for pattern in spec.training.max_weight_norm or {}
        if not any(fnmatchcase(path, pattern) for path in paths)
    ]


def _no_parameter(pattern: str, place: KeyPath, paths: Sequence[str]) -> Problem:
    """Return the fault of a pattern that matches no parameter."""
    of_layer = [path for path in paths if path.startswith(f"{pattern}.")]
    near = () if "*" in pattern else paths  # one parameter is not what a pattern means
    remedy = f"write '{pattern}.*' for all parameters of {pattern}" if of_layer else did_you_mean(pattern, near)
    expected = ""
    if paths and not remedy:
        last = paths[0].rpartition(".")[2]
        expected = f"one of {listed(paths, MOST_PARAMETERS_NAMED)}, or a pattern such as '*.{last}'"
    message = f"no parameter is called {show(pattern)}" if paths else "the network has no parameters"
    fix = None if of_layer else correction(pattern, near)
    return Problem(place, message, expected=expected, remedy=remedy, at_key=True, code="unknown-layer", fix=fix)


def _trained(proof: Proof, frozen: Collection[str]) -> list[str]:
    """Return the paths of the layers whose parameters training changes."""
    having = [operation.path for operation in operations_of(proof) if own_parameters(operation)]
    return [path for path in having if not belongs_to(path, frozen)]


CHOOSING: Final = (
    ("training", "freeze"),
    ("training", "rates"),
    ("training", "decays"),
    ("training", "max_weight_norm"),
    ("initialize_from", "layers"),
)
"""The keys that choose layers or parameters by name: lists of patterns, or mappings from them."""


def shifted_names(spec: Spec, proof: Proof) -> list[Problem]:
    """Return a fault for each name that means another layer than in the spec that it was written for.

    A layer without a name goes by its type and its number, which changes with the layers before it.
    """
    now, faults = LayerLists(spec.document.with_names), []
    layers = now.stack()
    for pattern, place, span in _patterns(spec):
        order = 0 if span.text.override else span.text.order
        if layers is None or order >= len(spec.document.stages):
            continue
        then = LayerLists(spec.document.stages[order])
        written_for = then.stack()
        if written_for is None or (span.text.override and layers.origin.place.text.override):
            continue  # names in overrides mean the layers in overrides
        shift = _shift(pattern.split("."), then, written_for, now, layers)
        if shift:
            meant, called, found, name = shift
            what = f"which is now called {called}" if called else "which is gone"
            message = (
                f"{show(pattern)} was written for the layer at {meant}, {what}; {name} is now the layer at {found}"
            )
            remedy = "give the layer a name, and use that"
            if not span.text.override and order:
                remedy += f"; or write {show(pattern)} in {spec.document.path}, too, for the layer that it means now"
            at_key = isinstance(place[-1], str)
            faults.append(Problem(place, message, remedy=remedy, at_key=at_key, code="shifted-name"))
    return faults


def _patterns(spec: Spec) -> Iterator[tuple[str, KeyPath, Span]]:
    """Yield each name or pattern that chooses layers, and where it is."""
    for place in CHOOSING:
        node = _below(spec.document.tree, place)
        if isinstance(node, MappingNode):
            yield from ((key, (*place, key), entry.key.place) for key, entry in node.entries.items())
        elif isinstance(node, ListNode):
            yield from ((str(plain(item)), (*place, i), item.origin.place) for i, item in enumerate(node.items))


def _shift(
    path: Sequence[str], then: LayerLists, old: ListNode, now: LayerLists, new: ListNode
) -> tuple[str, str, str, str] | None:
    """Return how a path means another layer now: the places of both, what the meant one is called now, and the name.

    None if it means the same. ``old`` is the list of layers with the first name in ``then``, the spec that the path was
    written for; ``new`` is the list in its place in ``now``. What a layer that is gone is called is empty. Places are
    quoted.
    """
    name, *below = path
    names, names_now = then.names(old), now.names(new)
    if name not in names or name not in names_now:
        return None
    meant, means = names.index(name), names_now.index(name)
    kept = _kept(old, new)
    if kept.get(meant) == means:
        inside, inside_now = then.inside(old.items[meant], below), now.inside(new.items[means], below)
        return _shift(inside[1], then, inside[0], now, inside_now[0]) if inside and inside_now else None
    if meant not in kept and means not in kept.values():
        return None
    called = names_now[kept[meant]] if meant in kept else ""
    return old.items[meant].origin.place.quoted, called, new.items[means].origin.place.quoted, name


def _kept(old: ListNode, new: ListNode) -> dict[int, int]:
    """Return where the layers of a list are in a later one: those at the same place of a text, or else equal ones."""
    places = {item.origin.place: i for i, item in enumerate(new.items)}
    found = {i: places[item.origin.place] for i, item in enumerate(old.items) if item.origin.place in places}
    if found:
        return found
    from difflib import SequenceMatcher  # noqa: PLC0415 - a run loads only what it needs

    written, now = ([repr(plain(item)) for item in layers.items] for layers in (old, new))
    blocks = SequenceMatcher(None, written, now, autojunk=False).get_matching_blocks()
    return {block.a + i: block.b + i for block in blocks for i in range(block.size)}


def _below(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        entry = node.entries.get(key) if isinstance(node, MappingNode) else None
        node = entry.node if entry else None
    return node

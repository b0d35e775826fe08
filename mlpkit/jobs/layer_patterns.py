"""Layers and parameters that a spec chooses by name or by pattern, such as frozen ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from mlpkit.components.operation import belongs_to, own_parameters
from mlpkit.components.schema.component_types import layer_names
from mlpkit.components.schema.context import Problem, show
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.specfile.nodes import ListNode, MappingNode, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mlpkit.components.operation import Operation
    from mlpkit.components.parameter import StepFactors
    from mlpkit.components.recipe import KeyPath
    from mlpkit.network.shape_proof import Proof
    from mlpkit.specfile.nodes import Node
    from mlpkit.specfile.source import Span
    from mlpkit.specfile.spec import Spec


MOST_PARAMETERS_NAMED: Final = 12


def operations_of(proof: Proof) -> list[Operation]:
    """Return all members of a stack, and the layers inside them."""
    return [operation for member in proof.stack for operation in member.operations()]


def chosen(patterns: Sequence[str], place: KeyPath, proof: Proof) -> tuple[list[str], list[Problem]]:
    """Return the paths of the layers that are meant, and a fault for each pattern that matches none.

    Args:
        patterns: names, such as ``Affine1`` or ``Residual1.Affine1``, or patterns, such as ``Affine*``.
        place: their place in the spec.
        proof: the proof of the spec's layers.
    """
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
            faults.append(
                Problem(
                    (*place, i),
                    f"no layer is called {show(pattern)}",
                    expected=expected,
                    remedy=remedy,
                    code="unknown-layer",
                )
            )
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
    near = _patterns_like(pattern, paths) if "*" in pattern else paths
    remedy = f"write '{pattern}.*' for all parameters of {pattern}" if of_layer else did_you_mean(pattern, near)
    expected = ""
    if paths and not remedy:
        last = paths[0].rpartition(".")[2]
        expected = f"one of {listed(paths, MOST_PARAMETERS_NAMED)}, or a pattern such as '*.{last}'"
    message = f"no parameter is called {show(pattern)}" if paths else "the network has no parameters"
    return Problem(place, message, expected=expected, remedy=remedy, at_key=True, code="unknown-layer")


def _patterns_like(pattern: str, paths: Sequence[str]) -> set[str]:
    """Return patterns that match parameters: the same below any layer, for other parameters, or for all of a layer."""
    below, _, _ = pattern.rpartition(".")
    steps = [path.split(".") for path in paths]
    names = {last for *_, last in steps}
    found = {f"*.{pattern}", *(f"*.{name}" for name in names), *(f"{below}.{name}" for name in names)}
    for *layers, _ in steps:
        found |= {".".join((*layers[:depth], "*")) for depth in range(1, len(layers) + 1)}
        found |= {f"*.{layer}.*" for layer in layers[1:]}
    return {each for each in found if any(fnmatchcase(path, each) for path in paths)}


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
    """Return a warning for each name that means a different layer than in the replaced list.

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
    from difflib import SequenceMatcher  # noqa: PLC0415 - a run loads only what it needs

    meant, now = names.index(name), names_now.index(name)
    written, found = ([repr(plain(item)) for item in layers.items] for layers in (old, new))
    blocks = SequenceMatcher(None, written, found, autojunk=False).get_matching_blocks()
    moved = next((meant - block.a + block.b for block in blocks if 0 <= meant - block.a < block.size), now)
    if moved == now:
        return None
    there, here = old.items[meant].origin.place.quoted, new.items[now].origin.place.quoted
    message = f"{show(pattern)} was written for the layer at {there}, which is now called {names_now[moved]}; {name} is"
    remedy = "give the layer a name in both lists, and use that"
    return Problem(
        place,
        f"{message} now the layer at {here}",
        remedy=remedy,
        at_key=isinstance(place[-1], str),
        code="unknown-layer",
    )


def _age(place: Span) -> int:
    """Return how many ``extends`` separate a place from the spec itself; less for an override."""
    return -1 if place.text.override else place.text.order


def _below(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        entry = node.entries.get(key) if isinstance(node, MappingNode) else None
        node = entry.node if entry else None
    return node

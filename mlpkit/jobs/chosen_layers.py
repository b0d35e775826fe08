"""Layers and parameters that a spec chooses by name or by pattern, such as those that training leaves as they are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from mlpkit.components.operation import belongs_to, own_parameters
from mlpkit.components.schema.context import Problem, show
from mlpkit.components.schema.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlpkit.components.operation import Operation
    from mlpkit.components.parameter import StepFactors
    from mlpkit.components.recipe import KeyPath
    from mlpkit.network.shape_proof import Proof
    from mlpkit.specfile.spec import Spec


MOST_PARAMETERS_NAMED: Final = 12


def operations_of(proof: Proof) -> list[Operation]:
    """Return all members of a stack, and the layers inside them."""
    return [operation for member in proof.stack for operation in member.operations()]


def chosen(patterns: Sequence[str], place: KeyPath, proof: Proof) -> tuple[list[str], list[Problem]]:
    """Return the paths of the layers that are meant, and a fault for each pattern that matches none.

    Args:
        patterns: names, such as ``Affine1`` or ``Residual1.Affine1``, or patterns, such as ``Affine*``.
        place: where they stand in the spec.
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
            faults.append(Problem((*place, i), f"no layer is called {show(pattern)}", expected=expected, remedy=remedy))
    return list(dict.fromkeys(found)), faults


def frozen_layers(spec: Spec, proof: Proof) -> tuple[list[str], list[Problem]]:
    """Return the paths of the layers that training leaves as they are, and what is wrong with ``training.freeze``.

    Args:
        spec: the spec.
        proof: the proof of its layers.
    """
    place: KeyPath = ("training", "freeze")
    frozen, faults = chosen(spec.training.freeze or (), place, proof)
    trained = _trained(proof, ())
    if not faults and trained and not _trained(proof, frozen):
        message = "every layer that has parameters is frozen, so that nothing is left to train"
        faults = [Problem(place, message, remedy=f"choose fewer layers, and leave {trained[-1]} to be trained")]
    return frozen, faults


def step_factors(spec: Spec, proof: Proof) -> tuple[dict[str, StepFactors], list[Problem]]:
    """Return the factors of weight decay and learning rate of each parameter, and what is wrong with what sets them.

    Without ``training.rates`` and ``training.decays`` the layers declare them all.

    Args:
        spec: the spec.
        proof: the proof of its layers.
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
    """Return what is wrong with ``training.max_weight_norm``: patterns that match no parameter.

    Args:
        spec: the spec.
        proof: the proof of its layers.
    """
    paths = [parameter.path for member in proof.stack for parameter in member.declared_parameters()]
    patterns = spec.training.max_weight_norm or {}
    return [
        _no_parameter(pattern, ("training", "max_weight_norm", pattern), paths)
        for pattern in patterns
        if not any(fnmatchcase(path, pattern) for path in paths)
    ]


def _no_parameter(pattern: str, place: KeyPath, paths: Sequence[str]) -> Problem:
    """Return the fault of a pattern that matches no parameter."""
    of_layer = [path for path in paths if path.startswith(f"{pattern}.")]
    near = _patterns_like(pattern, paths) if "*" in pattern else paths
    remedy = f"write '{pattern}.*' for all parameters of {pattern}" if of_layer else did_you_mean(pattern, near)
    some = f"{', '.join(paths[:MOST_PARAMETERS_NAMED])}{', ...' if len(paths) > MOST_PARAMETERS_NAMED else ''}"
    expected = "" if remedy or not paths else f"one of {some}, or a pattern such as '*.{paths[0].rpartition('.')[2]}'"
    message = f"no parameter is called {show(pattern)}" if paths else "the network has no parameters"
    return Problem(place, message, expected=expected, remedy=remedy, at_key=True)


def _patterns_like(pattern: str, paths: Sequence[str]) -> set[str]:
    """Return patterns that match parameters: the same below any layer, or for other parameters; and those of layers."""
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

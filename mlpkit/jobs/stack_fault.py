"""Where in a spec a layer is that doesn't fit, and what feeds it."""

from __future__ import annotations

import re
from typing import Any, Final

from mlpkit.components.component import recipe_of
from mlpkit.components.dataset import Dataset
from mlpkit.components.operation import Operation, input_shape_of, operations_inside, output_shape_of
from mlpkit.components.recipe import Recipe
from mlpkit.components.schema.context import Correction, Problem
from mlpkit.errors import Code, ParameterError, TargetError, WrongUseError
from mlpkit.jobs.spec_data import from_data
from mlpkit.network.component_errors import component_errors
from mlpkit.network.shape_proof import StackError
from mlpkit.specfile.spec import Spec

PUT_BEFORE: Final = re.compile(r"put ([\w.]+) before it(;.*)?")
"""The advice to put another layer before one, perhaps followed by advice on inputs that other layers made."""


def stack_fault(spec: Spec, error: StackError, dataset: Dataset) -> Problem:
    """Return the fault of a layer that doesn't fit what feeds it, or of a loss that doesn't take the target.

    The data set may know what to do about its target.
    """
    member = spec.layers[error.index]
    cause = error.cause
    message, expected, remedy = str(error), "", ""
    code: Code = "wrong-shape"
    if isinstance(cause, WrongUseError):
        message, expected, remedy, code = cause.message, cause.expected, cause.remedy, cause.code
    if isinstance(cause, TargetError):
        notes = [f"the target comes {from_data(spec)}"]
        if not remedy:
            with component_errors(f"dataset {spec.data.name} failed in target_remedy"):
                remedy = dataset.target_remedy()
    elif error.operation is error.member:
        notes = [_fed_by(spec, error, "its inputs"), *_producer_origins(spec, error)]
    else:
        notes = _notes_inside(spec, error)
    fix = None
    if error.operation is error.member and (put := PUT_BEFORE.fullmatch(remedy)) and spec.registry.provides(put[1]):
        fix = Correction(None, put[1]) if error.producer < 0 or not put[2] else None
    place = member.recipe.place
    if error.operation is not None:
        recipe = recipe_of(error.operation)
        place = recipe.place if recipe else place
        if recipe and isinstance(cause, ParameterError) and cause.parameter.partition(".")[0] in recipe.arguments:
            place = (*place, *(int(part) if part.isdigit() else part for part in cause.parameter.split(".")))
        notes += [note for child in operations_inside(error.operation) for note in _origins(spec, recipe_of(child))]
    return Problem(place, message, expected, remedy, at_key=True, notes=tuple(notes), code=code, fix=fix)


def _fed_by(spec: Spec, error: StackError, inputs: str) -> str:
    """Return what feeds the member of the stack that doesn't fit, or that holds the layer which doesn't."""
    if error.producer < 0:
        return f"{inputs}, of shape {error.input_shape}, come {from_data(spec)}"
    before = spec.layers[error.producer]
    return f"{inputs}, of shape {error.input_shape}, come from {before.name} at {spec.document.place(before.path)}"


def _producer_origins(spec: Spec, error: StackError) -> list[str]:
    return _origins(spec, spec.data if error.producer < 0 else spec.layers[error.producer].recipe)


def _notes_inside(spec: Spec, error: StackError) -> list[str]:
    """Return what feeds a layer inside another, where that doesn't depend on what the other does."""
    layer, member = error.operation, error.member
    assert layer is not None
    assert member is not None
    holder = next(operation for operation in member.operations() if layer in operations_inside(operation))
    siblings = operations_inside(holder)
    notes = [f"{holder.path}{_at(spec, holder)} gives it inputs of shape {input_shape_of(layer)}"]
    origins = _producer_origins(spec, error)
    before = siblings[siblings.index(layer) - 1] if layer is not siblings[0] else None
    if before is not None and _feeds(before, layer):
        notes.append(f"{before.path}{_at(spec, before)}, before it, returns shape {output_shape_of(before)}")
        origins = _origins(spec, recipe_of(before))
    elif holder is member:
        notes.append(_fed_by(spec, error, f"the inputs of {member.path}"))
    return [*notes, *origins]


def _feeds(before: Operation, layer: Operation) -> bool:
    """Whether a layer inside another takes what the one listed before it returns, and isn't in another branch."""
    branches = [operation.path.rpartition(".")[0] for operation in (before, layer)]
    return branches[0] == branches[1] and output_shape_of(before) == input_shape_of(layer)


def _at(spec: Spec, operation: Operation) -> str:
    recipe = recipe_of(operation)
    return f" at {spec.document.place(recipe.place, at_key=True)}" if recipe else ""


def _origins(spec: Spec, recipe: Recipe[Any] | None) -> list[str]:
    """Return where parameters of a component come from that are inherited, substituted or overridden."""
    places = [(*recipe.place, key) for key in recipe.arguments] if recipe else []
    return list(dict.fromkeys(note for place in places for note in spec.document.origin_notes(place)))

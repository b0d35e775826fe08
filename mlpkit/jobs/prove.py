"""The proof of a spec before its data is opened: its layers fit each other and the data, and so do all other keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import prod
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.component import recipe_of
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.input_columns import InputShape, columns_of
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Operation, input_shape_of, operations_inside, output_shape_of
from mlpkit.components.parameter import StepFactors
from mlpkit.components.schema.context import Correction, Problem
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.wording import memory_size
from mlpkit.components.target import Target
from mlpkit.errors import Code, Diagnostic, ParameterError, SpecSchemaError, SpecShapeError, TargetError, WrongUseError
from mlpkit.jobs.layer_patterns import frozen_layers, max_weight_norm_faults, shifted_names, step_factors
from mlpkit.jobs.schedules import schedule_faults
from mlpkit.jobs.spec_data import data_warnings, describe_data, filled_in, from_data
from mlpkit.lazy_names import load
from mlpkit.network.arguments import takes_no_weights
from mlpkit.network.component_errors import check_returned, component_errors, operation_errors
from mlpkit.network.contexts import rounding_contexts
from mlpkit.network.shape_proof import Adjustments, Proof, StackError, adjusted, coupled_by_slices, prove_shapes
from mlpkit.specfile.spec import Spec
from mlpkit.system import memory_limit
from mlpkit.training.minibatches import Examples

if TYPE_CHECKING:
    from mlpkit.jobs.first_weights import FirstWeights


FIRST_WEIGHTS: Final = "mlpkit.jobs.first_weights:first_weights"
"""Returns the weights that a spec takes from another run, and what of them doesn't fit; most specs take none."""

TEACHER: Final = "mlpkit.verbs.distill.teacher:teacher_of"
"""Returns the teacher that a spec names, and what of it doesn't fit; called with the spec, its data, and its shapes."""


class SpecProof(NamedTuple):
    """What is known of a spec before its data is opened.

    Args:
        spec: the spec, with what it leaves to the data filled in.
        dataset: the data, described.
        description: shapes and sizes of the data.
        proof: shapes of the layers.
        first_weights: the weights of another run with which the network starts; None for the initializers'.
        frozen: the layers that training leaves unchanged.
        factors: what weight decay and learning rate are multiplied by, by parameter.
        warnings: what the data set warns about, and what is most likely not meant.
        teacher: mixes a teacher's predictions into the targets of the training split; None without one.
    """

    spec: Spec
    dataset: Dataset
    description: Description
    proof: Proof
    first_weights: FirstWeights | None = None
    frozen: Sequence[str] = ()
    factors: Mapping[str, StepFactors] = MappingProxyType({})
    warnings: tuple[Diagnostic, ...] = ()
    teacher: Callable[[Split], Examples] | None = None

    @property
    def memory(self) -> int:
        """The bytes that training needs at least."""
        return sum(training_memory(self.spec, self.proof))


def prove(spec: Spec, dataset: Dataset | None = None, *, begun: bool = False) -> SpecProof:
    """Prove that the layers of a spec, its other keys, first weights and data fit each other, or raise ``SpecError``.

    ``dataset`` is its data set, if it holds examples in memory. A training that has ``begun`` before needs no first
    weights.
    """
    _require_own_files(spec)
    dataset = dataset or spec.new_dataset()
    description = describe_data(spec, dataset)
    warnings = data_warnings(spec, dataset)
    spec, faults = filled_in(spec, dataset, description)
    try:
        proof = prove_layers(spec, InputShape(description.input_shape, description.columns), description.target)
    except StackError as error:
        if isinstance(error.cause, TargetError) or not faults:  # the loss doesn't take the target, whatever it gets
            faults = [stack_fault(spec, error, dataset)]
        faults += [fault for check in CHECKS_OF_DATA for fault in check(spec, description)]
        raise spec.error(SpecShapeError, faults + weights_not_taken(spec, description, None), warnings) from None
    takes_weights = spec.top_level.initialize_from is not None and not begun
    first_weights, of_weights = load(FIRST_WEIGHTS)(spec, proof) if takes_weights else (None, [])
    frozen, of_frozen = frozen_layers(spec, proof)
    factors, of_factors = step_factors(spec, proof)
    teacher, of_teacher = load(TEACHER)(spec, dataset, description) if spec.training.teacher else (None, [])
    faults += of_weights + of_frozen + of_factors + of_teacher + weights_not_taken(spec, description, proof.loss)
    faults += [fault for check in CHECKS_OF_DATA for fault in check(spec, description)]
    faults += [fault for check in CHECKS for fault in check(spec, proof)]
    if spec.coverage is not None:
        faults += load("mlpkit.jobs.held_out:coverage_faults")(spec, dataset, description, proof)
    if faults:
        raise spec.error(SpecShapeError, faults, warnings)
    warnings += tuple(warning for check in LIKELY_MISTAKES for warning in spec.located(check(spec, proof)))
    proof = with_adjustments(spec, proof)
    return SpecProof(spec, dataset, description, proof, first_weights, frozen, factors, warnings, teacher)


def prove_layers(spec: Spec, input_shape: tuple[int, ...], target: Target | None) -> Proof:
    """Build the layers of a spec, and prove that they fit each other, inputs and target, or raise ``StackError``."""
    stack = [member.recipe() for member in spec.layers]
    names = [member.name for member in spec.layers]
    return prove_shapes(stack, names, input_shape, target, np.dtype(spec.dtype), create=spec.registry.create)


def with_adjustments(spec: Spec, proof: Proof) -> Proof:
    """Return the proof of a network with what adjusts its predictions once training is over."""
    if (spec.calibration is None and spec.coverage is None) or proof.target is None:
        return proof
    calibration = None if spec.calibration is None else spec.calibration()
    coverage = None if spec.coverage is None else load("mlpkit.network.coverage:Coverage")(spec.coverage, proof.loss)
    return adjusted(proof, Adjustments(calibration, coverage), np.dtype(spec.dtype))


def too_few_examples(spec: Spec, description: Description) -> list[Problem]:
    """Check that the data has as many examples as a step takes."""
    training, examples = spec.training, description.sizes["train"]
    rows = training.batch_size * training.accumulate
    if rows <= examples:
        return []
    key, what = "batch_size", f"a minibatch of {training.batch_size}"
    if training.batch_size <= examples:
        key, what = "accumulate", f"a step of {training.accumulate} minibatches, {rows} examples,"
    expected = f"at most {examples}, the training examples of {spec.data.name}"
    return [
        Problem(("training", key), f"{what} is larger than the training data", expected=expected, code="out-of-range")
    ]


def misfits(spec: Spec, description: Description) -> list[Problem]:
    """Check that the augmentations can change the inputs, and the metrics judge predictions of the target."""
    faults, target = [], description.target
    note = f"the inputs, of shape {description.input_shape}, come {from_data(spec)}"
    for i, augmentation in enumerate(spec.training.augment):
        place = ("training", "augment", i)
        faults += _misfit(place, augmentation, "expect_inputs", description.input_shape, note)
    note = f"the target, {target}, comes {from_data(spec)}"
    for i, metric in enumerate(spec.training.metrics):
        faults += _misfit(("training", "metrics", i), metric, "expect_target", target, note)
    return faults


def unfit_adjustments(spec: Spec, description: Description) -> list[Problem]:
    """Check that what adjusts predictions after training takes the target, and has rows that it can be fitted on."""
    if spec.calibration is None:
        return []
    note = f"the target, {description.target}, comes {from_data(spec)}"
    faults = _misfit(("calibration",), spec.calibration, "build", description.target, note)
    if spec.folds is None and not description.sizes.get("validation"):
        message = f"calibration is fitted on rows for validation, and {spec.data.name} has none"
        remedy = "give it some, with its parameter validation, or leave out calibration"
        faults.append(Problem(("calibration",), message, remedy=remedy, at_key=True, code="missing-key"))
    return faults


def _misfit(place: KeyPath, recipe: Recipe[Any], method: str, given: object, note: str) -> list[Problem]:
    """Return the fault of a component whose method refuses what it is given, with a note on that."""
    path = (*place, recipe.name)
    code: Code = "broken-plugin"
    try:
        getattr(recipe(), method)(given)
    except WrongUseError as error:
        message, expected, remedy, code = error.message, error.expected, error.remedy, error.code
        if isinstance(error, ParameterError) and error.parameter in recipe.arguments:
            path = (*path, error.parameter)
    except Exception as error:  # whatever an author's method raises becomes an error at the component's place
        message, expected, remedy = f"{method} raised {type(error).__name__}: {error}", "", ""
    else:
        return []
    at_key = len(path) == len(place) + 1
    return [Problem(path, message, expected, remedy, at_key=at_key, notes=(note,), code=code)]


def not_compared(spec: Spec, proof: Proof) -> list[Problem]:
    """Check that the loss predicts what each metric compares with targets: one number, or an interval."""
    if not spec.training.metrics:
        return []
    loss = proof.loss
    with operation_errors(loss, "prediction_names"):
        names = loss.prediction_names()
    methods = {"interval": "interval_prediction"} | ({"point": "point_prediction"} if names else {})
    example = np.zeros((1, len(names or ("",))), loss.dtype)
    faults = []
    for i, metric in enumerate(spec.training.metrics):
        sees = metric.component.sees
        if sees not in methods:
            continue
        try:
            with operation_errors(loss, methods[sees]):
                getattr(loss, methods[sees])(example)
        except WrongUseError as error:
            compared = "an interval" if sees == "interval" else "one prediction"
            message = f"{metric.name} compares {compared} with each target: {error.message}"
            remedy = f"{error.remedy}, or leave out {metric.name}" if error.remedy else f"leave out {metric.name}"
            place = ("training", "metrics", i, metric.name)
            faults.append(Problem(place, message, error.expected, remedy, at_key=True, code="wrong-target"))
    return faults


def not_averaged(spec: Spec, proof: Proof) -> list[Problem]:
    """Check that the loss of predictions is known, for a mean of several and for calibrated ones."""
    key = "ensemble" if spec.ensemble is not None else "calibration" if spec.calibration is not None else ""
    if not key or proof.loss.can_be_averaged:
        return []
    recipe = recipe_of(_innermost(proof.loss, lambda each: each.can_be_averaged)) or spec.layers[-1].recipe
    lacking = "its class has a predict, but neither inputs_for nor prediction_loss"
    message = f"{recipe.name} can't be the loss of {'an ensemble' if key == 'ensemble' else key}: {lacking}"
    return [Problem(recipe.place, message, remedy=f"use another loss, or leave out {key}", at_key=True)]


def weights_not_taken(spec: Spec, description: Description, loss: Loss | None) -> list[Problem]:
    """Check that the loss, which is None if it couldn't be built, and the metrics take weights."""
    if not description.weighted:
        return []
    note = f"the weights of the examples come {from_data(spec)}"
    refusing = [_recipe_without_weights(spec, loss)]
    refusing += [metric for metric in spec.training.metrics if not metric.component.takes_weights]
    faults = []
    for recipe in filter(None, refusing):
        message, remedy = takes_no_weights(recipe.name, recipe.component)
        faults.append(Problem(recipe.place, message, remedy=remedy, at_key=True, notes=(note,)))
    return faults


def _recipe_without_weights(spec: Spec, loss: Loss | None) -> Recipe[Any] | None:
    """Return the recipe of the loss, or of the one inside it, that doesn't take weights; None if all do."""
    outermost: Recipe[Any] = spec.layers[-1].recipe
    if loss is None:
        return None if outermost.component.takes_weights else outermost
    if loss.takes_weights:
        return None
    return recipe_of(_innermost(loss, lambda each: each.takes_weights)) or outermost


def _innermost(loss: Loss, suits: Callable[[Loss], bool]) -> Loss:
    """Return the loss farthest inside another that doesn't suit, as those around it don't because of it."""
    while inside := [each for each in operations_inside(loss) if isinstance(each, Loss) and not suits(each)]:
        loss = inside[0]
    return loss


def slices_couple_examples(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is most likely not meant by slices, where examples of a minibatch affect each other."""
    message = coupled_by_slices(proof.stack, spec.training.slices or 1, frozen_layers(spec, proof)[0])
    remedy = "leave out slices, unless that is intended"
    return [Problem(("training", "slices"), message, remedy=remedy)] if message else []


def decays_change_nothing(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is most likely not meant by factors of the weight decay, where nothing decays."""
    optimizer = spec.training.optimizer
    if not spec.training.decays or optimizer().uses_decay:
        return []
    message = f"decays has no effect: {optimizer.name} has no weight decay here"
    remedy = "leave out decays, or choose an optimizer with weight decay and give it one"
    return [Problem(("training", "decays"), message, remedy=remedy, at_key=True)]


def indices_count_as_numbers(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is most likely not meant by indices of categories, if no layer looks them up."""
    columns = [column for column in columns_of(proof.shapes[0]) if column.holds == "categories"]
    if not columns or any(operation.takes_indices for layer in proof.layers for operation in layer.operations()):
        return []
    first = columns[0]
    others = f" and {len(columns) - 1} more" if len(columns) > 1 else ""
    message = (
        f"no layer looks up the categories of the column '{first.name}'{others}, so that their places, from 0 to "
        f"{first.values - 1}, count as numbers"
    )
    remedy = "give the categories to an embedding at the network's input, or encode them one-hot in the data set"
    return [Problem(("layers", 0), message, remedy=remedy)]


def precision_changes_nothing(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is most likely not meant by a precision, if no layer can round the factors of its products."""
    operations = [operation for member in (*proof.layers, proof.loss) for operation in member.operations()]
    if spec.training.precision == "float32" or rounding_contexts(operations):
        return []
    message = f"precision has no effect: no layer multiplies matrices in {spec.training.precision}"
    return [Problem(("training", "precision"), message, remedy="leave it out", at_key=True)]


def training_memory(spec: Spec, proof: Proof) -> list[int]:
    """Return the bytes that training needs at least for each layer, and at last for the loss.

    These are a minibatch of its outputs, its parameters, their gradients, and what the optimizer and the moving average
    keep for each. Data, scratch memory of layers, and checkpoints come on top.
    """
    training, size = spec.training, np.dtype(spec.dtype).itemsize
    copies = 1 + (training.slices or 1) + len(training.optimizer().slots) + (training.moving_average is not None)
    outputs = [training.batch_size * prod(shape) for shape in proof.shapes[1:]] + [0]
    return [
        size * (copies * sum(prod(parameter.shape) for parameter in member.declared_parameters()) + output)
        for member, output in zip(proof.stack, outputs, strict=True)
    ]


def little_memory(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what to warn of if this process can't hold a training."""
    needed, there = training_memory(spec, proof), memory_limit()
    if there is None or sum(needed) <= there:
        return []
    layer, most = max(zip(spec.layers, needed, strict=True), key=itemgetter(1))
    what = f"training needs at least {memory_size(sum(needed))} of memory"
    message = f"{what}, but only {memory_size(there)} is available"
    note = f"{layer.name} needs {memory_size(most)} of it"
    remedy = "use fewer units or channels, or a smaller batch_size"
    return [Problem(layer.recipe.place, message, remedy=remedy, at_key=True, notes=(note,))]


CHECKS_OF_DATA: Final = (schedule_faults, too_few_examples, misfits, unfit_adjustments)
"""What the data of a spec asks of its keys: each takes the spec and the description, and returns what is wrong."""

CHECKS: Final = (max_weight_norm_faults, shifted_names, not_compared, not_averaged)
"""What the layers ask of the other keys: each takes the spec and the proof of its layers, and returns what is wrong."""

LIKELY_MISTAKES: Final = (
    slices_couple_examples,
    decays_change_nothing,
    indices_count_as_numbers,
    precision_changes_nothing,
    little_memory,
)
"""What is most likely not meant, each in the same way."""


def _require_own_files(spec: Spec) -> None:
    """Raise ``SpecSchemaError`` if a callback's file isn't in the run folder, or is mlpkit's or another callback's."""
    places: dict[str, KeyPath] = {}
    faults: list[Problem | None] = []
    for i, recipe in enumerate(spec.training.callbacks):
        callback = ("training", "callbacks", i, recipe.name)
        with component_errors(f"callback {recipe.name} failed in files"):
            names = recipe().files()
        check_returned(f"callback {recipe.name}", "files", names, (list, tuple, set), "a list of names")
        for name in map(str, names):
            parameters = ((*callback, key) for key, value in recipe.arguments.items() if value == name)
            place = next(parameters, callback)
            first = places.setdefault(name.casefold(), place)  # not every file system distinguishes capitals
            faults.append(_file_fault(spec, name, place, first))
    if any(faults):
        raise spec.error(SpecSchemaError, [fault for fault in faults if fault])


def _file_fault(spec: Spec, name: str, place: KeyPath, first: KeyPath) -> Problem | None:
    """Return what is wrong with a file's name, given at one place and perhaps at another one first."""
    from mlpkit.runs.layout import OWN_NAMES  # noqa: PLC0415 - few specs have callbacks

    if not name.isprintable() or "/" in name or name in {"", ".", ".."}:
        fault = Problem(place, f"{name!r} can't be the name of a file in the run folder", expected="a plain name")
    elif name.startswith(".") or name.casefold() in OWN_NAMES:
        expected = f"a name that doesn't start with a dot and isn't one of {', '.join(OWN_NAMES)}"
        fault = Problem(place, f"{name!r} is a name that mlpkit itself uses in the run folder", expected=expected)
    elif first[:4] != place[:4]:
        writer = first[3]
        notes = (f"{writer} is at {spec.document.place(first, at_key=len(first) == 4)}",)
        message, remedy = f"{name!r} is written by {writer} already", "give it another name"
        fault = Problem(place, message, expected="a separate file", remedy=remedy, notes=notes)
    else:
        return None
    return fault._replace(at_key=len(place) == 4)


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

"""From a spec to a network, its shapes proved before its data is opened."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.components.component import recipe_of
from mlpkit.components.input_columns import InputShape, columns_of
from mlpkit.components.loss import Loss
from mlpkit.components.operation import input_shape_of, operations_inside, output_shape_of
from mlpkit.components.schema.context import Problem
from mlpkit.errors import (
    ParameterError,
    SpecShapeError,
    TargetError,
    WrongUseError,
)
from mlpkit.jobs.filling_in import FactsOfSpec, filled_in
from mlpkit.jobs.memory import memory_problems, training_memory
from mlpkit.jobs.schedules import schedule_faults
from mlpkit.jobs.spec_data import data_warnings, describe_data, from_data
from mlpkit.network.component_errors import component_errors, operation_errors
from mlpkit.network.contexts import rounding_contexts
from mlpkit.network.example_weights import takes_no_weights
from mlpkit.network.shape_proof import Proof, StackError, coupled_by_slices, prove_shapes
from mlpkit.specfile.spec import expect_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlpkit.components.dataset import Dataset, Description, Split
    from mlpkit.components.metric import Metric
    from mlpkit.components.operation import Operation
    from mlpkit.components.parameter import StepFactors
    from mlpkit.components.recipe import KeyPath, Recipe
    from mlpkit.components.target import Target
    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.first_weights import FirstWeights
    from mlpkit.jobs.memory import TrainingMemory
    from mlpkit.network.sequential import Sequential
    from mlpkit.specfile.spec import Spec


class SpecProof(NamedTuple):
    """What is known of a spec before its data is opened.

    Args:
        spec: the spec, with what it leaves to the data filled in.
        dataset: the data, described.
        description: shapes and sizes of the data.
        proof: shapes of the layers.
        memory: what training needs.
        warnings: what the data set has doubts about, and what is most likely not meant.
        first_weights: the weights of another run that the network begins with; None for those of initializers.
        frozen: the layers that training leaves as they are.
        factors: what weight decay and learning rate are multiplied by, by parameter, where the spec says it.
    """

    spec: Spec
    dataset: Dataset
    description: Description
    proof: Proof
    memory: TrainingMemory
    warnings: tuple[Diagnostic, ...] = ()
    first_weights: FirstWeights | None = None
    frozen: Sequence[str] = ()
    factors: Mapping[str, StepFactors] = MappingProxyType({})


def prove(spec: Spec, dataset: Dataset | None = None, *, begun: bool = False) -> SpecProof:
    """Prove that the layers of a spec fit each other and the data, and minibatch, augmentations and metrics the data.

    So do the weights of another run that the network begins with.

    Args:
        spec: the spec.
        dataset: its data set, if it is built already, as one that holds examples in memory is.
        begun: whether the training has begun before, so that its first weights aren't needed any more.

    Raises:
        SpecShapeError: they don't; the message points at both places.
        DataError: the header of a data file is not what it should be.
    """
    dataset = dataset or spec.new_dataset()
    description = describe_data(spec, dataset)
    warnings = data_warnings(spec, dataset)
    spec, not_filled_in = filled_in(spec, FactsOfSpec(spec, dataset, description))
    examples = description.sizes["train"]
    faults = schedule_faults(spec, examples) + _size_faults(spec, examples) + _misfits(spec, description)
    loss = None
    try:
        proof = prove_layers(spec, shape_of_examples(description), description.target)
    except StackError as error:
        if isinstance(error.cause, TargetError) or not not_filled_in:
            not_filled_in = []  # the loss doesn't take the target, whatever it gets
            faults.append(_stack_fault(spec, error, dataset))
    else:
        loss = proof.loss
        first_weights, of_weights = _first_weights(spec, proof) if not begun else (None, [])
        frozen, of_frozen = _frozen_layers(spec, proof)
        factors, of_factors = _step_factors(spec, proof)
        faults += of_weights + of_frozen + of_factors + _max_weight_norm_faults(spec, proof)
        faults += _prediction_faults(spec, loss) + _average_faults(spec, loss)
        memory = training_memory(spec, proof)
        of_memory, too_little = memory_problems(spec, memory)
        faults += of_memory
    faults += _weights_faults(spec, description, loss)
    if faults or not_filled_in:
        raise spec.error(SpecShapeError, faults + not_filled_in, warnings)
    warnings += _slices_warnings(spec, proof, frozen) + _decays_warnings(spec) + _indices_warnings(spec, proof)
    warnings += _precision_warnings(spec, proof) + _shifted_names(spec) + spec.located(too_little)
    return SpecProof(spec, dataset, description, proof, memory, warnings, first_weights, frozen, factors)


def _first_weights(spec: Spec, proof: Proof) -> tuple[FirstWeights | None, list[Problem]]:
    if spec.top_level.initialize_from is None:
        return None, []
    from mlpkit.jobs.first_weights import first_weights  # noqa: PLC0415 - most specs take no weights from elsewhere

    return first_weights(spec, proof)


def _frozen_layers(spec: Spec, proof: Proof) -> tuple[Sequence[str], list[Problem]]:
    if not spec.training.freeze:
        return (), []
    from mlpkit.jobs.chosen_layers import frozen_layers  # noqa: PLC0415 - most specs freeze nothing

    return frozen_layers(spec, proof)


def _step_factors(spec: Spec, proof: Proof) -> tuple[Mapping[str, StepFactors], list[Problem]]:
    if not (spec.training.rates or spec.training.decays):
        return {}, []
    from mlpkit.jobs.chosen_layers import step_factors  # noqa: PLC0415 - most specs leave them to the layers

    return step_factors(spec, proof)


def _decays_warnings(spec: Spec) -> tuple[Diagnostic, ...]:
    """Return what is most likely not meant by factors of the weight decay, where nothing decays."""
    optimizer = spec.training.optimizer
    if not spec.training.decays or optimizer().uses_decay:
        return ()
    message = f"decays changes nothing, since {optimizer.name} has no weight decay here"
    remedy = "leave out decays, or choose an optimizer with weight decay and give it one"
    return spec.located([Problem(("training", "decays"), message, remedy=remedy, at_key=True)])


def _precision_warnings(spec: Spec, proof: Proof) -> tuple[Diagnostic, ...]:
    """Return what is most likely not meant by a precision, if no layer can round the factors of its products."""
    operations = [operation for member in (*proof.layers, proof.loss) for operation in member.operations()]
    if spec.training.precision == "float32" or rounding_contexts(operations):
        return ()
    message = f"precision changes nothing, since no layer multiplies matrices in {spec.training.precision}"
    return spec.located([Problem(("training", "precision"), message, remedy="leave it out", at_key=True)])


def _indices_warnings(spec: Spec, proof: Proof) -> tuple[Diagnostic, ...]:
    """Return what is most likely not meant by indices of categories, if no layer looks them up."""
    columns = [column for column in columns_of(proof.shapes[0]) if column.holds == "categories"]
    if not columns or any(operation.takes_indices for layer in proof.layers for operation in layer.operations()):
        return ()
    first = columns[0]
    others = f" and {len(columns) - 1} more" if len(columns) > 1 else ""
    message = (
        f"no layer looks up the categories of the column '{first.name}'{others}, so that their places, from 0 to "
        f"{first.values - 1}, count as numbers"
    )
    remedy = "give the categories to an embedding at the network's input, or encode them one-hot in the data set"
    return spec.located([Problem(("layers", 0), message, remedy=remedy)])


def _shifted_names(spec: Spec) -> tuple[Diagnostic, ...]:
    layers = spec.document.with_names.entries.get("layers")
    if getattr(layers and layers.node, "replaces", None) is None:
        return ()
    from mlpkit.jobs.shifted_names import shifted_names  # noqa: PLC0415 - most specs replace no list

    return spec.located(shifted_names(spec))


def _max_weight_norm_faults(spec: Spec, proof: Proof) -> list[Problem]:
    if not spec.training.max_weight_norm:
        return []
    from mlpkit.jobs.chosen_layers import max_weight_norm_faults  # noqa: PLC0415 - most specs limit nothing

    return max_weight_norm_faults(spec, proof)


def _slices_warnings(spec: Spec, proof: Proof, frozen: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Return what is most likely not meant by slices, where examples of a minibatch affect each other."""
    message = coupled_by_slices(proof.stack, spec.training.slices or 1, frozen)
    remedy = "leave out slices, unless that is meant"
    return spec.located([Problem(("training", "slices"), message, remedy=remedy)] if message else [])


def shape_of_examples(description: Description) -> InputShape:
    """Return the shape of one example, which knows the columns that its elements come from."""
    return InputShape(description.input_shape, description.columns)


def prove_layers(spec: Spec, input_shape: tuple[int, ...], target: Target | None) -> Proof:
    """Build the layers of a spec, and prove that they fit each other, inputs and target, without a look at any data.

    Raises:
        StackError: they don't.
    """
    stack = [member.recipe() for member in spec.layers]
    names = [member.name for member in spec.layers]
    return prove_shapes(stack, names, input_shape, target, np.dtype(spec.dtype), create=spec.registry.create)


def prove_trained(spec: Spec, input_shape: tuple[int, ...], target: Target | None) -> Proof:
    """Prove the layers of a spec as ``prove_layers`` does, or the networks of an ensemble, as one network.

    Raises:
        StackError: they don't fit.
    """
    if not spec.trains_ensemble:
        return prove_layers(spec, input_shape, target)
    from mlpkit.network.ensemble import prove_ensemble  # noqa: PLC0415 - most specs train one network

    assert spec.ensemble is not None
    stacks: Any = [[member.recipe() for member in spec.layers] for _ in range(spec.ensemble.size)]
    return prove_ensemble(stacks, input_shape, target, np.dtype(spec.dtype), create=spec.registry.create)


def _size_faults(spec: Spec, examples: int) -> list[Problem]:
    """Make sure that there are as many examples as a step takes."""
    batch_size, accumulate = spec.training.batch_size, spec.training.accumulate
    expected = f"at most {examples}, the training examples of {spec.data.name}"
    if batch_size > examples:
        message = f"a minibatch of {batch_size} is larger than the training data"
        return [Problem(("training", "batch_size"), message, expected=expected)]
    if batch_size * accumulate > examples:
        message = (
            f"a step of {accumulate} minibatches, {batch_size * accumulate} examples, is larger than the training data"
        )
        return [Problem(("training", "accumulate"), message, expected=expected)]
    return []


def build(spec: Spec, *, slices: int | None = None) -> Sequential:
    """Build the network of a spec, its parameters initialised from the spec's seed.

    Args:
        spec: the spec.
        slices: slices of a minibatch; by default what the spec says, or one.

    Raises:
        UsageError: what is given is no spec.
        SpecShapeError: the layers don't fit each other or the data.
        DataError: the header of a data file is not what it should be.
    """
    expect_spec(spec, "build")
    proved = prove(spec)
    return build_for(proved.spec, proved.proof, slices=slices, first_weights=proved.first_weights)


def build_for(
    spec: Spec,
    proof: Proof,
    *,
    slices: int | None = None,
    own_slices: range | None = None,
    first_weights: FirstWeights | None = None,
    examples: tuple[Split, Description] | None = None,
) -> Sequential:
    """Build the network of a spec from its layers, whose shapes are proved; they become the network's own.

    Args:
        spec: the spec.
        proof: the proof of its layers, which serves for one network.
        slices: slices of a minibatch; by default what the spec says, or one.
        own_slices: those that the network computes, if other processes compute the others; by default all.
        first_weights: weights that take the place of those that initializers draw.
        examples: the training examples, for initializers that see data; None to adapt nothing to them.

    Raises:
        ComponentFailure: an initializer failed.
    """
    from mlpkit.network.adapting import seeing_parameters  # noqa: PLC0415 - mlpkit check builds no network
    from mlpkit.network.sequential import EVALUATION_ROWS, Sequential  # noqa: PLC0415
    from mlpkit.training.minibatches import first_batch  # noqa: PLC0415

    network = Sequential(
        proof.stack,
        proof.shapes[0],
        target=proof.target,
        seed=spec.seed,
        dtype=spec.dtype,
        slices=slices or spec.training.slices or 1,
        own_slices=own_slices,
        resolver=spec.registry.create,
        proof=proof,
    )
    if first_weights is not None:
        first_weights.write_into(network)
    if examples is not None:
        taken = first_weights.arrays if first_weights is not None else ()
        seeing = [path for path in seeing_parameters(network.layers) if path not in taken]
        if seeing:
            network.adapt(first_batch(*examples, network.dtype, spec.seed, EVALUATION_ROWS), seeing)
    return network


def _misfits(spec: Spec, description: Description) -> list[Problem]:
    """Make sure that the augmentations can change the inputs, and the metrics judge predictions of the target."""
    faults, target = [], description.target
    note = f"the inputs, of shape {description.input_shape}, come {from_data(spec)}"
    for i, augmentation in enumerate(spec.training.augment):
        place = ("training", "augment", i)
        faults += _misfit(place, augmentation, "expect_inputs", description.input_shape, note)
    note = f"the target, {target}, comes {from_data(spec)}"
    for i, metric in enumerate(spec.training.metrics):
        faults += _misfit(("training", "metrics", i), metric, "expect_target", target, note)
    return faults


def _misfit(place: KeyPath, recipe: Recipe[Any], method: str, given: object, note: str) -> list[Problem]:
    """Return the fault of a component that does not fit the data, or nothing.

    Args:
        place: where the component stands.
        recipe: builds it.
        method: the name of its method that refuses what it does not fit.
        given: what the method is asked about.
        note: what that is, and where it comes from.
    """
    path = (*place, recipe.name)
    try:
        getattr(recipe(), method)(given)
    except WrongUseError as error:
        message, expected, remedy = error.message, error.expected, error.remedy
        if isinstance(error, ParameterError) and error.parameter in recipe.arguments:
            path = (*path, error.parameter)
    except Exception as error:  # whatever an author's method raises becomes an error at the component's place
        message, expected, remedy = f"{method} raised {type(error).__name__}: {error}", "", ""
    else:
        return []
    at_key = len(path) == len(place) + 1
    return [Problem(path, message, expected=expected, remedy=remedy, at_key=at_key, notes=(note,))]


def _prediction_faults(spec: Spec, loss: Loss) -> list[Problem]:
    """Make sure that the loss predicts what each metric compares with targets: one number, or an interval."""
    if not spec.training.metrics:
        return []
    with operation_errors(loss, "prediction_names"):
        names = loss.prediction_names()
    methods = {"interval": "interval_prediction"} | ({"point": "point_prediction"} if names else {})
    example = np.zeros((1, len(names or ("",))), loss.dtype)
    refused: dict[str, WrongUseError] = {}
    for sees, method in methods.items():
        try:
            with operation_errors(loss, method):
                getattr(loss, method)(example)
        except WrongUseError as error:
            refused[sees] = error
    return [
        _prediction_fault(i, metric, refused[sees])
        for i, metric in enumerate(spec.training.metrics)
        if (sees := metric.component.sees) in refused
    ]


def _prediction_fault(number: int, metric: Recipe[Metric], error: WrongUseError) -> Problem:
    compared = "an interval" if metric.component.sees == "interval" else "one prediction"
    return Problem(
        ("training", "metrics", number, metric.name),
        f"{metric.name} compares {compared} with each target: {error.message}",
        expected=error.expected,
        remedy=f"{error.remedy}, or leave out {metric.name}" if error.remedy else f"leave out {metric.name}",
        at_key=True,
    )


def _weights_faults(spec: Spec, description: Description, loss: Loss | None) -> list[Problem]:
    """Make sure that the loss, of which a class is known if it couldn't be built, and the metrics take weights."""
    if not description.weighted:
        return []
    note = f"the weights of the examples come {from_data(spec)}"
    judges = [_recipe_without_weights(spec, loss)]
    judges += [metric for metric in spec.training.metrics if not _class_of(metric).takes_weights]
    faults = []
    for recipe in filter(None, judges):
        message, remedy = takes_no_weights(recipe.name, _class_of(recipe))
        faults.append(Problem(recipe.place, message, remedy=remedy, at_key=True, notes=(note,)))
    return faults


def _recipe_without_weights(spec: Spec, loss: Loss | None) -> Recipe[Any] | None:
    """Return the recipe of the loss, or of the one inside it, that doesn't take weights; None if all do."""
    outermost = spec.layers[-1].recipe
    if loss is None:
        return None if _class_of(outermost).takes_weights else outermost
    if loss.takes_weights:
        return None
    return recipe_of(_innermost(loss, lambda each: each.takes_weights)) or outermost


def _class_of(recipe: Recipe[Any]) -> type[Loss | Metric]:
    return recipe.component


def _innermost(loss: Loss, suits: Callable[[Loss], bool]) -> Loss:
    """Return the loss farthest inside another that doesn't suit, as those around it don't because of it."""
    while inside := [each for each in operations_inside(loss) if isinstance(each, Loss) and not suits(each)]:
        loss = inside[0]
    return loss


def _average_faults(spec: Spec, loss: Loss) -> list[Problem]:
    """Make sure that the predictions of an ensemble's networks can be averaged."""
    if spec.ensemble is None or loss.can_be_averaged:
        return []
    recipe = recipe_of(_innermost(loss, lambda each: each.can_be_averaged)) or spec.layers[-1].recipe
    lacking = "its class has a predict, but neither inputs_for nor prediction_loss"
    message = f"{recipe.name} can't be the loss of an ensemble: {lacking}"
    return [Problem(recipe.place, message, remedy="use another loss, or leave out ensemble", at_key=True)]


def _stack_fault(spec: Spec, error: StackError, dataset: Dataset | None = None) -> Problem:
    member = spec.layers[error.index]
    cause = error.cause
    message, expected, remedy = str(error), "", ""
    if isinstance(cause, WrongUseError):
        message, expected, remedy = cause.message, cause.expected, cause.remedy
    if isinstance(cause, TargetError):
        notes = [f"the target comes {from_data(spec)}"]
        if dataset is not None and not remedy:
            with component_errors(f"dataset {spec.data.name} failed in target_remedy"):
                remedy = dataset.target_remedy()
    elif error.operation is error.member:
        notes = [_fed_by(spec, error, "its inputs"), *_producer_origins(spec, error)]
    else:
        notes = _notes_inside(spec, error)
    place = member.recipe.place
    if error.operation is not None:
        recipe = recipe_of(error.operation)
        place = recipe.place if recipe else place
        notes += [note for child in operations_inside(error.operation) for note in _own_origins(spec, child)]
    return Problem(place, message, expected=expected, remedy=remedy, at_key=True, notes=tuple(notes))


def _fed_by(spec: Spec, error: StackError, inputs: str) -> str:
    """Say what feeds the member of the stack that does not fit, or that holds the layer which does not."""
    if error.producer < 0:
        return f"{inputs}, of shape {error.input_shape}, come {from_data(spec)}"
    before = spec.layers[error.producer]
    return f"{inputs}, of shape {error.input_shape}, come from {before.name} at {spec.document.place(before.path)}"


def _producer_origins(spec: Spec, error: StackError) -> list[str]:
    if error.producer < 0:
        return _parameter_origins(spec, ("data", spec.data.name), spec.data)
    before = spec.layers[error.producer]
    return _parameter_origins(spec, before.recipe.place, before.recipe)


def _notes_inside(spec: Spec, error: StackError) -> list[str]:
    """Say what feeds a layer inside another, as far as that is known without knowing what the other does."""
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
        origins = _own_origins(spec, before)
    elif holder is member:
        notes.append(_fed_by(spec, error, f"the inputs of {member.path}"))
    return [*notes, *origins]


def _feeds(before: Operation, layer: Operation) -> bool:
    """Whether a layer inside another takes what the one listed before it returns, and is in no branch beside it."""
    branches = [operation.path.rpartition(".")[0] for operation in (before, layer)]
    return branches[0] == branches[1] and output_shape_of(before) == input_shape_of(layer)


def _own_origins(spec: Spec, operation: Operation) -> list[str]:
    recipe = recipe_of(operation)
    return _parameter_origins(spec, recipe.place, recipe) if recipe else []


def _at(spec: Spec, operation: Operation) -> str:
    recipe = recipe_of(operation)
    return f" at {spec.document.place(recipe.place, at_key=True)}" if recipe else ""


def _parameter_origins(spec: Spec, path: KeyPath, recipe: Recipe[Any]) -> list[str]:
    """Say where parameters come from that are inherited, substituted or overridden.

    Args:
        spec: the spec.
        path: where the component stands.
        recipe: builds it.
    """
    notes = [note for key in recipe.arguments for note in spec.document.origin_notes((*path, key))]
    return list(dict.fromkeys(notes))

"""A trained network's file: what it holds, and how the network comes back from it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset
from mlpkit.components.input_columns import InputShape, columns_from_plain, columns_of, columns_to_plain
from mlpkit.components.operation import Operation
from mlpkit.components.parameter import Parameter, State
from mlpkit.components.target import Classes, Target, is_length, target_from_plain, target_to_plain
from mlpkit.errors import MlpkitError, ModelFileError, RunFolderError
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove_layers, with_adjustments
from mlpkit.jobs.run_inputs import changed_plugin_files, naming_plugin_files
from mlpkit.network.component_errors import component_errors
from mlpkit.network.ensemble import prove_ensemble
from mlpkit.network.sequential import Sequential
from mlpkit.network.shape_proof import Proof, StackError
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import fits, shortened
from mlpkit.runs.layout import MODEL
from mlpkit.runs.model_file import ModelFile, load_model_file
from mlpkit.specfile.spec import Spec, parse_spec
from mlpkit.training.divergence import require_finite_model

METADATA: Final = {"spec": str, "encoder": dict, "target": dict, "input_shape": [is_length]}
"""What a model file holds beside its arrays, in the shapes of ``fits``."""


class Origin:
    """What a network was trained from: the resolved spec, or what writes it, as that takes long, and the data set."""

    def __init__(self, spec: str | Callable[[], str], dataset: Dataset) -> None:
        self._spec = spec
        self.dataset = dataset

    @cached_property
    def spec(self) -> str:
        """The spec's text."""
        return self._spec if isinstance(self._spec, str) else self._spec()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle holds: the text."""
        return Origin, (self.spec, self.dataset)


def model_of(network: Sequential, origin: Origin) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return arrays and metadata of the model file of a network whose target is known."""
    assert network.target is not None
    metadata = {
        "spec": origin.spec,
        "encoder": origin.dataset.encoder_state(),
        "input_shape": list(network.input_shape),
        "target": target_to_plain(network.target),
    }
    if columns := columns_of(network.input_shape):
        metadata["columns"] = columns_to_plain(columns)
    return {**network.parameters, **network.states}, metadata


class TrainedModel(NamedTuple):
    """A trained network, with everything needed to use it: its spec, its target, and its data set, which isn't open."""

    spec: Spec
    network: Sequential
    dataset: Dataset
    target: Target

    @property
    def threads(self) -> int:
        """BLAS threads that it was trained with; on as many, its results are the same to the bit."""
        return self.spec.training.threads or 1


def load_model(
    path: str | Path, *, plugins: Iterable[str | Path | ModuleType] = (), blocked: Iterable[str] = ()
) -> Sequential:
    """Return the trained network in a model file.

    The network takes encoded inputs: a table's numbers standardized, its categories as zeros and ones. It refuses
    inputs that plainly aren't, but can't tell raw numbers that look like encoded ones; ``mlpkit predict RUN FILE``
    encodes raw rows.

    Args:
        path: the file, such as ``runs/x/model.safetensors``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        ModelFileError: the file can't be read, or isn't a valid model.
        SpecError: a plugin that the model needs is missing.
    """
    model = load_trained(Path(path), Registry.discover(plugins=plugins, blocked=blocked))
    model.network.encoder = model.dataset
    return model.network


def load_trained(path: Path, registry: Registry | None = None) -> TrainedModel:
    """Return the trained model in a file, with its data set's encoder, or raise ``ModelFileError``."""
    return restore(load_model_file(path), path, registry)


def load_run(directory: Path, registry: Registry | None = None) -> TrainedModel:
    """Return the trained model in a run folder, or raise ``RunFolderError``, or ``DivergenceError``."""
    path, run = directory / MODEL, RunFolder.open(directory)
    model = restore(run.load_model(), path, registry)
    require_finite_model(model.network, path)
    with suppress(RunFolderError):  # what needs lock.json reports that it is damaged
        for change in changed_plugin_files(model.spec, run.read_lock()):
            trained = "the network was trained with another version of a plugin"
            warnings.warn(f"{directory}: {trained}: {change}", stacklevel=2)
    return model


def restore(model: ModelFile, path: Path, registry: Registry | None) -> TrainedModel:
    """Build the network of a model file, or raise ``ModelFileError`` if arrays don't match the spec inside."""
    values: list[Any] = [model.metadata.get(key) for key in METADATA]
    text, encoder, plain, shape = values
    try:
        for value, (key, kind) in zip(values, METADATA.items(), strict=True):
            if not fits(value, kind):
                raise ValueError(repr(key))
        input_shape = InputShape(shape, columns_from_plain(model.metadata.get("columns", []), math.prod(shape)))
    except ValueError as error:
        raise _not_a_model(path, error) from error
    registry = registry or Registry.discover()
    with naming_plugin_files(path.parent, registry):
        spec = parse_spec(text, name=f"{path} (spec inside)", registry=registry, resolved=True)
    dataset = spec.new_dataset()
    try:
        target = target_from_plain(plain, dataset.target_types)
    except ValueError as error:
        raise _not_a_model(path, error) from error
    try:
        proof = prove_trained(spec, input_shape, target)
    except StackError as error:
        message = f"the spec inside doesn't fit the inputs that the file declares: {error}"
        raise ModelFileError(f"{path}: {message}") from error
    _require_arrays(model, path, proof)
    network = build_for(spec, proof, slices=1)
    for name, view in (*network.parameters.items(), *network.states.items()):
        view[...] = model.arrays[name]
    try:
        with component_errors(f"dataset {spec.data.name} failed in load_encoder_state"):
            dataset.load_encoder_state(encoder)
            _require_names(dataset, input_shape, target)
    except MlpkitError as error:
        raise ModelFileError(f"{path}: {error}") from error
    network.origin = Origin(text, dataset)
    return TrainedModel(spec, network, dataset, target)


def _not_a_model(path: Path, error: Exception) -> ModelFileError:
    return ModelFileError(f"{path}: is not a model: its metadata has no valid {error}")


def prove_trained(spec: Spec, input_shape: tuple[int, ...], target: Target) -> Proof:
    """Prove the layers of a spec, or the networks of an ensemble as one network, or raise ``StackError``."""
    if not spec.trains_ensemble:
        return with_adjustments(spec, prove_layers(spec, input_shape, target))
    assert spec.ensemble is not None
    stacks: Any = [[member.recipe() for member in spec.layers] for _ in range(spec.ensemble.size)]
    proof = prove_ensemble(stacks, input_shape, target, np.dtype(spec.dtype), create=spec.registry.create)
    return with_adjustments(spec, proof)


def _require_arrays(model: ModelFile, path: Path, proof: Proof) -> None:
    members = (*proof.stack, *proof.adjustments.present)
    declared = {array.path: (array.shape, member.dtype) for member in members for array in _arrays(member)}
    found = {name: (array.shape, array.dtype) for name, array in model.arrays.items()}
    for name in sorted(declared.keys() | found.keys()):
        if declared.get(name) != found.get(name):
            raise ModelFileError(
                f"{path}: array {shortened(name)} is {_show(found, name, 'missing')}; the spec inside declares "
                f"{_show(declared, name, 'no such array')}. The file was not written by mlpkit, or by another version"
            )


def _require_names(dataset: Dataset, input_shape: tuple[int, ...], target: Target) -> None:
    """Check that the encoder names as many inputs, classes, labels or values as the network has, each once."""
    _require_distinct("inputs", dataset.feature_names(), math.prod(input_shape))
    if isinstance(target, Classes):
        _require_distinct("classes", dataset.class_names(), target.count)
    else:
        _require_distinct("targets", dataset.target_names(), math.prod(target.array(np.dtype(np.float64))[0]))


def _require_distinct(what: str, names: tuple[str, ...] | None, count: int) -> None:
    if names is not None and (len(names) != count or len(set(names)) < count):
        distinct = "" if len(set(names)) == len(names) else f", {len(set(names)):,} of them different"
        msg = f"the encoder names {len(names):,} {what}{distinct}; the network has {count:,}"
        raise ModelFileError(f"{msg}; restore the file from a copy, or train again")


def _arrays(member: Operation) -> list[Parameter | State]:
    return [*member.declared_parameters(), *member.declared_states()]


def _show(arrays: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]], name: str, absent: str) -> str:
    shape, dtype = arrays.get(name, (None, None))
    return absent if shape is None else f"{dtype} of shape {shape}"

"""The weights of another run with which a network starts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.component import recipe_of
from mlpkit.components.operation import Operation, belongs_to, own_parameters, own_states
from mlpkit.components.parameter import Parameter, State
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.errors import ModelFileError, RunFolderError
from mlpkit.jobs.layer_patterns import chosen, operations_of
from mlpkit.network.shape_proof import Adjustments, Proof
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import MEMBERS
from mlpkit.runs.model_file import ModelFile, load_model_file
from mlpkit.specfile.sections import InitializeFromSection
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.yaml_writer import to_inline_yaml

SECTION: Final = "initialize_from"
RUN: Final = (SECTION, "run")


class FirstWeights(NamedTuple):
    """Weights with which a network starts, by path, and the SHA-256 of the model file that they come from."""

    arrays: Mapping[str, Array]
    checksum: str

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that take them, those inside others too."""
        return tuple(dict.fromkeys(path.rpartition(".")[0] for path in self.arrays))


def load_weights(run: str) -> ModelFile:
    """Return the model in a run folder or a model file, or raise ``RunFolderError`` or ``ModelFileError``."""
    path = Path(run)
    with suppress(RuntimeError):  # a user whom the system doesn't know has no folder either
        path = path.expanduser()
    if kind_of(path) is ENSEMBLE_RUN:
        raise RunFolderError(f"{path}: is an ensemble; give one of its networks, such as {path / MEMBERS / '0'}")
    model = load_model_file(path) if path.is_file() else RunFolder.open(path).load_model()
    if "spec" not in model.metadata:
        raise ModelFileError(f"{path}: is a checkpoint, not a model; give its run folder")
    return model


def first_weights_now(directory: Path, spec: Spec, attempt: str) -> str | None:
    """Return the checksum that a run's first model has now, or None; an error says what was attempted."""
    section = spec.top_level.initialize_from
    if section is None:
        return None
    try:
        return load_weights(section.run).sha256
    except (RunFolderError, ModelFileError) as error:
        raise without_first_weights(directory, spec, attempt, f"can't be read: {error}") from error


def without_first_weights(directory: Path, spec: Spec, attempt: str, why: str) -> RunFolderError:
    """Return the error for a run whose first weights are no longer there, and why; see ``first_weights_now``."""
    section = spec.top_level.initialize_from
    assert section is not None
    fault = f"the model in {section.run}, from whose weights it started, {why}"
    return RunFolderError(f"{directory}: can't be {attempt}: {fault}; restore that model")


def first_weights(spec: Spec, proof: Proof) -> tuple[FirstWeights | None, list[Problem]]:
    """Return the weights that a spec's network takes from another run, and what of them doesn't fit its layers."""
    section = spec.top_level.initialize_from
    assert section is not None
    try:
        model = load_weights(section.run)
    except (RunFolderError, ModelFileError) as error:
        return None, [Problem(RUN, str(error), code="wrong-run-folder")]
    layers = [operation for operation in operations_of(proof) if _arrays(operation)]
    faults: list[Problem] = []
    if section.layers is not None:
        place = (SECTION, "layers")
        taken, faults = chosen(section.layers, place, proof)
        layers = [layer for layer in layers if belongs_to(layer.path, taken)]
        if not faults and not layers:
            message = f"no weights in {', '.join(taken)}"
            faults = [Problem(place, message, remedy="name other layers", code="unknown-layer")]
    faults += _misfits(spec, proof, model, layers, section)
    if faults:
        return None, faults
    arrays = {array.path: model.arrays[array.path] for layer in layers for array in _arrays(layer)}
    not_finite = [path for path, array in arrays.items() if not np.isfinite(array).all()]
    if not_finite:
        message = f"{section.run} has weights that are not finite: {', '.join(not_finite)}"
        remedy = "train that run again, with a lower learning rate"
        faults = [Problem(RUN, message, remedy=remedy, code="wrong-run-folder")]
    return FirstWeights(arrays, model.sha256), faults


def _arrays(operation: Operation) -> list[Parameter | State]:
    return [*own_parameters(operation), *own_states(operation)]


def _misfits(
    spec: Spec, proof: Proof, model: ModelFile, layers: list[Operation], section: InitializeFromSection
) -> list[Problem]:
    """Return which weights of layers a model doesn't have; if all are taken, it must have no others."""
    run = section.run
    there = {path: array.shape for path, array in model.arrays.items()}
    fits = {layer.path: all(there.get(array.path) == array.shape for array in _arrays(layer)) for layer in layers}
    remedy = _remedy(spec, proof, fits)
    faults = []
    for layer in layers:
        if fits[layer.path]:
            continue
        shapes = [
            f"{array.path} has shape {array.shape}, and in {run} {there[array.path]}"
            for array in _arrays(layer)
            if there.get(array.path, array.shape) != array.shape
        ]
        absent = [array.path for array in _arrays(layer) if array.path not in there]
        lacking = [f"{run} has no {' and no '.join(absent)}"] if absent else []
        notes = [f"the weights come from {run}, named at {spec.document.place(RUN)}"]
        message = "; ".join([*shapes, *lacking])
        faults.append(
            Problem(_place(spec, layer), message, remedy=remedy, at_key=True, notes=tuple(notes), code="wrong-shape")
        )
    others = sorted({path.rpartition(".")[0] for path in there} - fits.keys() - set(Adjustments._fields))
    if section.layers is None and others:
        message = f"{run} also has weights of {', '.join(others)}, which the network doesn't have"
        faults.append(Problem(RUN, message, remedy=remedy))
    return faults


def _place(spec: Spec, layer: Operation) -> KeyPath:
    """Return where a layer is in the spec, or else the member of the stack that it is inside."""
    members = (member.recipe for member in spec.layers if belongs_to(layer.path, [member.name]))
    return (recipe_of(layer) or next(members)).place


def _remedy(spec: Spec, proof: Proof, fits: Mapping[str, bool]) -> str:
    """Return how to take the weights that fit, given whether those of each layer do, or what to do if none do."""
    inside = {member.path: [fits[path] for path in fits if belongs_to(path, [member.path])] for member in proof.stack}
    fitting = [path for path, found in inside.items() if found and all(found)]
    if not fitting:
        return "give the layers the names and shapes that they have there, or leave initialize_from out"
    written = spec.document.values[SECTION]
    run = written if isinstance(written, str) else written["run"]
    section = to_inline_yaml({"run": run, "layers": fitting})
    return f"take only the weights that fit: {SECTION}: {section}"

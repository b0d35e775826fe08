"""The weights of another run that a network begins with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.component import recipe_of
from mlpkit.components.operation import belongs_to, own_parameters, own_states
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import ModelFileError, RunFolderError, SpecSchemaError
from mlpkit.jobs.chosen_layers import chosen, operations_of
from mlpkit.jobs.spec_data import from_data
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import MEMBERS
from mlpkit.runs.model_file import load_model_file
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.system import real_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.components.operation import Operation
    from mlpkit.components.parameter import Parameter, State
    from mlpkit.components.recipe import KeyPath
    from mlpkit.network.sequential import Sequential
    from mlpkit.network.shape_proof import Proof
    from mlpkit.runs.model_file import ModelFile
    from mlpkit.specfile.spec import Spec

SECTION: Final = "initialize_from"
RUN: Final = (SECTION, "run")


class FirstWeights(NamedTuple):
    """Weights that a network begins with, in place of those that initializers draw.

    Args:
        arrays: parameters and states by their paths.
        checksum: SHA-256 of the model file that they come from.
    """

    arrays: Mapping[str, NDArray[Any]]
    checksum: str

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that take them, those inside others too."""
        return tuple(dict.fromkeys(path.rpartition(".")[0] for path in self.arrays))

    def write_into(self, network: Sequential) -> None:
        """Replace a network's weights of these paths."""
        weights = {**network.parameters, **network.states}
        for path, array in self.arrays.items():
            weights[path][...] = array


def load_weights(run: str) -> ModelFile:
    """Return the model of a run.

    Args:
        run: a run folder, or a model file.

    Raises:
        RunFolderError: it is neither, or the folder holds no model.
        ModelFileError: the file is damaged, or no model.
    """
    path = Path(run)
    with suppress(RuntimeError):  # a user whom the system doesn't know has no folder either
        path = path.expanduser()
    if kind_of(path) is ENSEMBLE_RUN:
        raise RunFolderError(f"{path}: is an ensemble; give one of its networks, such as {path / MEMBERS / '0'}")
    model = load_model_file(path) if path.is_file() else RunFolder.open(path).load_model()
    if "spec" not in model.metadata:
        raise ModelFileError(f"{path}: is a checkpoint, and no model; give the run folder that it lies in")
    return model


def expect_another_folder(spec: Spec, directory: Path) -> None:
    """Make sure that a run doesn't begin with weights from the folder that it is to be kept in.

    Raises:
        SpecSchemaError: it does.
    """
    section = spec.top_level.initialize_from
    if section is not None and real_path(section.run) == real_path(directory):
        message, remedy = f"{section.run} is this run's own folder", "name another run, or keep this one elsewhere"
        raise spec.error(SpecSchemaError, [Problem(RUN, message, remedy=remedy)])


def first_weights_now(directory: Path, spec: Spec, attempt: str) -> str | None:
    """Return the checksum of the model whose weights a run began with, as it is now; None if it took none.

    Args:
        directory: the run folder.
        spec: its spec.
        attempt: what can't be done with the run without these weights, such as ``repeated``.

    Raises:
        RunFolderError: the model can't be read.
    """
    section = spec.top_level.initialize_from
    if section is None:
        return None
    try:
        return load_weights(section.run).sha256
    except (RunFolderError, ModelFileError) as error:
        raise without_first_weights(directory, spec, attempt, f"can't be read: {error}") from error


def without_first_weights(directory: Path, spec: Spec, attempt: str, why: str) -> RunFolderError:
    """Return the error for a run that began with weights that are no longer there.

    Args:
        directory: the run folder.
        spec: its spec.
        attempt: what can't be done with the run, such as ``repeated``.
        why: what is wrong with the weights.
    """
    section = spec.top_level.initialize_from
    assert section is not None
    told = f"the model in {section.run}, whose weights it began with, {why}"
    return RunFolderError(f"{directory}: can't be {attempt}: {told}; put back what was there")


def first_weights(spec: Spec, proof: Proof) -> tuple[FirstWeights | None, list[Problem]]:
    """Return the weights that a spec's network takes from another run, and what of them doesn't fit.

    Args:
        spec: the spec.
        proof: the proof of its layers.
    """
    section = spec.top_level.initialize_from
    if section is None:
        return None, []
    try:
        model = load_weights(section.run)
    except (RunFolderError, ModelFileError) as error:
        return None, [Problem(RUN, str(error), remedy=_nearest_run(spec))]
    layers = [operation for operation in operations_of(proof) if _arrays(operation)]
    faults: list[Problem] = []
    if section.layers is not None:
        taken, faults = chosen(section.layers, (SECTION, "layers"), proof)
        layers = [layer for layer in layers if belongs_to(layer.path, taken)]
        if not faults and not layers:
            faults = [
                Problem((SECTION, "layers"), f"there are no weights in {', '.join(taken)}", remedy="name other layers")
            ]
    faults += _Comparison(spec, proof, model, layers).faults()
    if faults:
        return None, faults
    arrays = {array.path: model.arrays[array.path] for layer in layers for array in _arrays(layer)}
    not_finite = [path for path, array in arrays.items() if not np.isfinite(array).all()]
    if not_finite:
        remedy = "train that run again, with a lower learning rate"
        faults = [
            Problem(RUN, f"{section.run} has weights that are not finite: {', '.join(not_finite)}", remedy=remedy)
        ]
    return FirstWeights(arrays, model.sha256), faults


def _nearest_run(spec: Spec) -> str:
    """Return the question whether a folder beside the one that is not there was meant, or nothing."""
    section = spec.top_level.initialize_from
    assert section is not None
    wanted = Path(section.run)
    try:
        beside = [] if wanted.exists() else [folder.name for folder in wanted.parent.iterdir() if folder.is_dir()]
    except (OSError, ValueError):  # what can't be listed has nothing to suggest
        return ""
    found = nearest(wanted.name, beside)
    return f"did you mean '{Path(_said(spec)).with_name(found)}'?" if found else ""


def _said(spec: Spec) -> str:
    """Return the run as the spec names it."""
    said = spec.document.values[SECTION]
    return str(said if isinstance(said, str) else said["run"])


def _arrays(operation: Operation) -> list[Parameter | State]:
    return [*own_parameters(operation), *own_states(operation)]


class _Comparison:
    """The weights that layers need, beside those that a model has.

    Args:
        spec: the spec.
        proof: the proof of its layers.
        model: the model.
        layers: the layers that are to take weights from it, all of which have some.
    """

    def __init__(self, spec: Spec, proof: Proof, model: ModelFile, layers: list[Operation]) -> None:
        section = spec.top_level.initialize_from
        assert section is not None
        self.spec = spec
        self.proof = proof
        self.model = model
        self.layers = layers
        self.run = section.run
        self.whole = section.layers is None

    def faults(self) -> list[Problem]:
        """Return what doesn't fit; if all weights are to be taken, weights of other layers don't either."""
        others = [] if not self.whole else self._layers_elsewhere()
        return [
            *(self._misfit(layer) for layer in self.layers if not self._fits(layer)),
            *([self._left_over(others)] if others else []),
        ]

    def _shape_there(self, array: Parameter | State) -> tuple[int, ...] | None:
        found = self.model.arrays.get(array.path)
        return None if found is None else found.shape

    def _fits(self, layer: Operation) -> bool:
        return all(self._shape_there(array) == array.shape for array in _arrays(layer))

    def _misfit(self, layer: Operation) -> Problem:
        shapes = [
            f"{array.path} has shape {array.shape}, and in {self.run} {there}"
            for array in _arrays(layer)
            if (there := self._shape_there(array)) not in (array.shape, None)
        ]
        absent = [array.path for array in _arrays(layer) if self._shape_there(array) is None]
        lacking = [f"{self.run} has no {' and no '.join(absent)}"] if absent else []
        notes = [f"the weights come from {self.run}, as {self.spec.document.place(RUN)} says"]
        if layer is self.layers[0] and shapes:
            notes += self._other_inputs()
        message = "; ".join([*shapes, *lacking])
        return Problem(self._place(layer), message, remedy=self._remedy(), at_key=True, notes=tuple(notes))

    def _other_inputs(self) -> list[str]:
        here, there = self.proof.shapes[0], self.model.metadata.get("input_shape")
        if not isinstance(there, list) or tuple(there) == here:
            return []
        before = f"{self.run} was trained on inputs of shape {tuple(there)}"
        return [f"{before}; those of this spec, of shape {here}, come {from_data(self.spec)}"]

    def _place(self, layer: Operation) -> KeyPath:
        recipe = recipe_of(layer)
        if recipe is not None:
            return recipe.place
        return next(member.recipe.place for member in self.spec.layers if belongs_to(layer.path, [member.name]))

    def _layers_elsewhere(self) -> list[str]:
        """Return the layers whose weights the model has, but not the network."""
        here = {layer.path for layer in self.layers}
        there = dict.fromkeys(path.rpartition(".")[0] for path in self.model.arrays)
        return sorted(path for path in there if path not in here)

    def _left_over(self, others: list[str]) -> Problem:
        message = f"{self.run} also has weights of {', '.join(others)}, which the network lacks"
        return Problem(RUN, message, remedy=self._remedy())

    def _remedy(self) -> str:
        """Say how to take the weights that fit, or what to do if none do."""
        misfits = [layer.path for layer in self.layers if not self._fits(layer)]
        having = [layer.path for layer in self.layers]
        fitting = [
            member.path
            for member in self.proof.stack
            if any(belongs_to(path, [member.path]) for path in having)
            and not any(belongs_to(path, [member.path]) for path in misfits)
        ]
        if not fitting:
            return "give the layers the names and shapes that they have there, or leave initialize_from out"
        section = to_inline_yaml({"run": _said(self.spec), "layers": fitting})
        return f"take only the weights that fit: {SECTION}: {section}"

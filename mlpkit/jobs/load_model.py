"""Getting a trained network back from its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.target import target_from_plain
from mlpkit.errors import ModelFileError
from mlpkit.network.builder import build_for
from mlpkit.network.shape_proof import prove_shapes
from mlpkit.registry.registry import Registry
from mlpkit.runs.model_file import ModelFile, load_model_file
from mlpkit.spec.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from mlpkit.components.dataset import Dataset
    from mlpkit.components.target import Target
    from mlpkit.network.sequential import Sequential
    from mlpkit.spec.spec import Spec


@dataclass(frozen=True)
class TrainedModel:
    """A trained network, with what is needed to use it.

    Args:
        spec: the spec that it was trained from.
        network: the network.
        dataset: encodes raw inputs; its data is not opened.
        target: what the network predicts.
    """

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

    Args:
        path: the file, such as ``runs/x/model.safetensors``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to do without.

    Raises:
        ModelFileError: the file can't be read, or is not what it says it is.
        SpecError: a plugin that the model needs is missing.
    """
    return load_trained(Path(path), Registry.discover(plugins=plugins, blocked=blocked)).network


def load_trained(path: Path, registry: Registry | None = None) -> TrainedModel:
    """Return the trained model in a file, with its data set's encoder.

    Args:
        path: the file.
        registry: the plugins to take components from; by default what is installed.

    Raises:
        ModelFileError: the file can't be read, or is not what it says it is.
        SpecError: a plugin that the model needs is missing.
    """
    return restore(load_model_file(path), path, registry)


def load_run(directory: Path, registry: Registry | None = None) -> TrainedModel:
    """Return the trained model of a run.

    Args:
        directory: the run folder.
        registry: the plugins to take components from; by default what is installed.

    Raises:
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file is damaged.
        SpecError: a plugin that the model needs is missing.
    """
    from mlpkit.runs.folder import RunFolder  # noqa: PLC0415 - loading a lone model file needs no folder

    return restore(RunFolder.open(directory).load_model(), directory / "model.safetensors", registry)


def restore(model: ModelFile, path: Path, registry: Registry | None) -> TrainedModel:
    """Build the network of a model file, the shapes compared before anything is allocated.

    Raises:
        ModelFileError: the arrays are not those that the spec inside declares.
        SpecError: a plugin that the model needs is missing.
    """
    try:
        text, encoder = model.metadata["spec"], model.metadata["encoder"]
        input_shape = tuple(int(length) for length in model.metadata["input_shape"])
        target = target_from_plain(model.metadata["target"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: holds no model: its metadata lacks or garbles {error}") from error
    spec = parse_spec(text, name=f"{path} (spec inside)", registry=registry)
    _expect_arrays(model, path, spec, input_shape, target)
    network = build_for(spec, input_shape, target=target, slices=1)
    for name, view in (*network.parameters.items(), *network.states.items()):
        view[...] = model.arrays[name]
    dataset = spec.data()
    dataset.load_encoder_state(encoder)
    return TrainedModel(spec, network, dataset, target)


def _expect_arrays(model: ModelFile, path: Path, spec: Spec, input_shape: tuple[int, ...], target: Target) -> None:
    stack = [member.recipe() for member in spec.layers]
    prove_shapes(stack, [member.name for member in spec.layers], input_shape, target, np.dtype(spec.dtype))
    declared = {p.path: p.shape for member in stack for p in member.declared_parameters()}
    declared |= {s.path: s.shape for member in stack for s in member.declared_states()}
    found = {name: array.shape for name, array in model.arrays.items()}
    for name in sorted(declared.keys() | found.keys()):
        if declared.get(name) != found.get(name):
            raise ModelFileError(
                f"{path}: array {name} is {found.get(name, 'missing')}; the spec inside declares "
                f"{declared.get(name, 'no such array')}. The file was not written by mlpkit, or for another version"
            )

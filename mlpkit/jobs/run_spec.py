"""The spec and the data of a run that has begun, as its folder has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from mlpkit.components.dataset import Dataset
from mlpkit.errors import ParameterError, RunFolderError, SpecError, SpecShapeError
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import SPEC_HASH, missing_plugin_files, spec_hash
from mlpkit.jobs.spec_data import data_not_as_trained_on
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import LOCK, RESOLVED
from mlpkit.specfile.spec import Spec, parse_spec

GivenExamples: TypeAlias = tuple[Any, ...] | Mapping[str, tuple[Any, ...]]
"""Inputs and targets, and weights, that a run was given in memory: those of the training split, or all by split."""


def parse_resolved(directory: Path, text: str, registry: Registry | None = None) -> Spec:
    """Return the spec of a run from the text of resolved.yaml in its folder; without a registry, of what is installed.

    Raises:
        SpecError: the text is damaged, or a plugin that it needs is missing.
    """
    registry = registry or Registry.discover()
    with naming_plugin_files(directory, registry):
        return parse_spec(text, name=str(directory / RESOLVED), registry=registry, resolved=True)


@contextmanager
def naming_plugin_files(directory: Path, registry: Registry) -> Iterator[None]:
    """Add to what is wrong with the spec of a run which plugins that are files it used, if a registry lacks them."""
    try:
        yield
    except SpecError as error:
        with suppress(RunFolderError):  # without lock.json, nothing is known of them
            for advice in missing_plugin_files(registry, RunFolder(directory).read_lock()):
                error.add_note(advice)
        raise


def lock_and_spec(folder: RunFolder) -> tuple[dict[str, Any], str]:
    """Return the lock of a run, and the text of the resolved spec that it was begun with.

    Raises:
        RunFolderError: a file is missing or damaged, or the spec has changed since.
    """
    lock, resolved = folder.read_lock(), folder.resolved_text()
    if spec_hash(resolved) != lock.get(SPEC_HASH):
        raise RunFolderError(
            f"{folder.directory / RESOLVED}: is not the spec that was run: {LOCK} has another {SPEC_HASH}; "
            "restore the file from a copy"
        )
    return lock, resolved


def dataset_of(spec: Spec, examples: GivenExamples | None) -> Dataset:
    """Return a spec's data set, with the examples that its run was given in memory, if it was.

    Raises:
        DataError: there are examples, but the data set reads its own.
    """
    dataset = spec.new_dataset()
    if examples is not None:
        hold_examples(dataset, examples)
    return dataset


def hold_examples(dataset: Dataset, examples: GivenExamples) -> None:
    """Give a data set the examples that its run was given in memory.

    Raises:
        DataError: the data set reads its own.
    """
    dataset.hold(examples if isinstance(examples, Mapping) else {"train": examples})


def prove_again(directory: Path, spec: Spec, dataset: Dataset, *, begun: bool = True) -> SpecProof:
    """Prove the resolved spec of a run as ``prove`` does, but an error in the data names the run.

    Raises:
        RunFolderError: the data is missing, or doesn't fit the spec any more.
        SpecShapeError: a layer, a metric or an augmentation doesn't fit.
        DataError: the header of a data file is not what it should be.
    """
    try:
        return prove(spec, dataset, begun=begun)
    except SpecShapeError as error:
        if not isinstance(error.__cause__, ParameterError):
            raise
        raise data_not_as_trained_on(directory, error) from error

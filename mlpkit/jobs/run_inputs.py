"""What the results of a run depend on, as its folder has it: spec, data, plugins and versions; and what has changed."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description
from mlpkit.errors import ModelFileError, ParameterError, RunFolderError, SpecError, SpecShapeError, UsageError
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.spec_data import data_not_as_trained_on
from mlpkit.registry.distributions import version_of
from mlpkit.registry.plugin import Plugin
from mlpkit.registry.registry import Registry
from mlpkit.runs.environment import environment
from mlpkit.runs.files import file_hash
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import LOCK, MODEL, RESOLVED
from mlpkit.runs.model_file import ModelFile
from mlpkit.specfile.spec import Spec, parse_spec
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.events import Observer
from mlpkit.training.ranks import Ranks
from mlpkit.version import VERSION

GivenExamples: TypeAlias = tuple[Any, ...] | Mapping[str, tuple[Any, ...]]
"""Inputs and targets, and weights, that a run was given in memory: those of the training split, or all by split."""


def parse_resolved(directory: Path, text: str, registry: Registry | None = None) -> Spec:
    """Return the spec of a run from the text of its resolved.yaml; without a registry, of what is installed."""
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
    """Return lock and resolved spec of a run, or raise ``RunFolderError`` if the spec has changed since it began."""
    lock, resolved = folder.read_lock(), folder.resolved_text()
    if spec_hash(resolved) != lock.get(SPEC_HASH):
        raise RunFolderError(
            f"{folder.directory / RESOLVED}: is not the spec that was run: {LOCK} has another {SPEC_HASH}; "
            "restore the file from a copy"
        )
    return lock, resolved


def dataset_of(spec: Spec, examples: GivenExamples | None) -> Dataset:
    """Return a spec's data set, with the examples that its run was given in memory, if it was."""
    dataset = spec.new_dataset()
    if examples is not None:
        hold_examples(dataset, examples)
    return dataset


def hold_examples(dataset: Dataset, examples: GivenExamples) -> None:
    """Give a data set the examples that its run was given in memory, or raise ``DataError`` if it reads its own."""
    dataset.hold(examples if isinstance(examples, Mapping) else {"train": examples})


def prove_again(directory: Path, spec: Spec, dataset: Dataset, *, begun: bool = True) -> SpecProof:
    """Prove the resolved spec of a run; data that is missing or doesn't fit any more is a ``RunFolderError``."""
    try:
        return prove(spec, dataset, begun=begun)
    except SpecShapeError as error:
        if not isinstance(error.__cause__, ParameterError):
            raise
        raise data_not_as_trained_on(directory, error) from error


def spec_hash(text: str) -> str:
    """Return the SHA-256 of a resolved spec's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def flattened(data: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of nested mappings and lists by dotted key, below a prefix; items of a list go by number."""
    if not isinstance(data, Mapping | list):
        return {prefix: data}
    values: dict[str, Any] = {}
    for key, value in data.items() if isinstance(data, Mapping) else enumerate(data):
        values |= flattened(value, f"{prefix}.{key}" if prefix else str(key))
    return values


ENVIRONMENT = "environment"
PLUGINS = "plugins"
PLUGIN_FILES = "plugin_files"
"""Where the plugins that are files were, which the results don't depend on."""
DATA = "data_checksum"
SPEC_HASH = "spec_hash"
INITIALIZED_FROM = "initialized_from"
CONTINUES = "continues"
TEACHER = "teacher"


class Change(NamedTuple):
    """The dotted key of a value in the lock that is not what it was, what that was, or None, and what it is now."""

    key: str
    then: Any
    now: Any

    def __str__(self) -> str:
        """Return what it was and what it is."""
        return self.between("then", "now")

    def between(self, there: str, here: str) -> str:
        """Return what it is in two places or at two times, named for ``then`` and ``now``."""
        then, now = ("none" if value is None else _shortened(value) for value in (self.then, self.now))
        return f"{self.key}: {then} {there}, {now} {here}"

    @property
    def of_environment(self) -> bool:
        """Whether it is about Python, NumPy, BLAS or the processor: the same task, but perhaps other bits."""
        return self.key.startswith(f"{ENVIRONMENT}.")


def _shortened(value: Any) -> Any:
    """Return the first digits of a SHA-256, which tell it from another; anything else as it is."""
    return f"{value[:12]}..." if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else value


def text_changes(name: str, then: str, now: str) -> list[str]:
    """Return a diff of a file, a line each; none if it is the same."""
    import difflib  # noqa: PLC0415 - a run loads only what it needs

    diff = list(difflib.unified_diff(then.splitlines(), now.splitlines(), n=1, lineterm=""))
    return [f"{name}:", *(f"  {line}" for line in diff[2:])] if diff else []


def lock_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return how the lock of now differs from an earlier one."""
    earlier, later = (
        flattened({key: value for key, value in lock.items() if key != PLUGIN_FILES}) for lock in (then, now)
    )
    keys = [*earlier, *(key for key in later if key not in earlier)]
    return [Change(key, earlier.get(key), later.get(key)) for key in keys if earlier.get(key) != later.get(key)]


def require_same_inputs(
    ranks: Ranks, lock: Mapping[str, Any], description: Description, observer: Observer | None = None
) -> None:
    """Raise ``UsageError`` if ranks have other data or plugins; report other software or processors in rank 0.

    Shapes are compared, too, since not every data set has a checksum.
    """
    own = {key: value for key, value in lock.items() if key != INITIALIZED_FROM}
    shapes = {"inputs": str(description.input_shape), "targets": str(description.target)}
    own["data"] = {**shapes, "rows": dict(description.sizes)}
    for rank, other in enumerate(ranks.gather(own)):
        differences = lock_changes(own, other)
        listed = "; ".join(each.between("on rank 0", f"on rank {rank}") for each in differences)
        if not all(each.of_environment for each in differences):
            raise UsageError(f"the ranks can't train together: {listed}; expected the same on all hosts")
        if listed and observer is not None:
            observer.noticed(f"the same bits as on one machine aren't guaranteed: {listed}")


class RunInputs(NamedTuple):
    """What a run was begun with: the spec as its author wrote it, its resolved text, and what lock.json holds."""

    spec: str
    resolved: str
    lock: Mapping[str, Any]


_SPEC, _RESOLVED, _LOCK, _SNAPSHOT = "origin/spec", "origin/resolved", "lock", "snapshot"
"""The names in a checkpoint: of arrays, the bytes of texts that are too long for a header, and of its metadata."""


def checkpoint_contents(snapshot: Snapshot, inputs: RunInputs) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return arrays and metadata of the checkpoint of a run that was begun with some inputs."""
    texts = {_SPEC: inputs.spec, _RESOLVED: inputs.resolved}
    arrays = {name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()}
    return snapshot.arrays | arrays, {_LOCK: inputs.lock, _SNAPSHOT: snapshot.metadata}


def contents_of(checkpoint: ModelFile) -> tuple[Snapshot, RunInputs]:
    """Return the snapshot in a checkpoint, and what its run was begun with, or raise ``ModelFileError``."""
    arrays, metadata = checkpoint.arrays, checkpoint.metadata
    snapshot = Snapshot(arrays, metadata.get(_SNAPSHOT, {}))
    try:
        spec, resolved = (arrays[name].tobytes().decode() for name in (_SPEC, _RESOLVED))
        lock, _ = {**metadata[_LOCK]}, snapshot.step
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{checkpoint.path}: is a model, not a checkpoint; restore the checkpoint") from error
    return snapshot, RunInputs(spec, resolved, lock)


_MODULE = "module "


def lock_of(
    spec: Spec,
    resolved: str,
    dataset: Dataset,
    initialized_from: str | None = None,
    continues: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the plain data of lock.json.

    The data set is open. ``initialized_from`` is the checksum of the model that the first weights come from, and
    ``continues`` names the run that this one continues, and from which step.
    """
    named = [plugin for plugin in spec.registry.used() if not plugin.built_in]
    files = {plugin.namespace: str(plugin.origin.target) for plugin in named if isinstance(plugin.origin.target, Path)}
    return {
        "mlpkit": VERSION,
        PLUGINS: dict(_version(plugin) for plugin in named),
        **({PLUGIN_FILES: files} if files else {}),
        "requires": {name: version_of(name) or "" for name in spec.requires},
        SPEC_HASH: spec_hash(resolved),
        DATA: dataset.fingerprint() or None,
        **({INITIALIZED_FROM: initialized_from} if initialized_from else {}),
        **({TEACHER: file_hash(Path(spec.training.teacher.run) / MODEL)} if spec.training.teacher else {}),
        **({CONTINUES: continues} if continues else {}),
        ENVIRONMENT: {**environment(), "computed_by": spec.registry.computed_by()},
    }


def changed_plugin_files(spec: Spec, lock: Mapping[str, Any]) -> list[Change]:
    """Return which plugins that are files and that a spec uses have another text than the lock of its run has."""
    files = dict(_version(plugin) for plugin in spec.registry.used() if isinstance(plugin.origin.target, Path))
    then = {key: version for key, version in lock.get(PLUGINS, {}).items() if key in files}
    return lock_changes({PLUGINS: then}, {PLUGINS: {key: files[key] for key in then}})


def missing_plugin_files(registry: Registry, lock: Mapping[str, Any]) -> list[str]:
    """Return advice for each plugin that is a file, as a run's lock names it, and that a registry doesn't have."""
    there = {plugin.namespace for plugin in registry.plugins}
    return [
        f"help: the run used the plugin {file}; add --plugin {shlex.quote(str(file))}, or name it in MLPKIT_PLUGINS"
        for namespace, file in lock.get(PLUGIN_FILES, {}).items()
        if namespace not in there
    ]


def _version(plugin: Plugin) -> tuple[str, str]:
    """Return a distribution and its version; of a file or module, its namespace and the SHA-256 of its text."""
    if plugin.version:
        return plugin.source, plugin.version
    module = sys.modules.get(plugin.source.removeprefix(_MODULE))
    file = Path(getattr(module, "__file__", None) or plugin.source)
    text = file.read_bytes() if file.is_file() else b""
    return plugin.namespace, f"sha256 {hashlib.sha256(text).hexdigest()}" if text else ""

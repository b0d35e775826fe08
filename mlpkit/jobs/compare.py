"""What differs between runs: spec, versions, history, metrics and the hashes of their results."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import RunFolderError
from mlpkit.jobs.run_inputs import flattened
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlpkit.training.evaluation import Record


RESULTS: Final = ("history.jsonl", "metrics.json", "model.safetensors")
"""The files of a run folder that the same spec, seed and versions give the same bytes."""


def result_hashes(directory: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each result of a run, None for one that is not there.

    Raises:
        RunFolderError: a file can't be read.
    """
    return {name: file_hash(directory / name) for name in RESULTS}


def file_hash(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if it is not there.

    Raises:
        RunFolderError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFolderError(f"{path}: can't be read: {error.strerror}; check who may read it") from error


Row = dict[str, list[Any]]
"""Values by key, one a run in the order of the runs; None where a run has none."""

NOT_CURVES: Final = ("iteration", "epoch")


@dataclass(frozen=True)
class Comparison:
    """What differs between runs; what is the same in all is left out.

    Args:
        runs: the run folders.
        spec: keys of the resolved specs, layers by their names.
        versions: what the results depend on beside the spec.
        results: SHA-256 of history, metrics and model.
        curves: last value of each loss and metric of the history.
        metrics: loss and metrics at the end, by split.
        part_at: the first iteration whose evaluations differ; None if all that are there are the same.
        finished: how many of the runs are finished, and so have metrics.
    """

    runs: list[str]
    spec: Row
    versions: Row
    results: Row
    curves: Row
    metrics: Row
    part_at: int | None
    finished: int = 0


def compare(directories: Sequence[Path]) -> Comparison:
    """Compare runs.

    Args:
        directories: two run folders or more.

    Raises:
        RunFolderError: one is no run folder, or a file in it is damaged.
    """
    folders = [RunFolder.open(directory) for directory in directories]
    histories = [folder.read_history() for folder in folders]
    return Comparison(
        runs=[str(directory) for directory in directories],
        spec=_differing([flattened(_spec(folder)) for folder in folders]),
        versions=_differing([flattened(_without_spec(folder.read_lock())) for folder in folders]),
        results=_differing([result_hashes(directory) for directory in directories]),
        curves=_differing([_last(history) for history in histories]),
        metrics=_differing([flattened(folder.read_metrics() if folder.finished else {}) for folder in folders]),
        part_at=_part_at(histories),
        finished=sum(folder.finished for folder in folders),
    )


def _spec(folder: RunFolder) -> dict[str, Any]:
    """Return the resolved spec, its layers by their names."""
    values = parse_document(folder.resolved_text(), str(folder.directory / "resolved.yaml")).values
    layers = {}
    for member in values.get("layers", ()):
        ((kind, parameters),) = member.items()
        layers[parameters["name"]] = {kind: {key: value for key, value in parameters.items() if key != "name"} or True}
    return {**values, "layers": layers}


def _without_spec(lock: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in lock.items() if key != "spec_hash"}


def _last(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    record = history[-1] if history else {}
    return {key: value for key, value in record.items() if key not in NOT_CURVES}


def _differing(sides: Sequence[Mapping[str, Any]]) -> Row:
    keys = dict.fromkeys(key for side in sides for key in side)
    rows = {key: [side.get(key) for side in sides] for key in keys}
    return {key: values for key, values in rows.items() if any(value != values[0] for value in values)}


def _part_at(histories: Sequence[Sequence[Record]]) -> int | None:
    by_iteration = [{int(record["iteration"]): record for record in history} for history in histories]
    for iteration in sorted(set().union(*by_iteration)):
        found = [records[iteration] for records in by_iteration if iteration in records]
        if any(record != found[0] for record in found):
            return iteration
    return None

"""What a run is, in run.json: written when it starts, and read by whatever lists runs.

A run that hasn't started, or is of an older version, has no run.json; resolved.yaml replaces it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit.runs.files import LARGEST_DOCUMENT, read_limited
from mlpkit.runs.json_files import damaged, decode, read_content, read_object
from mlpkit.runs.layout import RESOLVED, RUN_JSON, has_file
from mlpkit.runs.records import fits, optional

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 2**16
"""Bytes of run.json, or of name, seed, ensemble and training in resolved.yaml: mlpkit writes some hundred."""


class RunIdentity(NamedTuple):
    """What a run is, however far it is.

    Args:
        kind: ``run`` or ``ensemble``.
        name: the spec's name.
        seed: the seed; None before the spec is written.
        digest: SHA-256 of the resolved spec without its seed: runs of the same digest differ in the seed alone.
        monitor: what the run compares evaluations by, ``loss`` or a metric's name.
        total: steps of the whole run; None if the clock ends it, or if only the epochs are known.
        epochs: passes over the training data, as long as the steps aren't known.
    """

    kind: str = "run"
    name: str = ""
    seed: int | None = None
    digest: str = ""
    monitor: str = "loss"
    total: int | None = None
    epochs: int | None = None

    def total_steps(self, evaluation: Mapping[str, float]) -> int | None:
        """Return the steps of the whole run, which an evaluation tells if only the epochs are known."""
        if self.epochs is None or not evaluation.get("epoch"):
            return self.total
        return round(self.epochs * evaluation["iteration"] / evaluation["epoch"])


_RECORD: Final = {"kind": str, "name": str, "seed": int, "digest": str, "monitor": str, "total": optional(int)}


def read_identity(directory: Path) -> RunIdentity:
    """Return what the run of a folder is.

    Raises:
        RunFolderError: run.json, or without it resolved.yaml, can't be read, or is not as mlpkit writes it.
    """
    if not has_file(directory, RUN_JSON):
        return identity_in(directory / RESOLVED, most=LARGEST)
    path = directory / RUN_JSON
    record = read_object(path, LARGEST)
    if not fits(record, _RECORD):
        raise damaged(path, "expected kind, name, seed, digest, monitor and total")
    return RunIdentity(**{key: record[key] for key in _RECORD})


def recorded_kind(directory: Path) -> str:
    """Return the kind in run.json; empty if it is missing or damaged, which ``read_identity`` reports."""
    with suppress(OSError, ValueError, AttributeError):
        return str(decode(read_limited(directory / RUN_JSON, LARGEST)).get("kind"))
    return ""


_TOP_LEVEL: Final = re.compile(rb"^(?=\w)", re.MULTILINE)
"""Where a key of the top level begins: mlpkit indents all that belongs to it, or puts it after a dash."""
_WANTED: Final = (b"name:", b"seed:", b"ensemble:", b"training:")


def identity_in(resolved: Path, *, most: int = LARGEST_DOCUMENT) -> RunIdentity:
    """Return what a resolved spec tells of its run; the long part about layers and data is not parsed.

    Args:
        resolved: the file.
        most: bytes of the part that is parsed.

    Raises:
        RunFolderError: it can't be read, or is not as mlpkit writes it.
    """
    keys = _TOP_LEVEL.split(read_content(resolved, LARGEST_DOCUMENT))
    digest = hashlib.sha256(b"".join(key for key in keys if not key.startswith(b"seed:")))
    wanted = b"".join(key for key in keys if key.startswith(_WANTED))
    if len(wanted) > most:
        raise damaged(resolved, f"name, seed and training have {len(wanted):,} bytes; expected up to {most:,}")
    try:
        values = _plain(wanted)
        training, ensemble = values["training"], _mapping(values.get("ensemble"))
        return RunIdentity(
            "ensemble" if ensemble and "member" not in ensemble else "run",
            values["name"].replace("$$", "$"),
            int(values["seed"]),
            digest.hexdigest(),
            _monitor(training),
            _number(training.get("iterations")),
            _number(training.get("epochs")),
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise damaged(resolved, "expected a spec with name, seed and training, as mlpkit writes it") from error


@lru_cache(maxsize=1024)
def _plain(text: bytes) -> Any:
    """Return what a text holds that PyYAML wrote, every scalar as a string."""
    import yaml  # noqa: PLC0415 - what has run.json needs none

    try:
        return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _monitor(training: Mapping[str, Any]) -> str:
    """Return what a run compares evaluations by, as ``tracker_of`` in ``mlpkit.training.checkpointing`` does."""
    checkpoint, stopping = (_mapping(training.get(key)) for key in ("checkpoint", "early_stopping"))
    found = (training.get("best_weights"), checkpoint.get("best"), stopping.get("metric"))
    return next((name for name in found if isinstance(name, str) and name != "null"), "loss")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

"""A run as Python code names it: by its folder, or by what training returned."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Protocol, TypeAlias

from mlpkit.errors import UsageError
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import MEMBERS


class KeptRun(Protocol):
    """What training returned, such as ``Run`` or ``SeedRuns``."""

    @property
    def folder(self) -> Path | None:
        """The folder that keeps it; None if nothing was written."""


RunArgument: TypeAlias = str | os.PathLike[str] | KeptRun


def directory_of(run: RunArgument) -> Path:
    """Return the folder of a run.

    Raises:
        UsageError: it is neither, or no folder keeps it.
    """
    if isinstance(run, str | os.PathLike):
        return Path(run)
    try:
        folder = run.folder
    except AttributeError as error:
        what = type(run).__name__
        raise UsageError(f"expected a run, or the name of its folder, such as 'runs/first'; got {what}") from error
    if folder is None:
        raise UsageError("no folder keeps this run; train with one: directory='runs/first'")
    return folder


def require_one_network(directory: Path, verb: str) -> None:
    """Check that a run has a single network, as verbs that examine a training need.

    Args:
        directory: the run folder.
        verb: the command that needs it, such as ``doctor``.

    Raises:
        UsageError: it is the run of an ensemble.
    """
    if kind_of(directory) is ENSEMBLE_RUN:
        member = shlex.quote(str(directory / MEMBERS / "0"))
        raise UsageError(f"{directory}: is an ensemble; give one of its networks: mlpkit {verb} {member}")

"""The spec in the folder of a sweep, which must not change while its trials are compared."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import RunFolderError, SpecError
from mlpkit.jobs.run_inputs import lock_changes
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.runs.layout import SPEC, has_file
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.spec import read_spec
from mlpkit.verbs.sweep.folder import trials_in
from mlpkit.verbs.sweep.trial_spec import SWEEP

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.specfile.document import Document
    from mlpkit.specfile.spec import Spec
    from mlpkit.verbs.sweep.folder import SweepFolder

MAY_CHANGE: Final = ("minimize", "maximize", "trials", "seconds", "prune", "timeout")
"""Keys of the section ``sweep`` that say nothing about which trial has which values."""

MOST_NAMED: Final = 3
"""Changes that a message names."""


def spec_of_sweep(folder: SweepFolder, **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Return the spec in the folder of a sweep.

    Args:
        folder: the folder.
        plugin_options: the keywords of ``Registry.discover``.

    Raises:
        SpecError: it is wrong, or a plugin that it needs is missing.
        RunFolderError: it has no section ``sweep``.
    """
    spec = read_spec(folder.spec_path, **plugin_options)
    if spec.sweep is None:
        raise RunFolderError(f"{folder.spec_path}: has no section sweep any more; restore the file from a copy")
    return spec


def require_unchanged(folder: SweepFolder, spec: Spec) -> None:
    """Check that the spec of a sweep is still the one that its trials were made from.

    Args:
        folder: the folder of the sweep.
        spec: its spec, as it is now.

    Raises:
        RunFolderError: it isn't.
    """
    begun = _first_begun(folder.directory)
    if begun is None:
        return
    trial, text = begun
    if text == spec.document.text:
        return
    try:
        changes = lock_changes(_what_counts(parse_document(text)), _what_counts(spec.document))
    except SpecError:  # that file is damaged, and no trial needs it
        return
    if changes:
        named = "; ".join(map(str, changes[:MOST_NAMED]))
        more = f"; and {len(changes) - MOST_NAMED} more" if len(changes) > MOST_NAMED else ""
        restore = shlex.join(["cp", str(trial / SPEC), str(folder.spec_path)])
        other = shlex.join(["mlpkit", "sweep", str(folder.spec_path), "--out", "DIR"])
        raise RunFolderError(
            f"{folder.spec_path}: has changed since its trials started ({named}{more}); undo that with: {restore}; "
            f"or start another sweep: {other}"
        )


def _first_begun(directory: Path) -> tuple[Path, str] | None:
    """Return the first run folder of a sweep's trials whose spec can be read, and its text; None without any."""
    for trial in trials_in(directory):
        with suppress(RunFolderError):  # a damaged trial is named when its results are read
            run = next(iter(members_of(trial).values()))
            if has_file(run, SPEC):
                return run, RunFolder(run).spec_text()
    return None


def _what_counts(document: Document) -> dict[str, Any]:
    """Return the values of a spec without those that may change during a sweep."""
    values: dict[str, Any] = plain(document.with_names)
    section = values.get(SWEEP)
    if isinstance(section, dict):
        values[SWEEP] = {key: value for key, value in section.items() if key not in MAY_CHANGE}
        values["order of sweep.search"] = ", ".join(section.get("search", ()))  # a grid changes the last key first
    return values

"""What ``mlpkit resume``, ``evaluate`` and ``report`` do with a study; the file with the notes marks its folder."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from mlpkit.errors import MlpkitError, RunFolderError
from mlpkit.lazy_names import load
from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.page import page
from mlpkit.pages.parts import preformatted, section
from mlpkit.pages.results import results_table
from mlpkit.pages.run_sets import RunSet, read_runs
from mlpkit.runs.files import LARGEST_DOCUMENT, folders_in, read_limited, reading_error, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import STUDY_FOLDER, kind_of, runs_in
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlpkit.jobs.evaluate import Evaluation
    from mlpkit.registry.registry import Registry


def resume(directory: Path, ranks: Any, **chosen: Any) -> None:
    """Resume each run that is not finished, one after the other; one that fails leaves the others alone.

    Raises:
        MlpkitError: a run failed.
    """
    failures: list[MlpkitError] = []
    for folder in folders_in(directory):
        kind = kind_of(folder)
        if kind is not None and not RunFolder(folder).finished:
            try:
                load(kind.resume)(folder, ranks, **chosen)
            except MlpkitError as error:
                failures.append(error)
    for failure in failures[:-1]:
        message(f"error: {failure}")
    if failures:
        raise failures[-1]


def evaluate_runs(directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool) -> None:
    """Print loss and metrics of each finished run.

    Raises:
        RunFolderError: no run is finished.
        MlpkitError: as ``evaluate`` and ``evaluate_file`` do.
    """
    from mlpkit.jobs.evaluate import evaluate, evaluate_file  # noqa: PLC0415 - other verbs need none

    found = {
        str(run.relative_to(directory)): (
            evaluate(run, splits, registry) if data is None else evaluate_file(run, data, registry)
        )
        for run in runs_in(directory)
        if RunFolder(run).finished
    }
    if not found:
        raise RunFolderError(
            f"{directory}: none of its runs is finished; go on with: mlpkit resume {quote(str(directory))}"
        )
    for name, each in found.items():
        if each.doubt:
            message(f"warning: {directory / name}: {each.doubt}")
    if as_json:
        document({name: each.metrics for name, each in found.items()})
    else:
        result("\n".join(_table(found)))


def _table(found: Mapping[str, Evaluation]) -> list[str]:
    """Return the lines of a table with a row for each split of each run; metrics that are tables are left out."""
    results = [(name, *split) for name, each in found.items() for split in each.metrics.items()]
    tables = {key for each in found.values() for key in each.tables}
    names = [key for key in dict.fromkeys(key for *_, values in results for key in values) if key not in tables]
    rows = [
        [run, split, *(figure(values[key]) if key in values else "" for key in names)] for run, split, values in results
    ]
    return columns([["run", "split", *names], *rows], right=range(2, len(names) + 2))


def write_page(directory: Path, file: Path, *_: object) -> Path:
    """Write a page with the notes, and the results and curves of each run, and return where it is.

    Raises:
        UsageError: vl-convert isn't installed.
        RunFolderError: the notes can't be read, or a file of a run is damaged.
        StorageError: the page can't be written.
    """
    notes = directory / STUDY_FOLDER.marker
    try:
        text = read_limited(notes, LARGEST_DOCUMENT).decode(errors="replace")
    except OSError as error:
        raise reading_error(notes, error, RunFolderError) from error
    runs = [RunSet(str(run.directory.relative_to(directory)), (run,)) for run in read_runs(directory)]
    parts = [
        section("Notes", preformatted(text)),
        section("Runs", results_table(runs, "At the end of each")),
        curves_of_sets(runs),
    ]
    write_atomically(file, page(f"{directory.name}: {len(runs)} runs", parts).encode())
    return file

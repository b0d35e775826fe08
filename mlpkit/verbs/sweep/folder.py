"""The folder of a sweep: its spec, a run folder for each trial, and the spec of the best."""

from __future__ import annotations

import re
import shlex
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.files import folders_in, make_folder, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import damaged, encode_compact, is_result, read_object
from mlpkit.runs.kinds import SWEEP_FOLDER, is_run_folder, kind_of, members_of
from mlpkit.runs.layout import PROGRESS, STOP, SWEEP, TRIAL, has_file
from mlpkit.runs.overview import FAILED, FINISHED, STOPPED

_NAME: Final = "trial-"


@dataclass(frozen=True)
class Trial:
    """A trial of a sweep, as its folder has it.

    Args:
        number: its number, from 0.
        directory: its run folder; of several seeds, the folder of their runs.
        values: the searched keys that were set, and their values.
        asked_at: seconds of the sweep that were over when it was chosen, without breaks.
        state: ``finished``, ``pruned``, ``diverged``, ``failed``, or ``stopped`` if it must still start or continue.
        problem: why it failed.
        results: losses and metrics by their names with split, at the end or else at the last evaluation; of several
            seeds, the means.
    """

    number: int
    directory: Path
    values: dict[str, Any]
    asked_at: float = 0.0
    state: str = STOPPED
    problem: str = ""
    results: dict[str, float] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing is left to train."""
        return self.state != STOPPED


@dataclass(frozen=True)
class SweepProgress:
    """What neither spec nor trials record: seconds that drivers were at work, extra trials, and how many are planned.

    ``trials`` are planned in all, ``added`` included, once all trials of the spec have started; None before that.
    """

    seconds: float = 0.0
    added: int = 0
    trials: int | None = None


class SweepFolder:
    """A folder with a run folder for each trial of a sweep, or one of several seeds: ``trial-0``, ``trial-1``, ...

    ``sweep.yaml`` is the spec that the trials are made from, and each trial's ``trial.json`` has its values.
    ``progress.json`` has what was added, and the time. All else is read from the run folders. It has one writer at a
    time, as a run folder has. What can't be read, or another process writes, is a ``RunFolderError``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._folder = RunFolder(directory)

    @classmethod
    def create(cls, directory: Path, spec: str) -> SweepFolder:
        """Make the folder, with the text of the sweep's spec, and become its writer."""
        with RunFolder.create(directory):
            write_atomically(directory / SWEEP, spec.encode())
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> SweepFolder:
        """Open the folder of a sweep, and become its writer."""
        require_sweep_folder(directory)
        found = cls(directory)
        found._folder.claim()
        found.forget_stop()  # that an earlier writer was asked for
        return found

    def close(self) -> None:
        """Stop being the folder's writer."""
        self.forget_stop()
        self._folder.close()

    def __enter__(self) -> SweepFolder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def spec_path(self) -> Path:
        """The file of the sweep's spec."""
        return self.directory / SWEEP

    def trials(self) -> list[Trial]:
        """Return all trials, in the order of their numbers."""
        return [read_trial(folder) for folder in trials_in(self.directory)]

    def trial(self, number: int) -> Trial:
        """Return a trial as it is now."""
        return read_trial(self._trial(number))

    def begin(self, number: int, values: Mapping[str, Any], asked_at: float) -> Trial:
        """Make the folder of a trial that is yet to be prepared."""
        directory = self._trial(number)
        make_folder(directory)
        trial = Trial(number, directory, dict(values), asked_at)
        try:
            text = encode_compact({"values": values, "asked_at": asked_at})  # a component is set before its parameters
        except ValueError as error:
            raise StorageError(f"{directory / TRIAL}: can't be written: {error}") from error
        write_atomically(directory / TRIAL, f"{text}\n".encode())
        return trial

    def set_aside(self, trial: Trial, reason: str) -> Trial:
        """Write into the folder of a trial that it failed, and why, and return it as it is now."""
        with RunFolder(trial.directory) as folder:
            folder.write_failure(FAILED, 0, f"set aside: {reason}")
        return self.trial(trial.number)

    def reopen(self, trial: Trial) -> Trial:
        """Remove from the folder of a trial why it ended early, and return it as it is now."""
        with RunFolder(trial.directory) as folder:
            folder.claim()
            folder.forget_failure()
        return self.trial(trial.number)

    def read_progress(self) -> SweepProgress:
        """Return what ``write_progress`` was given last; nothing is added to a sweep that has just begun."""
        path = self.directory / PROGRESS
        if not has_file(self.directory, PROGRESS):
            return SweepProgress()
        with _removable(path, "the sweep then counts its time, and added trials, from zero"):
            written = read_object(path)
            try:
                seconds, added, trials = float(written["seconds"]), int(written["added"]), written["trials"]
                return SweepProgress(seconds, added, None if trials is None else int(trials))
            except (KeyError, TypeError, ValueError) as error:
                raise damaged(path, f"expected seconds, added and trials: {error}") from error

    def write_progress(self, progress: SweepProgress) -> None:
        """Write progress.json."""
        write_atomically(self.directory / PROGRESS, f"{encode_compact(asdict(progress))}\n".encode())

    def ask_to_stop(self) -> None:
        """Ask the folder's writer, which may be on another machine, to stop the sweep."""
        if not self.stop_requested():
            write_atomically(self.directory / STOP, b"")

    def stop_requested(self) -> bool:
        """Whether its writer is asked to stop the sweep."""
        return has_file(self.directory, STOP)

    def forget_stop(self) -> None:
        """Remove the request to stop."""
        with suppress(OSError):  # nothing was asked for
            (self.directory / STOP).unlink()

    def _trial(self, number: int) -> Path:
        return self.directory / f"{_NAME}{number}"


def require_sweep_folder(directory: Path) -> None:
    """Check that a folder holds the trials of a sweep, or raise ``RunFolderError``."""
    if is_run_folder(directory):
        raise RunFolderError(f"{directory}: is a run, not a sweep; give the folder of the sweep")
    if kind_of(directory) is not SWEEP_FOLDER:
        what = f"holds no {SWEEP}, so it is not a sweep" if directory.is_dir() else "no such folder"
        raise RunFolderError(f"{directory}: {what}; expected a folder that mlpkit sweep created")


def trials_in(directory: Path) -> list[Path]:
    """Return the folders of the trials of a sweep, in the order of their numbers, or raise ``RunFolderError``."""
    named = [folder for folder in folders_in(directory) if re.fullmatch(rf"{_NAME}\d+", folder.name)]
    return [folder for folder in named if has_file(folder, TRIAL)]  # others were being made as the system went down


def number_of(directory: Path) -> int:
    """Return the number of the trial of a folder."""
    return int(directory.name.removeprefix(_NAME))


def read_trial(directory: Path) -> Trial:
    """Return a trial as its folder has it now."""
    again = shlex.join(["mlpkit", "sweep", "--resume", str(directory.parent)])
    with _removable(directory, f"{again} then trains that trial again"):
        return _read_trial(directory)


@contextmanager
def _removable(path: Path, outcome: str) -> Iterator[None]:
    """If what a block reads is damaged, suggest to remove it, and name the outcome."""
    try:
        yield
    except RunFolderError as error:
        error.add_note(f"help: or remove {path}; {outcome}")
        raise


def _read_trial(directory: Path) -> Trial:
    path, folder = directory / TRIAL, RunFolder(directory)
    written = read_object(path)
    try:
        values, asked_at = dict(written["values"]), float(written["asked_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"expected values and asked_at: {error}") from error
    runs = members_of(directory)
    finished = folder.finished and all(RunFolder(run).finished for run in runs.values())
    failure = {} if finished else folder.read_failure()
    state = FINISHED if finished else str(failure.get("state", STOPPED))
    if finished:
        results = _results_at_end(folder, len(runs))
    else:
        last = next(reversed(history_of(directory)), {})
        results = {key: float(value) for key, value in last.items() if is_result(key)}
    return Trial(number_of(directory), directory, values, asked_at, state, str(failure.get("message", "")), results)


def history_of(directory: Path) -> list[dict[str, float]]:
    """Return the evaluations of a trial; of several runs, the means of the evaluations that all started runs have."""
    found = [history for run in members_of(directory).values() if (history := RunFolder(run).read_history())]
    if len(found) < 2:
        return found[0] if found else []
    by_iteration = [{record["iteration"]: record for record in history} for history in found]
    shared = [step for step in by_iteration[0] if all(step in records for records in by_iteration)]
    steps = [[records[step] for records in by_iteration] for step in shared]
    return [
        {key: statistics.fmean(each[key] for each in records) for key in records[0] if all(key in r for r in records)}
        for records in steps
    ]


def _results_at_end(folder: RunFolder, runs: int) -> dict[str, float]:
    """Return losses and metrics at the end, of several seeds the means over all of them; tables are left out."""
    results: dict[str, float] = {}
    for split, values in folder.read_metrics().items():
        for name, value in values.items():
            if isinstance(value, dict) and value.get("n") == runs:
                results[f"{split}_{name}"] = float(value["mean"])
            elif isinstance(value, int | float):
                results[f"{split}_{name}"] = float(value)
    return results


def is_resumable(trial: Trial) -> bool:
    """Whether a resumed sweep tries a trial again: what diverged would do so again, but a full disk may be cleared."""
    return not trial.over or trial.state == FAILED

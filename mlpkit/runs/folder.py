"""The run folder: what is in it, with the last few checkpoints and the best, and how it is written and read."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from mlpkit.array import Array
from mlpkit.errors import ModelFileError, RunFolderError, StorageError
from mlpkit.runs import json_files, layout
from mlpkit.runs.files import (
    LARGEST_DOCUMENT,
    folders_in,
    make_folder,
    read_limited,
    reading_error,
    remove_file,
    remove_leftovers,
    storage_error,
    write_atomically,
)
from mlpkit.runs.kinds import identity_in, is_group, is_run_folder, kind_of
from mlpkit.runs.layout import checkpoint_steps
from mlpkit.runs.model_file import ModelFile, load_model_file, save_model
from mlpkit.runs.writer_lock import WriterLock

BEST: Final = "best.safetensors"


class NoCheckpointError(RunFolderError):
    """A run has no checkpoint that is whole."""


class Checkpoints:
    """A folder of checkpoints.

    Raises:
        StorageError: by what writes: the file can't be written; the checkpoints before it stay.
        RunFolderError: by what reads: the folder can't be listed, or is a link, which could lead anywhere.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, step: int, arrays: Mapping[str, Array], metadata: Mapping[str, Any], *, keep: int) -> None:
        """Write a checkpoint after some steps, and then remove all but the last few; ``keep`` counts this one, too."""
        self._write(self._path(step), arrays, metadata)
        steps = self.steps()
        later = [other for other in steps if other > step]  # of a future that was given up
        earlier = [other for other in steps if other <= step]
        for outdated in (*later, *earlier[keep:]):
            remove_file(self._path(outdated))

    def save_best(self, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
        """Write the best checkpoint so far, in the place of the one before."""
        self._write(self.directory / BEST, arrays, metadata)

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, the newest first."""
        return checkpoint_steps(self.directory)

    @property
    def exist(self) -> bool:
        """Whether there is a checkpoint, whole or not."""
        return bool(self.steps() or self._best())

    def load_newest(self, passed_over: Callable[[str], None]) -> ModelFile:
        """Return the newest checkpoint that is whole; the best one is the last resort.

        ``passed_over`` learns what is wrong with each damaged one; if all are, a ``NoCheckpointError`` is raised.
        """
        self._require_no_link()
        paths = [*map(self._path, self.steps()), *self._best()]
        for checkpoint in _whole(paths, passed_over):
            return checkpoint
        folder = self.directory.parent
        what = "every checkpoint is damaged" if paths else "it has no checkpoint yet"
        again = shlex.quote(str(folder / "resolved.yaml"))
        raise NoCheckpointError(f"{folder}: can't be resumed: {what}; start a new run: mlpkit run {again}")

    def load_before(self, step: int, passed_over: Callable[[str], None]) -> Iterator[ModelFile]:
        """Yield the checkpoints that are whole: the best one, of any step, then those before a step, newest first."""
        self._require_no_link()
        return _whole([*self._best(), *(self._path(done) for done in self.steps() if done < step)], passed_over)

    def _require_no_link(self) -> None:
        if self.directory.is_symlink():
            raise RunFolderError(f"{self.directory}: is a link; replace it with the folder that it points to")

    def _best(self) -> list[Path]:
        """Return the file of the best checkpoint, if there is one."""
        return [path for path in (self.directory / BEST,) if path.exists()]

    def _path(self, step: int) -> Path:
        return self.directory / f"step-{step:09}.safetensors"

    def _write(self, path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
        make_folder(self.directory)
        save_model(path, arrays, metadata)


def _whole(paths: Iterable[Path], passed_over: Callable[[str], None]) -> Iterator[ModelFile]:
    """Yield the checkpoints that are whole."""
    for path in paths:
        try:
            checkpoint = load_model_file(path)
        except ModelFileError as error:
            passed_over(str(error))
        else:
            yield checkpoint


_EXPECTED = "expected the folder of a run, such as runs/mnist_3layer"
_NAMES_SHOWN = 5


class RunFolder:
    """A folder that keeps what happened in a run.

    Anyone may read it at any time. It has one writer at a time: the first write, or ``claim``, takes the
    place, and ``close``, the end of a ``with`` block or the end of the process gives it up.

    Raises:
        RunFolderError: by what reads: the file is missing, can't be read, or is damaged. By what writes: the folder has
            another writer.
        StorageError: by what writes: the file can't be written, or its content isn't plain data with finite numbers.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._writer = WriterLock(directory / layout.WRITER)

    @classmethod
    def create(cls, directory: Path) -> RunFolder:
        """Make the folder of a new run, with its parents, and become its writer; it must be missing or empty."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise RunFolderError(f"{directory}: is not a folder; choose another name") from error
        except OSError as error:
            raise storage_error(directory, error, action="made") from error
        except ValueError as error:
            msg = f"{directory}: can't be the name of a folder: {error}; choose another with --out"
            raise RunFolderError(msg) from error
        _require_empty(directory)
        folder = cls(directory)
        folder.claim()
        try:
            _require_empty(directory)  # another run may have come and gone between the look and the claim
        except RunFolderError:
            folder.close()
            raise
        return folder

    @classmethod
    def open(cls, directory: Path) -> RunFolder:
        """Open the folder of an earlier run, to read it or to resume it, or raise ``RunFolderError``."""
        try:
            if not is_run_folder(directory):
                raise RunFolderError(f"{directory}: {_why_not_a_run(directory)}")
        except OSError as error:
            raise reading_error(directory, error, RunFolderError, action="opened") from error
        return cls(directory)

    @staticmethod
    def next_free(parent: Path, name: str) -> Path:
        """Make an empty folder that no other run has: ``name``, or else ``name-2``, ``name-3`` and so on; return it."""
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise RunFolderError(f"{name!r} can't be the name of a folder; choose another name, or a folder with --out")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            for number in count(start=1):
                directory = parent / (name if number == 1 else f"{name}-{number}")
                with suppress(FileExistsError):
                    directory.mkdir()
                    break
        except OSError as error:
            raise storage_error(parent / name, error, action="made") from error
        return directory

    def claim(self) -> None:
        """Become the folder's writer."""
        self._writer.acquire()

    def close(self) -> None:
        """Stop being the folder's writer."""
        self._writer.release()

    def discard_if_unused(self) -> None:
        """Remove the folder of a run that ended before training began; one with something to keep stays."""
        kept = (layout.HISTORY, layout.MODEL, layout.CHECKPOINTS, layout.HEALTH)
        if any((self.directory / name).exists() for name in kept):
            return
        with suppress(OSError):  # what can't be removed does no harm
            for name in (layout.SPEC, layout.RESOLVED, layout.RUN_JSON, layout.LOCK, layout.TIMING, layout.FAILURE):
                (self.directory / name).unlink(missing_ok=True)
            self._writer.remove()
            self.directory.rmdir()
        self.close()

    def __enter__(self) -> RunFolder:
        """Leave the folder as it is; the end of the block closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the folder."""
        self.close()

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a file of JSON with sorted keys."""
        try:
            text = json_files.encode_pretty(data)
        except ValueError as error:
            raise StorageError(f"{self.directory / name}: can't be written: {error}") from error
        self._write(name, text.encode())

    def write_spec(self, text: str) -> None:
        """Write spec.yaml: the spec as its author wrote it."""
        self._write(layout.SPEC, text.encode())

    def write_resolved(self, text: str) -> None:
        """Write resolved.yaml: the spec with every default filled in."""
        self._write(layout.RESOLVED, text.encode())

    def write_identity(self, total: int | None) -> None:
        """Write run.json: what the run is, as resolved.yaml has it, and its steps; None if the clock ends it."""
        found = identity_in(self.directory / layout.RESOLVED)._replace(total=total)._asdict()
        self.write_json(layout.RUN_JSON, {key: value for key, value in found.items() if key != "epochs"})

    def write_lock(self, contents: Mapping[str, Any]) -> None:
        """Write lock.json: the versions and checksums that the results depend on."""
        self.write_json(layout.LOCK, contents)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write metrics.json: the results by split."""
        self.write_json(layout.METRICS, metrics)

    def write_failure(self, state: str, steps: int, message: str) -> None:
        """Write failure.json: why, and after how many steps, the run ended as ``diverged`` or ``failed``."""
        self.write_json(layout.FAILURE, {"state": state, "steps": steps, "message": message})

    def forget_failure(self) -> None:
        """Remove failure.json, since the run is tried again."""
        remove_file(self.directory / layout.FAILURE)

    def append(self, name: str, record: Mapping[str, Any]) -> None:
        """Add a record to a log: an evaluation, times in seconds, or what a probe found, as ``Probe`` explains it."""
        self.claim()
        json_files.append_line(self.directory / name, record)

    def write_history(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Replace history.jsonl, as a resumed run does to drop what came after its checkpoint."""
        self._write_lines(layout.HISTORY, records)

    def rewind(self, records: Sequence[Mapping[str, Any]], *, begun: bool = True) -> None:
        """Take history, timing and health back to a checkpoint, to resume the run from there, or to the beginning.

        What a killed run left half-written is removed, and so is failure.json. ``records`` are the evaluations up to
        the checkpoint. A run that hasn't ``begun`` starts again, with its first probe of the network.
        """
        self.write_history(records)
        kept = {record["iteration"] for record in records}
        first_probe = {0} if begun else set()  # before the first step
        for name, also in ((layout.TIMING, set()), (layout.HEALTH, first_probe)):
            path, evaluated = self.directory / name, kept | also
            if path.exists():
                numbered = (line for line in json_files.readable_lines(path) if type(line.get("iteration")) is int)
                self._write_lines(name, [line for line in numbered if line["iteration"] in evaluated])
        self.forget_failure()
        remove_leftovers(self.directory)
        remove_leftovers(self.checkpoints.directory)

    def copy_records(self, other: RunFolder) -> None:
        """Take the timing and the health of a run that this one continues."""
        for name in (layout.TIMING, layout.HEALTH):
            path = other.directory / name
            if path.exists():
                self._write_lines(name, json_files.readable_lines(path))

    def read_health(self) -> list[dict[str, Any]]:
        """Return what was found in the network so far; none of a run that didn't look."""
        return [
            line for line in json_files.readable_lines(self.directory / layout.HEALTH) if json_files.is_health(line)
        ]

    def save_model(self, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
        """Write model.safetensors; see ``mlpkit.runs.model_file.save_model``."""
        self.claim()
        save_model(self.directory / layout.MODEL, arrays, metadata)

    @property
    def checkpoints(self) -> Checkpoints:
        """The run's checkpoints; only the folder's writer saves any."""
        return Checkpoints(self.directory / layout.CHECKPOINTS)

    @property
    def only_prepared(self) -> bool:
        """Whether training hasn't started: lock.json is written just before it, and the history at evaluations."""
        history = self.directory / layout.HISTORY
        evaluated = history.exists() and history.stat().st_size > 0
        resolved, locked = ((self.directory / name).exists() for name in (layout.RESOLVED, layout.LOCK))
        return resolved and not locked and not evaluated

    @property
    def finished(self) -> bool:
        """Whether the run is finished: metrics.json is written last."""
        return (self.directory / layout.METRICS).exists()

    @property
    def has_model(self) -> bool:
        """Whether there is a model, be it of a run that isn't finished."""
        return (self.directory / layout.MODEL).exists()

    @property
    def resume_hint(self) -> str:
        """Advice for an unfinished run: it's still training, or was stopped early."""
        writer = self._writer.another_writer()
        if writer:
            return f"{writer} is writing to it; wait until that is done"
        if self.checkpoints.exist or self.only_prepared or is_group(self.directory):
            return f"resume it with: mlpkit resume {shlex.quote(str(self.directory))}"
        return f"start a new run: mlpkit run {shlex.quote(str(self.directory / layout.RESOLVED))}"

    def spec_text(self) -> str:
        """Return spec.yaml."""
        return self._read_text(layout.SPEC)

    def resolved_text(self) -> str:
        """Return resolved.yaml."""
        return self._read_text(layout.RESOLVED)

    def read_lock(self) -> dict[str, Any]:
        """Return what lock.json holds."""
        return json_files.checked_lock(self.directory / layout.LOCK, self._read_json(layout.LOCK))

    def read_failure(self) -> dict[str, Any]:
        """Return what ``write_failure`` was given; empty if the run didn't fail."""
        path = self.directory / layout.FAILURE
        return json_files.checked_failure(path, self._read_json(layout.FAILURE)) if path.exists() else {}

    def read_history(self) -> list[dict[str, Any]]:
        """Return the evaluations so far; a last line that was cut off while it was written doesn't count."""
        return json_files.read_evaluations(self.directory / layout.HISTORY)

    def read_metrics(self) -> dict[str, dict[str, Any]]:
        """Return loss and metrics by split; of several seeds, their means."""
        metrics, kind = self._read_json(layout.METRICS), kind_of(self.directory)
        return json_files.checked_metrics(
            self.directory / layout.METRICS, metrics, of_several=kind is not None and not kind.is_run
        )

    def load_model(self) -> ModelFile:
        """Return the trained model, or raise ``ModelFileError``."""
        try:
            return load_model_file(self.directory / layout.MODEL)
        except ModelFileError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise self._missing(layout.MODEL) from error
            raise

    def _write(self, name: str, content: bytes) -> None:
        self.claim()
        write_atomically(self.directory / name, content)

    def _write_lines(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        self._write(name, b"".join(json_files.encode_line(self.directory / name, record) for record in records))

    def _read(self, name: str) -> bytes:
        path = self.directory / name
        try:
            return read_limited(path, LARGEST_DOCUMENT)
        except FileNotFoundError as error:
            raise self._missing(name) from error
        except OSError as error:
            raise reading_error(path, error, RunFolderError) from error

    def _read_text(self, name: str) -> str:
        content = self._read(name)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise json_files.damaged(self.directory / name, error) from error

    def _read_json(self, name: str) -> dict[str, Any]:
        return json_files.decode_object(self.directory / name, self._read(name))

    def _missing(self, name: str) -> RunFolderError:
        if name in (layout.MODEL, layout.METRICS):
            return RunFolderError(f"{self.directory}: holds no {name}: the run is not finished; {self.resume_hint}")
        return RunFolderError(f"{self.directory}: holds no {name}; restore it from a copy, or start a new run")


def _why_not_a_run(directory: Path) -> str:
    if not directory.exists():
        from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

        siblings = folders_in(directory.parent) if directory.parent.is_dir() else []
        near = get_close_matches(directory.name, [path.name for path in siblings if kind_of(path)], 1)
        return "no such folder; " + (f"did you mean '{directory.parent / near[0]}'?" if near else _EXPECTED)
    if not directory.is_dir():
        return f"is not a folder; {_EXPECTED}"
    names = _names_in(directory)
    inside = [directory / name for name in names]
    runs = [str(path) for path in inside if is_run_folder(path) or is_group(path)]
    if kind := kind_of(directory):
        return f"holds {kind.holds}; give one of them: {_first(runs)}"
    found = f"is not a run folder: it holds {_first(names)}; expected {layout.RESOLVED} or {layout.SPEC}"
    return f"{found}; run folders in it: {_first(runs)}" if runs else found


def _require_empty(directory: Path) -> None:
    names = [name for name in _names_in(directory) if name != layout.WRITER]
    if not names:
        return
    kind, found = kind_of(directory), _first([name for name in names if not name.startswith(".")] or names)
    kept = f"holds {found} already; "
    if kind is not None and not RunFolder(directory).finished:
        kept = f"holds a {kind.noun} already; resume it with {kind.command} {shlex.quote(str(directory))}, or "
    raise RunFolderError(f"{directory}: {kept}choose another folder")


def _names_in(directory: Path) -> list[str]:
    try:
        return sorted(path.name for path in directory.iterdir())
    except OSError as error:
        raise reading_error(directory, error, RunFolderError, action="listed") from error


def _first(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(names[:_NAMES_SHOWN]) or "nothing"
    return f"{shown} and {more} more" if more > 0 else shown

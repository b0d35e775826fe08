"""JSON as run folders hold it: plain data, a line a record, and the keys of a record."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.files import (
    LARGEST_DOCUMENT,
    LARGEST_LOG,
    open_patiently,
    read_at,
    read_limited,
    reading_error,
    storage_error,
)
from mlpkit.system import NO_LINK

MOST_PARTS = 200_000
"""Commas and opening brackets of a text, each of which may cost 250 bytes of memory once it is read."""

_DEEPEST = 100
_SHORTENED = reprlib.Repr()
_SHORTENED.maxstring = _SHORTENED.maxother = 100


def encode_compact(data: Any, *, sort: bool = False) -> str:
    """Return plain data as JSON on one line, in ASCII, without spaces, or raise ``ValueError``.

    Plain data is None, booleans, finite numbers, strings, and lists, tuples and mappings of them.
    """
    return json.dumps(_plain(data), sort_keys=sort, separators=(",", ":"))


def encode_pretty(data: Any) -> str:
    """Return plain data as indented JSON with sorted keys and a newline at the end, or raise ``ValueError``."""
    return json.dumps(_plain(data), sort_keys=True, indent=2) + "\n"


def decode(text: bytes) -> Any:
    """Return the content of a JSON text in UTF-8, or raise ``ValueError``, also if a key is there twice."""
    require_few_parts(text)
    try:
        return json.loads(text.decode(), object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def require_few_parts(text: bytes) -> None:
    """Raise ``ValueError`` if reading a JSON text would take much more memory than the text itself."""
    parts = sum(text.count(mark) for mark in (b",", b"[", b"{"))
    if parts > MOST_PARTS:
        raise ValueError(f"it has {parts:,} commas and brackets; expected up to {MOST_PARTS:,}")


def shortened(value: Any) -> str:
    """Return a value as a message shows it, however long it is."""
    return _SHORTENED.repr(value)


def _plain(data: Any, place: str = "", depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"{shortened(place)} is nested too deeply; expected up to {_DEEPEST} levels")
    if isinstance(data, float):
        if not math.isfinite(data):
            raise ValueError(f"{place or 'the value'} is {data}, and JSON has only finite numbers")
        return data
    if data is None or isinstance(data, bool | int | str):
        return data
    if isinstance(data, list | tuple):
        return [_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(data)]
    if isinstance(data, Mapping):
        for key in data:
            if not isinstance(key, str):
                msg = f"{place or 'the value'} has the key {key!r}; expected only strings as keys"
                raise ValueError(msg)  # noqa: TRY004 - one exception for all that JSON can't say
        return {key: _plain(item, f"{place}.{key}" if place else key, depth + 1) for key, item in data.items()}
    raise ValueError(f"{place or 'the value'} is of type {type(data).__name__}; expected plain data")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {shortened(name)} appears twice")
        found[name] = value
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[: _SHORTENED.maxstring]} is not a finite number")
    return number


def encode_line(path: Path, record: Mapping[str, Any]) -> bytes:
    """Return a record as the line that a log holds for it, or raise ``StorageError`` if it isn't plain data."""
    try:
        return encode_compact(record).encode() + b"\n"
    except ValueError as error:
        raise StorageError(f"{path}: can't be written: {error}; write None for a number that is missing") from error


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record to the end of a log, which is made if it is missing, or raise ``StorageError``."""
    line = encode_line(path, record)
    try:
        descriptor = open_patiently(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_LINK)
        try:
            _remove_torn_line(descriptor)
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(path, error) from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log, if it exists; a last line that was cut off while it was written doesn't count."""
    return [decode_object(f"{path}:{number}", line) for number, line in enumerate(_whole_lines(path), start=1)]


def readable_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log except damaged ones, for a log that nothing depends on."""
    records = []
    for number, line in enumerate(_whole_lines(path), start=1):
        with contextlib.suppress(RunFolderError):
            records.append(decode_object(f"{path}:{number}", line))
    return records


def _whole_lines(path: Path) -> list[bytes]:
    try:
        return read_limited(path, LARGEST_LOG).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise reading_error(path, error, RunFolderError) from error


def read_content(path: Path, most: int) -> bytes:
    """Return what a file of a run holds, or raise ``RunFolderError`` if it can't be read or is larger."""
    try:
        return read_limited(path, most)
    except OSError as error:
        raise reading_error(path, error, RunFolderError) from error


def read_object(path: Path, most: int = LARGEST_DOCUMENT) -> dict[str, Any]:
    """Return the object that a JSON file of a run holds; see ``read_content`` and ``decode_object``."""
    return decode_object(path, read_content(path, most))


def decode_object(place: Path | str, content: bytes) -> dict[str, Any]:
    """Return the content of a JSON object, or raise ``RunFolderError``, which names the file, or a line of it."""
    try:
        data = decode(content)
    except ValueError as error:
        raise damaged(place, error) from error
    if not isinstance(data, dict):
        raise damaged(place, "expected a JSON object")
    return data


def damaged(place: Path | str, problem: object) -> RunFolderError:
    """Return the error for a file of a run folder, or a line of it, that is not as mlpkit writes it."""
    return RunFolderError(f"{place}: is damaged: {problem}; restore the file from a copy, or repeat the run")


def _remove_torn_line(descriptor: int) -> None:
    """Cut off what a crash or a full disk left of a last line."""
    size = os.fstat(descriptor).st_size
    if size and read_at(descriptor, size - 1, 1) != b"\n":
        os.ftruncate(descriptor, read_at(descriptor, 0, size).rfind(b"\n") + 1)


ENDED_EARLY: Final = ("pruned", "diverged", "failed")
"""The states of runs that failure.json is about."""
MAPPINGS: Final = ("plugins", "plugin_files", "requires", "environment")
"""What lock.json holds mappings as."""
QUANTILES: Final = 5
"""Of a distribution in health.jsonl."""
LATER_FIGURES: Final = ("level_loss", "least_loss", "bounded_loss", "outwards")
"""Figures in health.jsonl that the first runs don't have."""


def is_number(value: object) -> bool:
    """Whether a value from JSON is a number, which true and false are not."""
    return type(value) in (int, float)


def _is_figure(value: object) -> bool:
    return value is None or is_number(value)


def fits(value: object, shape: Any) -> bool:
    """Whether a value from JSON has a shape.

    A shape is a type; a predicate; a mapping from the keys that a mapping must have to the shapes of their values; or a
    list of the one shape that all items of a list have.
    """
    if isinstance(shape, type):
        return type(value) is shape
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(key in value and fits(value[key], shape[key]) for key in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    return bool(shape(value))


def optional(shape: Any) -> Callable[[object], bool]:
    """Return the shape of a value that may also be null."""
    return lambda value: value is None or fits(value, shape)


_DISTRIBUTION: Final = {
    **dict.fromkeys(("mean", "std", "min", "max"), _is_figure),
    "quantiles": lambda found: fits(found, [_is_figure]) and len(found) == QUANTILES,
}
_LAYER: Final = {
    **dict.fromkeys(("layer", "type"), str),
    **dict.fromkeys(("units", "unvarying", "dead", "saturated", "norm", "gradient_norm", "update_ratio"), _is_figure),
    **dict.fromkeys(("outputs", "gradients"), optional(_DISTRIBUTION)),
    "identical": optional(bool),
}
_SYMPTOM: Final = {**dict.fromkeys(("name", "layer", "finding"), str), "advice": [str], "iteration": int}
_FIGURES: Final = ("epoch", "learning_rate", "loss", "prediction_loss", "chance", "validation_chance", "spread")
_HEALTH: Final = {
    **dict.fromkeys(("iteration", "rows"), int),
    **dict.fromkeys(_FIGURES, _is_figure),
    "inputs": {**_DISTRIBUTION, "largest": _is_figure, "all_equal": bool},
    "missed": optional([int]),
    "layers": [_LAYER],
    "symptoms": [_SYMPTOM],
}


def read_evaluations(path: Path) -> list[dict[str, Any]]:
    """Return the lines of history.jsonl; a last one that was cut off while it was written doesn't count."""
    return [_checked_evaluation(f"{path}:{number}", line) for number, line in enumerate(read_lines(path), start=1)]


def _checked_evaluation(place: str, record: dict[str, Any]) -> dict[str, Any]:
    if not {"iteration", "epoch"} <= record.keys() or not all(map(is_number, record.values())):
        raise damaged(place, "expected numbers, including iteration and epoch")
    if type(record["iteration"]) is not int:
        raise damaged(place, "expected a whole number as iteration")
    return record


def checked_metrics(path: Path, metrics: dict[str, Any], *, of_several: bool = False) -> dict[str, dict[str, Any]]:
    """Return what metrics.json holds: numbers and tables by split, or intervals of numbers if ``of_several`` runs."""
    result = {"mean": is_number, "n": int} if of_several else _is_result
    if not all(isinstance(values, dict) and fits([*values.values()], [result]) for values in metrics.values()):
        raise damaged(path, "expected loss and metrics by split")
    return metrics


def _is_result(value: object) -> bool:
    return is_number(value) or fits(value, [lambda row: isinstance(row, dict | list)])


def checked_lock(path: Path, lock: dict[str, Any]) -> dict[str, Any]:
    """Return what lock.json holds."""
    wrong = [key for key in MAPPINGS if not isinstance(lock.get(key, {}), dict)]
    if not fits(lock.get("continues", {"run": "", "step": 0}), {"run": str, "step": int}):
        wrong.append("continues")
    if wrong:
        raise damaged(path, f"expected a mapping as {' and as '.join(wrong)}")
    return lock


def checked_failure(path: Path, failure: dict[str, Any]) -> dict[str, Any]:
    """Return what failure.json holds."""
    if not fits(failure, {"state": lambda state: state in ENDED_EARLY, "steps": int, "message": str}):
        raise damaged(path, "expected state, steps and message")
    return failure


def is_health(record: Mapping[str, Any]) -> bool:
    """Whether a line of health.jsonl is one that ``mlpkit.verbs.doctor.probe.Probe`` would write."""
    return fits(record, _HEALTH) and all(_is_figure(record.get(key)) for key in LATER_FIGURES)


EVALUATED: Final = ("train", "validation")
"""The splits that are evaluated while a network is trained."""


def splits_by_name(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the loss and each metric among the keys of evaluations, with the splits that it was computed for."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        split, _, name = key.partition("_")
        if split in EVALUATED and name:
            groups.setdefault(name, []).append(split)
    return groups


def is_result(key: str) -> bool:
    """Whether a key is that of the loss or of a metric."""
    return bool(splits_by_name([key]))


def decisive_split(keys: Iterable[str]) -> str:
    """Return the split by which evaluations are compared: ``validation`` if it is evaluated, and else ``train``."""
    return "validation" if any("validation" in splits for splits in splits_by_name(keys).values()) else "train"

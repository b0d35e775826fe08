"""What the records of a run folder hold, made sure of wherever they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.runs.json_files import damaged

if TYPE_CHECKING:
    from pathlib import Path

ENDED_EARLY: Final = ("pruned", "diverged", "failed")
"""The states of runs that failure.json is about."""


def is_number(value: object) -> bool:
    """Whether a value from JSON is a number; true and false are none."""
    return type(value) in (int, float)


def checked_evaluation(place: Path | str, record: dict[str, Any]) -> dict[str, Any]:
    """Return a line of history.jsonl.

    Raises:
        RunFolderError: it is not as mlpkit writes it.
    """
    if not {"iteration", "epoch"} <= record.keys() or not all(map(is_number, record.values())):
        raise damaged(place, "expected numbers, iteration and epoch among them")
    if type(record["iteration"]) is not int:
        raise damaged(place, "expected a whole number as iteration")
    return record


def checked_metrics(path: Path, metrics: dict[str, Any], *, of_several: bool = False) -> dict[str, dict[str, Any]]:
    """Return what metrics.json holds: numbers and tables by split.

    Args:
        path: the file.
        metrics: its content.
        of_several: whether it sums up several runs, with an interval in place of each number.

    Raises:
        RunFolderError: it is not as mlpkit writes it.
    """
    is_result = _is_interval if of_several else _is_result
    if not all(isinstance(values, dict) and all(map(is_result, values.values())) for values in metrics.values()):
        raise damaged(path, "expected loss and metrics by split")
    return metrics


def _is_result(value: object) -> bool:
    return is_number(value) or (isinstance(value, list) and all(isinstance(row, dict | list) for row in value))


def _is_interval(value: object) -> bool:
    return isinstance(value, dict) and is_number(value.get("mean")) and type(value.get("n")) is int


def checked_failure(path: Path, failure: dict[str, Any]) -> dict[str, Any]:
    """Return what failure.json holds.

    Raises:
        RunFolderError: it is not as mlpkit writes it.
    """
    state, steps, message = (failure.get(key) for key in ("state", "steps", "message"))
    if state not in ENDED_EARLY or type(steps) is not int or not isinstance(message, str):
        raise damaged(path, "expected state, steps and message")
    return failure

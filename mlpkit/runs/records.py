"""What the records of a run folder hold, made sure of wherever they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.runs.json_files import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

ENDED_EARLY: Final = ("pruned", "diverged", "failed")
"""The states of runs that failure.json is about."""
MAPPINGS: Final = ("plugins", "requires", "environment")
"""What lock.json holds mappings as."""
FIGURES: Final = ("epoch", "learning_rate", "loss", "prediction_loss", "chance", "validation_chance", "spread")
LATER_FIGURES: Final = ("level_loss", "least_loss", "bounded_loss", "outwards")
"""Figures that the first runs don't have."""
"""The numbers of a line of health.jsonl that may be null."""
QUANTILES: Final = 5
"""Of a distribution in health.jsonl."""


def is_number(value: object) -> bool:
    """Whether a value from JSON is a number, which true and false are not."""
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


def checked_lock(path: Path, lock: dict[str, Any]) -> dict[str, Any]:
    """Return what lock.json holds.

    Raises:
        RunFolderError: it is not as mlpkit writes it.
    """
    wrong = [key for key in MAPPINGS if not isinstance(lock.get(key, {}), dict)]
    origin = lock.get("continues", {"run": "", "step": 0})
    if not (_has(origin, ("run",), _is_text) and _has(origin, ("step",), lambda step: type(step) is int)):
        wrong.append("continues")
    if wrong:
        raise damaged(path, f"expected a mapping as {' and as '.join(wrong)}")
    return lock


def checked_failure(path: Path, failure: dict[str, Any]) -> dict[str, Any]:
    """Return what failure.json holds.

    Raises:
        RunFolderError: it is not as mlpkit writes it.
    """
    state, steps, message = (failure.get(key) for key in ("state", "steps", "message"))
    if state not in ENDED_EARLY or type(steps) is not int or not isinstance(message, str):
        raise damaged(path, "expected state, steps and message")
    return failure


def is_look(record: Mapping[str, Any]) -> bool:
    """Whether a line of health.jsonl is one that ``mlpkit.verbs.doctor.probe.Probe`` would write."""
    return (
        _has(record, ("iteration", "rows"), lambda value: type(value) is int)
        and _has(record, FIGURES, _is_figure)
        and all(_is_figure(record.get(key)) for key in LATER_FIGURES)
        and _has(record, ("inputs",), _is_distribution)
        and _has(record["inputs"], ("largest",), _is_figure)
        and _has(record["inputs"], ("all_equal",), lambda value: type(value) is bool)
        and _has(record, ("missed",), lambda value: value is None or _is_list(value, lambda each: type(each) is int))
        and _has(record, ("layers",), lambda value: _is_list(value, _is_layer))
        and _has(record, ("symptoms",), lambda value: _is_list(value, _is_symptom))
    )


def _has(record: object, keys: Iterable[str], is_right: Callable[[Any], bool]) -> bool:
    return isinstance(record, dict) and all(key in record and is_right(record[key]) for key in keys)


def _is_list(value: object, is_right: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(is_right, value))


def _is_figure(value: object) -> bool:
    return value is None or is_number(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_distribution(value: object) -> bool:
    return _has(value, ("mean", "std", "min", "max"), _is_figure) and _has(
        value, ("quantiles",), lambda found: _is_list(found, _is_figure) and len(found) == QUANTILES
    )


def _is_layer(value: object) -> bool:
    figures = ("units", "unvarying", "dead", "saturated", "norm", "gradient_norm", "update_ratio")
    return (
        _has(value, ("layer", "type"), _is_text)
        and _has(value, figures, _is_figure)
        and _has(value, ("outputs", "gradients"), lambda found: found is None or _is_distribution(found))
        and _has(value, ("identical",), lambda found: found is None or type(found) is bool)
    )


def _is_symptom(value: object) -> bool:
    return (
        _has(value, ("name", "layer", "finding"), _is_text)
        and _has(value, ("advice",), lambda found: _is_list(found, _is_text))
        and _has(value, ("iteration",), lambda found: type(found) is int)
    )

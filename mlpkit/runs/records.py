"""What the records of a run folder hold, checked wherever they are read.

Each ``checked`` function returns what it is given, and raises RunFolderError if mlpkit would not have written it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mlpkit.runs.json_files import damaged

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

    Args:
        value: the value.
        shape: its type; a predicate; a mapping from the keys that a mapping must have to the shapes of their values;
            or a list of the one shape that all items of a list have.
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


def checked_evaluation(place: Path | str, record: dict[str, Any]) -> dict[str, Any]:
    """Return a line of history.jsonl."""
    if not {"iteration", "epoch"} <= record.keys() or not all(map(is_number, record.values())):
        raise damaged(place, "expected numbers, including iteration and epoch")
    if type(record["iteration"]) is not int:
        raise damaged(place, "expected a whole number as iteration")
    return record


def checked_metrics(path: Path, metrics: dict[str, Any], *, of_several: bool = False) -> dict[str, dict[str, Any]]:
    """Return what metrics.json holds: numbers and tables by split.

    Args:
        path: the file.
        metrics: its content.
        of_several: whether it sums up several runs, with an interval in place of each number.
    """
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

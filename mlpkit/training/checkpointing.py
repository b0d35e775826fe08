"""All that a training needs to resume, when it is saved, and at which evaluation it was best.

A component's state is packed as plain data for JSON and separate arrays, and unpacked to the same bits. JSON has
neither arrays nor tuples, nor numbers that are not finite. A mapping with a single key represents each:

    {"!array": name}  {"!scalar": name}  {"!tuple": [...]}  {"!float": "inf"}

Long lists of numbers, such as the loss of each step, become arrays too, which take little room:

    {"!list": name}  {"!scalars": name}

A component's own mapping that looks like one of these is wrapped in ``{"!mapping": {...}}``.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlpkit.array import Array
from mlpkit.errors import ModelFileError
from mlpkit.network.sequential import Sequential
from mlpkit.runs.json_files import decisive_split
from mlpkit.specfile.sections import CheckpointSection, Training
from mlpkit.training.update import Slot

_MARK = "!"
_LONG = 100


def pack(value: Any, arrays: dict[str, Array], prefix: str) -> Any:
    """Return a value as plain data; copies of its arrays go to ``arrays``, under names that start with a prefix.

    A value is None, a boolean, a number, a string, an array, or a list, tuple or mapping of them; others are a
    ``TypeError``.
    """
    name = f"{prefix}/{len(arrays)}"
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.array(value)
        return {"!array" if isinstance(value, np.ndarray) else "!scalar": name}
    if isinstance(value, float) and not math.isfinite(value):
        return {"!float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and len(value) > _LONG and (mark := _mark_of(value)):
        arrays[name] = np.array(value)
        return {mark: name}
    if isinstance(value, list):
        return [pack(item, arrays, prefix) for item in value]
    if isinstance(value, tuple):
        return {"!tuple": pack(list(value), arrays, prefix)}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a mapping has a key that is not a string")
        packed = {key: pack(item, arrays, prefix) for key, item in value.items()}
        return {"!mapping": packed} if _is_marked(packed) else packed
    raise TypeError(f"{type(value).__name__} is not plain data")


def unpack(packed: Any, arrays: Mapping[str, Array]) -> Any:
    """Return the value that ``pack`` was given, from what it returned, perhaps by way of JSON."""
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if not _is_marked(packed):
        return {key: unpack(item, arrays) for key, item in packed.items()}
    ((mark, content),) = packed.items()
    match mark:
        case "!array":
            return np.array(arrays[content])
        case "!scalar":
            return arrays[content][()]
        case "!tuple":
            return tuple(unpack(content, arrays))
        case "!list":
            return arrays[content].tolist()
        case "!scalars":
            return list(arrays[content])
        case "!float":
            return float(content)
        case _:
            return {key: unpack(item, arrays) for key, item in content.items()}


def _mark_of(values: list[Any]) -> str:
    """Return what marks a list that an array gives back to the bit; empty if none does."""
    types = {type(value) for value in values}
    if types == {float} or (types == {int} and min(values) >= -(2**63) and max(values) < 2**63):
        return "!list"
    return "!scalars" if len(types) == 1 and issubclass(types.pop(), np.generic) else ""


def _is_marked(mapping: dict[str, Any]) -> bool:
    return len(mapping) == 1 and next(iter(mapping)).startswith(_MARK)


class Snapshot(NamedTuple):
    """A training run between two steps; it shares nothing with the run, which may continue.

    Args:
        arrays: parameters, slots, layers' state, history, and arrays of callbacks, by name.
        metadata: everything else, as plain data; ``step`` is the number of steps done.
    """

    arrays: dict[str, Array]
    metadata: dict[str, Any]

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.metadata["step"])


def check_metadata(
    metadata: Mapping[str, Any], *, total_steps: int, history_keys: Sequence[str], callbacks: int
) -> None:
    """Check that metadata comes from a run, since the file may come from anywhere, or raise ``ModelFileError``."""
    step, rate, best, states = (metadata.get(key) for key in ("step", "learning_rate", "best", "callbacks"))
    right = {
        "step": type(step) is int and 0 <= step <= total_steps,
        "learning_rate": rate is None or type(rate) in (int, float),
        "stop_reason": isinstance(metadata.get("stop_reason"), str),
        "history": metadata.get("history") in ([], list(history_keys)),
        "best": best is None or (isinstance(best, list) and list(map(type, best)) in ([int, float], [int, int])),
        "callbacks": isinstance(states, list) and len(states) == callbacks,
        "slots_version": type(metadata.get("slots_version")) is int,
    }
    wrong = [key for key, is_right in right.items() if not is_right]
    if wrong:
        raise ModelFileError(f"the checkpoint has no valid {', '.join(wrong)}; use another, or start a new run")


def copied_arrays(network: Sequential, slots: Mapping[str, Slot], trained: Collection[str]) -> dict[str, Array]:
    """Return a copy of all that training changes from step to step; slots only of trained parameters.

    However many layers a network has, there is one flat array for its parameters, one for its layers' state, and one
    for each slot. Parameters follow each other without the gaps that speed up training.
    """
    copies = {}
    for name, views in _live(network, slots, trained).items():
        flat = np.empty(_size(views), network.dtype)
        for view, part in zip(views, _parts(flat, views), strict=True):
            part[...] = view
        copies[name] = flat
    return copies


def restore_arrays(
    network: Sequential, slots: Mapping[str, Slot], saved: Mapping[str, Array], trained: Collection[str] = ()
) -> None:
    """Write what ``copied_arrays`` returned into a network and the slots of its optimizer.

    Other arrays are ignored. If one is missing, or has another shape or dtype, nothing is written, and a
    ``ModelFileError`` is raised.
    """
    live = _live(network, slots, trained)
    for name, views in live.items():
        array, shape = saved.get(name), (_size(views),)
        if array is None or array.shape != shape or array.dtype != network.dtype:
            found = "missing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise ModelFileError(f"array {name} of the checkpoint is {found}; expected {network.dtype} of {shape}")
    for name, views in live.items():
        for view, part in zip(views, _parts(saved[name], views), strict=True):
            view[...] = part


def _live(network: Sequential, slots: Mapping[str, Slot], trained: Iterable[str]) -> dict[str, list[Array]]:
    """Return views of all arrays that training changes from step to step."""
    return {
        "parameters": list(network.parameters.values()),
        "states": list(network.states.values()),
        **{f"slots/{name}": list(slot.views(trained).values()) for name, slot in slots.items()},
    }


def _size(views: Sequence[Array]) -> int:
    return sum(view.size for view in views)


def _parts(flat: Array, views: Sequence[Array]) -> Iterator[Array]:
    """Go through the parts of a flat array, each in the shape of one of the views."""
    end = 0
    for view in views:
        begin, end = end, end + view.size
        yield flat[begin:end].reshape(view.shape)


class CheckpointStore(Protocol):
    """Keeps snapshots of a run, perhaps in the background."""

    def raise_failure(self) -> None:
        """Raise what went wrong with an earlier snapshot, if that is known and was not raised before."""

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Keep a snapshot to resume from, or as the best so far."""


class CheckpointSchedule:
    """Decides after which steps a run is saved; without a section, after none."""

    def __init__(self, section: CheckpointSection | None, steps_per_epoch: int) -> None:
        periods = (section.every, (section.every_epochs or 0) * steps_per_epoch) if section else ()
        self._periods = [period for period in periods if period]
        self._seconds = (section and section.every_seconds) or math.inf
        self.deadline = time.perf_counter() + self._seconds
        """When a step is done at this time or later, the run is due, however many steps that were."""

    def next_step(self, step: int) -> int:
        """Return the step after which the run is due next, regardless of the clock."""
        return min((step - step % period + period for period in self._periods), default=sys.maxsize)

    def restart_clock(self) -> None:
        """Move the deadline, once the run was saved because of it."""
        self.deadline = time.perf_counter() + self._seconds


class Best(NamedTuple):
    """The best evaluation of a run so far."""

    step: int
    value: float


@dataclass
class BestTracker:
    """Compares evaluations by the loss or a metric; one that is not finite is never the best.

    A value counts as better by more than ``minimum_change``, or if it equals the best and ``last_of_equals`` is set.
    """

    monitor: str
    higher_is_better: bool = False
    minimum_change: float = 0.0
    last_of_equals: bool = False
    best: Best | None = field(default=None, init=False)

    def key(self, record: Mapping[str, float]) -> str:
        """Return the key of the value: of the validation data, or without any of the training data."""
        return f"{decisive_split(record)}_{self.monitor}"

    def improved(self, record: Mapping[str, float]) -> bool:
        """Take in an evaluation, and return whether it is the best so far."""
        value = record[self.key(record)]
        if not math.isfinite(value):
            return False
        gain = math.inf if self.best is None else (value - self.best.value) * (1 if self.higher_is_better else -1)
        if not (gain > self.minimum_change or (self.last_of_equals and gain == 0)):
            return False
        self.best = Best(int(record["iteration"]), value)
        return True


def tracker_of(section: Training, history: Sequence[Mapping[str, float]]) -> BestTracker:
    """Return the tracker of a run's best evaluation, which has seen the evaluations so far."""
    saving, stopping = section.checkpoint, section.early_stopping
    monitor = section.best_weights or (saving and saving.best) or (stopping and stopping.metric) or "loss"
    tracker = _tracker(section, monitor)
    for record in history:
        if tracker.key(record) in record:  # history.jsonl leaves out what is not finite
            tracker.improved(record)
    return tracker


def tracker_of_checkpoint(section: Training) -> BestTracker | None:
    """Return what tracks the evaluation at which a run is saved as the best so far; None if it isn't."""
    monitor = section.checkpoint and section.checkpoint.best
    return _tracker(section, monitor) if monitor else None


def _tracker(section: Training, monitor: str) -> BestTracker:
    return BestTracker(monitor, higher_is_better(section, monitor), last_of_equals=section.ties == "last")


def higher_is_better(section: Training, monitor: str) -> bool:
    """Whether larger values of the loss, or of one of the metrics, are better."""
    return any(metric.name == monitor and metric.component.higher_is_better for metric in section.metrics)

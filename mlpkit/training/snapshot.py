"""Everything that the future of a training run depends on.

Random numbers and the positions in the shuffle are keyed by seed and step, schedules are functions of progress, and
optimizers keep what they must in slots: none of that has a state of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.network.sequential import Sequential
    from mlpkit.training.history import Record

_ITERATION = "iteration"


class Snapshot(NamedTuple):
    """A training run between two steps.

    Args:
        arrays: parameters, slots, layers' state, history, and arrays of callbacks, by name.
        figures: everything else, as plain data; ``step`` is the number of steps done.
    """

    arrays: dict[str, NDArray[Any]]
    figures: dict[str, Any]

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.figures["step"])


def live_arrays(network: Sequential, slots: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return views of all arrays that training changes from step to step; to write into them is to restore a run.

    Args:
        network: the network.
        slots: the optimizer's slots, laid out as the network's parameters.
    """
    layout = network.layout
    named = {f"parameters/{path}": array for path, array in network.parameters.items()}
    named |= {f"states/{path}": array for path, array in network.states.items()}
    return named | {
        f"slots/{slot}/{path}": layout.view(flat, path) for slot, flat in slots.items() for path in layout.offsets
    }


def restore_arrays(live: Mapping[str, NDArray[Any]], saved: Mapping[str, NDArray[Any]]) -> None:
    """Write saved arrays into those of a network and its optimizer.

    Args:
        live: what ``live_arrays`` returned.
        saved: arrays by the same names; others beside them are left alone.

    Raises:
        ModelFileError: one is missing, or has another shape or dtype; nothing was written.
    """
    for name, view in live.items():
        array = saved.get(name)
        if array is None or array.shape != view.shape or array.dtype != view.dtype:
            found = "missing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise ModelFileError(f"array {name} of the checkpoint is {found}; expected {view.dtype} of {view.shape}")
    for name, view in live.items():
        view[...] = saved[name]


def history_arrays(history: Sequence[Record]) -> dict[str, NDArray[Any]]:
    """Return a history column by column; every record has the same keys."""
    keys = history[0] if history else ()
    return {
        f"history/{key}": np.array([record[key] for record in history], np.int64 if key == _ITERATION else np.float64)
        for key in keys
    }


def history_of(arrays: Mapping[str, NDArray[Any]], keys: Sequence[str]) -> list[Record]:
    """Return the history in a snapshot's arrays, its keys in their order."""
    columns = [arrays[f"history/{key}"].tolist() for key in keys]
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]

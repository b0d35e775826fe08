"""Checks that splits have the sizes asked for, and the same share of each class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataWarning
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.splits.shares import Shares

SURELY_SOME: Final = 3
"""The expected number of examples of a class that by chance is 0 once in twenty times."""


def warnings_about_shares(
    counts: Mapping[str, NDArray[np.integer]],
    classes: Sequence[str],
    shares: Shares,
    files: Collection[str],
    remedy: str,
) -> tuple[DataWarning, ...]:
    """Return a warning if the size of a split, or of a class in it, is off by half.

    Deviations of up to three standard deviations count as chance. Counts are of each class in each split, or of all
    examples, if there are no classes. ``files`` are the splits that have separate files; the remedy is for the others.
    """
    train = counts["train"]
    held_out = [name for name in ("validation", "test") if name in counts]
    total = sum(int(counts[name].sum()) for name in counts if name not in files)
    asked = {name: getattr(shares, name) for name in held_out if name not in files}
    wrong_sizes = [name for name in asked if _is_far(counts[name].sum(), asked[name] * total)]
    faults = [
        f"{name} has {_percent(counts[name].sum() / total)} of the rows, not {_percent(asked[name])}"
        for name in wrong_sizes
    ]
    far = {name: _is_far(counts[name], train / train.sum() * counts[name].sum()) for name in held_out}
    wrong_shares = [name for name in held_out if far[name].any()]
    if wrong_shares:
        of_all = {name: counts[name] / counts[name].sum() for name in ("train", *wrong_shares)}
        worst = int(np.max([far[name] * abs(of_all[name] - of_all["train"]) for name in wrong_shares], axis=0).argmax())
        where = ", ".join(f"{_percent(of_all[name][worst])} of {name}" for name in of_all)
        others = int(np.any([far[name] for name in wrong_shares], axis=0).sum()) - 1
        more = "; 1 more class differs" if others == 1 else f"; {others} more classes differ" if others else ""
        faults.append(f"class {shown_text(classes[worst])} is {where}{more}")
    if not faults:
        return ()
    message = f"the splits differ, so results and best weights may mislead: {'; '.join(faults)}"
    parameter = "split"
    if not wrong_sizes and set(wrong_shares) <= set(files):
        parameter = wrong_shares[0]
        remedy = f"give {parameter} examples that are drawn like the training examples"
    return (DataWarning(parameter, message, remedy),)


def _is_far(actual: NDArray[np.integer], expected: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers of examples are off by half, and by more than chance."""
    off = np.abs(actual - expected)
    far: NDArray[np.bool_] = (off > expected / 2) & (off > 3 * np.sqrt(np.maximum(actual, expected)))
    far |= (actual == 0) & (expected >= SURELY_SOME)
    return far


def _percent(share: float) -> str:
    return f"{share:.2g}%" if 0 < (share := 100 * float(share)) < 1 else f"{share:.0f}%"


def holds(dtype: np.dtype[Any], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers are finite in a dtype; all of them for a dtype of integers."""
    if dtype.kind != "f":
        return np.ones(numbers.shape, np.bool_)
    with np.errstate(over="ignore"):
        finite: NDArray[np.bool_] = np.isfinite(numbers.astype(dtype))
        return finite


def too_large(dtype: np.dtype[Any], number: float, scaled: float, remedy: str) -> str:
    """Return the message for a number that a dtype can't hold, once scaled, with what to do about the number."""
    what = f"{number:g}" if scaled == number else f"{number:g}, scaled to {scaled:g},"
    most = np.finfo(dtype).max
    return f"{what} is too large for {dtype}, whose largest number is {most:.3g}; set dtype: float64, or {remedy}"

"""Whether the splits have the sizes that were asked for, and the same share of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mlpkit import DataWarning
from mlpkit_plugins.formats.shown_text import shown_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit_plugins.splits.shares import Shares

SURELY_SOME: Final = 3
"""Chance leaves out a class once in twenty times if so many of its examples are expected."""


def warnings_about_shares(
    counts: Mapping[str, NDArray[np.integer]],
    classes: Sequence[str],
    shares: Shares,
    files: Collection[str],
    remedy: str,
) -> tuple[DataWarning, ...]:
    """Return one warning if a split has half as many examples as it should, or of a class, or half as many again.

    What chance alone may do, three standard deviations of a number of examples, isn't worth a warning.

    Args:
        counts: how many examples of each class each split has; of all, if there are no classes.
        classes: the names of the classes.
        shares: the sizes that were asked for.
        files: the splits that have files of their own.
        remedy: what to do if the other splits differ.
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
    message = f"the splits aren't alike, so results and best weights may mislead: {'; '.join(faults)}"
    parameter = "split"
    if not wrong_sizes and set(wrong_shares) <= set(files):
        parameter = wrong_shares[0]
        remedy = f"give {parameter} examples that are drawn as those for training are"
    return (DataWarning(parameter, message, remedy),)


def _is_far(found: NDArray[np.integer], expected: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether numbers of examples are off by half, and by more than chance."""
    off = np.abs(found - expected)
    far: NDArray[np.bool_] = (off > expected / 2) & (off > 3 * np.sqrt(np.maximum(found, expected)))
    far |= (found == 0) & (expected >= SURELY_SOME)
    return far


def _percent(share: float) -> str:
    return f"{share:.2g}%" if 0 < (share := 100 * float(share)) < 1 else f"{share:.0f}%"

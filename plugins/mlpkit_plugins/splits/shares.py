"""Shares of the examples that are held out from training, and warnings about splits of other sizes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Sized
from typing import Annotated, Final, NamedTuple, TypeAlias, TypeVar

import numpy as np
from annotated_types import Ge, Lt
from numpy.typing import NDArray

from mlpkit import DataWarning, ParameterError
from mlpkit_plugins.formats.texts import shown_text

Share: TypeAlias = Annotated[float, Ge(0), Lt(1)]
"""A share of the examples."""
F = TypeVar("F", bound=str | tuple[str, str])
Part = TypeVar("Part", bound=Sized)


class Shares(NamedTuple):
    """The shares of the held-out splits, in [0, 1); the rest is for training."""

    validation: float
    test: float

    def check_sum(self) -> None:
        """Check that examples are left to train on."""
        if self.validation + self.test >= 1:
            message = f"{self.validation:g} for validation and {self.test:g} for testing leave nothing to train on"
            raise ParameterError("validation", message, expected="shares whose sum is below 1")

    def filled(self, parts: dict[str, Part]) -> dict[str, Part]:
        """Return the splits that have examples, after a check that every requested one has some."""
        sizes = {name: len(part) for name, part in parts.items()}
        examples = sum(sizes.values())
        for name, share in (("validation", self.validation), ("test", self.test)):
            if share > 0 and not sizes[name]:
                message = f"the share of {share:g} for {name} gives none of {_counted(examples)}"
                raise ParameterError(name, message, remedy=f"ask for a larger share, or set {name}: 0 to disable it")
        if not sizes["train"]:
            message = (
                f"the shares of {self.validation:g} for validation and {self.test:g} for testing leave none of "
                f"{_counted(examples)} to train on"
            )
            raise ParameterError("validation", message, remedy="ask for smaller shares, or add examples")
        return {name: part for name, part in parts.items() if len(part)}


FEWEST_TO_TEST: Final = 10
"""With fewer examples in a split, a single one changes its accuracy by more than a tenth."""


def warnings_about_sizes(sizes: Mapping[str, int], files: Collection[str]) -> tuple[DataWarning, ...]:
    """Return a warning for each split too small for meaningful results; ``files`` are those with separate files."""
    remedies = {name: f"name a file with more in {name}" for name in files}
    return tuple(
        DataWarning(
            name,
            f"the {name} results will mean little, with {_counted(sizes[name])}",
            remedies.get(name, f"set a larger share in {name}"),
        )
        for name in ("validation", "test")
        if 0 < sizes.get(name, 0) < FEWEST_TO_TEST
    )


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


def shares_and_files(validation: float | F, test: float | F) -> tuple[Shares, dict[str, F]]:
    """Return the shares of the held-out splits, and the files of the splits that have separate files."""
    sources = {"validation": validation, "test": test}
    files = {name: source for name, source in sources.items() if isinstance(source, str | tuple)}
    shares = Shares(*(source if isinstance(source, float) else 0.0 for source in sources.values()))
    shares.check_sum()
    return shares, files


def _counted(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples:,} examples"

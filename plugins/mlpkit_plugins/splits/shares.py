"""Shares of the examples that are held out from training."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sized
from typing import Annotated, Final, NamedTuple, TypeAlias, TypeVar

from annotated_types import Ge, Lt

from mlpkit import DataWarning, ParameterError

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

    def check_not_empty(self, sizes: dict[str, int], remedy: str = "") -> None:
        """Check that every requested split has an example; the remedy is for a split that is empty by chance."""
        examples = sum(sizes.values())
        for name, share in (("validation", self.validation), ("test", self.test)):
            if share > 0 and not sizes[name]:
                message = f"the share of {share:g} for {name} gives none of {_counted(examples)}"
                scale = 10.0 ** (len(str(examples)) + 1)
                least = math.ceil(scale / max(examples, 1)) / scale  # one example, as a share of two digits
                advice = f"ask for a larger share, such as {least:g}" if examples > 1 else "add examples"
                if round(share * examples):  # enough on average
                    advice = f"ask for a larger share, or {remedy}"
                raise ParameterError(name, message, remedy=f"{advice}, or set {name}: 0 to disable it")
        if not sizes["train"]:
            message = (
                f"the shares of {self.validation:g} for validation and {self.test:g} for testing leave none of "
                f"{_counted(examples)} to train on"
            )
            raise ParameterError("validation", message, remedy="ask for smaller shares, or add examples")

    def filled(self, parts: dict[str, Part], remedy: str = "") -> dict[str, Part]:
        """Return the splits that have examples, after the check of ``check_not_empty``."""
        self.check_not_empty({name: len(part) for name, part in parts.items()}, remedy)
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


def shares_and_files(validation: float | F, test: float | F) -> tuple[Shares, dict[str, F]]:
    """Return the shares of the held-out splits, and the files of the splits that have separate files."""
    sources = {"validation": validation, "test": test}
    files = {name: source for name, source in sources.items() if isinstance(source, str | tuple)}
    shares = Shares(*(source if isinstance(source, float) else 0.0 for source in sources.values()))
    shares.check_sum()
    return shares, files


def _counted(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples:,} examples"

"""Shares of the examples that are kept from training."""

from __future__ import annotations

from typing import NamedTuple

from mlpkit import ParameterError


class Shares(NamedTuple):
    """Which part of the examples makes which split; the rest is for training.

    Args:
        validation: share of the examples for validation, from 0 to below 1.
        test: share of the examples for testing, likewise.
    """

    validation: float
    test: float

    def expect_rest(self) -> None:
        """Make sure that something is left to train on.

        Raises:
            ParameterError: nothing is.
        """
        if self.validation + self.test >= 1:
            message = f"{self.validation:g} for validation and {self.test:g} for testing leave nothing to train on"
            raise ParameterError("validation", message, expected="shares whose sum is below 1")

    def expect_examples(self, sizes: dict[str, int], remedy: str = "") -> None:
        """Make sure that every split that was asked for has an example.

        Args:
            sizes: number of examples in each split.
            remedy: what else to do than to ask for a larger share.

        Raises:
            ParameterError: one has none.
        """
        examples = sum(sizes.values())
        for name, share in (("validation", self.validation), ("test", self.test)):
            if share > 0 and not sizes[name]:
                message = f"the share {share:g} of {examples:,} examples gives none"
                remedy = f"ask for a larger share{', or ' if remedy else ''}{remedy}"
                raise ParameterError(name, message, remedy=remedy)
        if not sizes["train"]:
            raise ParameterError("validation", f"of {examples:,} examples none is left to train on", remedy=remedy)

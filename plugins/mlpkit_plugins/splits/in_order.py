"""A split in the order of the examples: the first are for training, the next for validation, the last for testing."""

from __future__ import annotations

from mlpkit_plugins.splits.shares import Shares


def split_in_order(examples: int, shares: Shares) -> dict[str, range]:
    """Return the positions of each split as ranges, which take no memory.

    Args:
        examples: number of examples.
        shares: the shares of validation and test.

    Raises:
        ParameterError: a split that should have examples gets none.
    """
    validation, test = round(shares.validation * examples), round(shares.test * examples)
    train = examples - validation - test
    shares.check_not_empty({"train": train, "validation": validation, "test": test})
    parts = {
        "train": range(train),
        "validation": range(train, train + validation),
        "test": range(train + validation, examples),
    }
    return {name: rows for name, rows in parts.items() if len(rows)}

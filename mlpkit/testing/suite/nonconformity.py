"""What a check says when a component does not do what its kind promises."""

from __future__ import annotations

from mlpkit.errors import MlpkitError


class Nonconformity(MlpkitError, AssertionError):  # noqa: N818 - reads as what was found, in a test's report
    """A component breaks a promise of its kind.

    Args:
        happened: what it did.
        expected: what was expected instead.
        remedy: what to do.
    """

    def __init__(self, happened: str, *, expected: str, remedy: str = "") -> None:
        self.happened = happened
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{happened}; expected {expected}" + (f"; {remedy}" if remedy else ""))


class NotApplicable(Exception):  # noqa: N818 - not an error: there is nothing to check
    """A check can't be made here, and why."""


class LeftOut(NotApplicable):
    """A check rests on another that has failed.

    Args:
        earlier: that other one's name.
    """

    def __init__(self, earlier: str) -> None:
        super().__init__(f"there is nothing to check until {earlier} passes")

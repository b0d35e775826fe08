"""The processes, called ranks, that train one network together; by default there is a single one.

Rank 0 leads: it alone decides what comes next, shows it and writes it. The other ranks wait for the tasks that it
tells them, and have no say in when training ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, ParamSpec, Protocol, TypeVar

from mlpkit.errors import UsageError
from mlpkit.network.slices import Exchange, NoExchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Item = TypeVar("Item")
P = ParamSpec("P")
R = TypeVar("R")


class Ranks(Exchange, Protocol):
    """What one of the ranks knows of the others, and how it works with them.

    Attributes:
        rank: its number; 0 leads.
        size: how many ranks there are.
        cores: how many cores each has to itself.
    """

    rank: int
    size: int
    cores: int | None

    def divide(self, slices: int, *, fast: bool) -> range:
        """Agree on who computes which slices of a minibatch, and return this rank's.

        Args:
            slices: how many slices there are.
            fast: whether gradients may be added in any order.

        Raises:
            UsageError: they can't be shared out to so many ranks.
        """

    def tell(self, task: str, *arguments: object) -> None:
        """Have the other ranks do a task; called by another rank than 0, do nothing.

        Args:
            task: its name.
            arguments: what they need for it, as plain data.
        """

    def led(self, task: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that has the other ranks do a task while this one calls the function.

        Args:
            task: its name; the function's arguments are the task's.
            function: this rank's part.
        """

    def follow(self, tasks: Mapping[str, Callable[..., object]]) -> None:
        """Do the tasks that rank 0 tells, until it says that all is done.

        Args:
            tasks: what to call, by the names of tasks.
        """

    def hand_on(self, item: object) -> None:
        """Give rank 0 what it takes from this rank next."""

    def in_turn(self, own: Iterator[Item], count: int) -> Iterator[Item]:
        """Go through what all ranks hand on, rank after rank and round after round.

        Args:
            own: those of rank 0.
            count: how many there are in all.
        """


class OneRank(NoExchange):
    """A process that trains alone."""

    rank = 0
    size = 1
    cores: int | None = None

    def divide(self, slices: int, *, fast: bool) -> range:
        """Return all slices."""
        return range(slices)

    def tell(self, task: str, *arguments: object) -> None:
        """Do nothing, since there is no other rank."""

    def led(self, task: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function."""
        return function

    def follow(self, tasks: Mapping[str, Callable[..., object]]) -> None:
        """There is nothing to do."""

    def hand_on(self, item: object) -> None:
        """Do nothing, since there is no other rank."""

    def in_turn(self, own: Iterator[Item], count: int) -> Iterator[Item]:
        """Return the own items."""
        return own


ONE_RANK: Final = OneRank()


def own_slices(slices: int, ranks: int, rank: int) -> range:
    """Return the slices that a rank computes: a whole branch of the tree along which gradients are added.

    Each rank but the last has the same power of two of them, so that it hands on a single sum.

    Args:
        slices: slices of a minibatch.
        ranks: how many ranks there are.
        rank: the number of one.

    Raises:
        UsageError: some ranks would have no slice.
    """
    each = _slices_each(slices, ranks)
    if not each:
        *others, most = sorted({-(-slices // (1 << power)) for power in range(slices.bit_length() + 1)})
        fitting = " or ".join([", ".join(map(str, others)), str(most)] if others else ["1"])
        raise UsageError(
            f"{ranks} ranks can't share the {slices} slice{'s' if slices > 1 else ''} of a minibatch; expected "
            f"{fitting} ranks for so many slices, or a new run with a multiple of {ranks}: training.slices={ranks}"
        )
    return range(rank * each, min((rank + 1) * each, slices))


def _slices_each(slices: int, ranks: int) -> int:
    """Return the power of two that cuts the slices into as many groups as there are ranks; 0 if none does."""
    powers = (1 << power for power in range(slices.bit_length() + 1))
    return next((each for each in powers if -(-slices // each) == ranks), 0)

"""The processes, called ranks, that train one network together; by default there is a single one.

Rank 0 leads: it alone decides what comes next, shows it and writes it. The other ranks do the tasks that it
starts, until it ends the training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, ParamSpec, TypeVar

from mlpkit.errors import UsageError
from mlpkit.network.slices import Exchange

Item = TypeVar("Item")
P = ParamSpec("P")
R = TypeVar("R")


class Ranks(Exchange):
    """One of the ranks, which works with the rest; this class is a single rank.

    Attributes:
        rank: its number; 0 leads.
        size: how many ranks there are.
        cores: how many cores each has to itself; None for all.
    """

    rank: int = 0
    size: int = 1
    cores: int | None = None

    def divide(self, slices: int, *, fast: bool) -> range:
        """Agree on who computes which slices, and return this rank's; if ``fast``, gradients add up in any order."""
        return range(slices)

    def start_task(self, task: str, *arguments: object) -> None:
        """As rank 0, have the other ranks start a task, in which the next tasks follow."""

    def on_all_ranks(self, task: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that has the other ranks do a task, with its arguments, while this one calls it."""
        return function

    def follow(self, tasks: Mapping[str, Callable[..., object]]) -> None:
        """Do the tasks that rank 0 starts, given by their names, until it ends the training."""

    def gather(self, item: object) -> list[Any]:
        """Return in rank 0 what each rank brings, in their order, and nothing in other ranks.

        Rank 0 waits however long it takes, since other ranks may still be reading data.
        """
        return [item]

    def send_to_root(self, item: object) -> None:
        """Send rank 0 what it takes from this rank next in ``round_robin``."""

    def own_turns(self, count: int) -> range:
        """Return which of ``count`` items, counted from 0, are this rank's in ``round_robin``."""
        return range(count)

    def round_robin(self, own: Iterator[Item], count: int) -> Iterator[Item]:
        """Go through the items of all ranks, ``count`` in all, in turn; called by rank 0 with its own."""
        return own


ONE_RANK: Final = Ranks()


def own_slices(slices: int, ranks: int, rank: int) -> range:
    """Return the slices that a rank computes: a whole branch of the tree along which gradients are added.

    Each rank but the last has the same power of two of them, so that it hands on a single sum. If some ranks would have
    no slice, a ``UsageError`` is raised.
    """
    slices_each = {-(-slices // (1 << power)): 1 << power for power in reversed(range(slices.bit_length() + 1))}
    if ranks not in slices_each:
        *others, most = sorted(slices_each)
        fitting = " or ".join([", ".join(map(str, others)), str(most)] if others else ["1"])
        raise UsageError(
            f"{ranks} ranks can't share the {slices} slice{'s' if slices > 1 else ''} of a minibatch; expected "
            f"{fitting} ranks for this number of slices, or a new run with a multiple of {ranks}: "
            f"training.slices={ranks}"
        )
    each = slices_each[ranks]
    return range(rank * each, min((rank + 1) * each, slices))

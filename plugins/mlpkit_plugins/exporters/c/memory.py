"""The allocation of values in memory, which values share if they aren't needed at the same time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from mlpkit.graph import Node
from mlpkit_plugins.exporters.c.operators import ONE_TO_ONE, VIEWS
from mlpkit_plugins.exporters.c.step import Operand

FOREVER: Final = 1 << 62
"""The last step of outputs, and of inputs, which can't be overwritten."""


class Lifetime(NamedTuple):
    """The lifetime of a value.

    Args:
        size: the number of its elements.
        first: number of the step that computes it.
        last: number of the last step that uses it.
    """

    size: int
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Whether both values are needed during a step."""
        return self.first <= other.last and other.first <= self.last


def offsets(lifetimes: Mapping[str, Lifetime]) -> tuple[dict[str, int], int]:
    """Return the offset of each value in the work memory, and the size of the memory.

    Values are placed one by one into the first gap, from the largest to the smallest or in the order of computation,
    whichever takes less memory.

    Args:
        lifetimes: the lifetime of each value, by name.
    """
    by_size = sorted(lifetimes, key=lambda name: (-lifetimes[name].size, lifetimes[name].first))
    placements = [_placed(order, lifetimes) for order in (by_size, [*lifetimes])]
    return min(placements, key=lambda placement: placement[1])


def _placed(order: Sequence[str], lifetimes: Mapping[str, Lifetime]) -> tuple[dict[str, int], int]:
    placed: dict[str, int] = {}
    for name in order:
        own, begin = lifetimes[name], 0
        for other in sorted((each for each in placed if lifetimes[each].meets(own)), key=placed.__getitem__):
            if placed[other] >= begin + own.size:
                break
            begin = max(begin, placed[other] + lifetimes[other].size)
        placed[name] = begin
    return placed, max((placed[name] + lifetimes[name].size for name in placed), default=0)


def is_view(node: Node, values: Mapping[str, Operand]) -> bool:
    """Whether an operator leaves an example's elements unchanged.

    Args:
        node: the operator.
        values: the values that aren't constant, by name.
    """
    y, x = (values.get(name) for name in (node.outputs[0], node.inputs[0]))
    same_type = y is not None and x is not None and y.dtype == x.dtype
    return node.operator in VIEWS or (node.operator == "Cast" and same_type)


class Storage:
    """The values that share memory: views, and results that overwrite an input that isn't needed any more.

    Args:
        nodes: the operators, in order.
        values: the values that aren't constant, by name.
        feeds: names of the inputs.
        leaving: names of the outputs.

    Attributes:
        last: number of the last step that uses a value's memory, by the name of the value.
    """

    def __init__(
        self, nodes: Sequence[Node], values: Mapping[str, Operand], feeds: Collection[str], leaving: Collection[str]
    ) -> None:
        self._values = values
        self._of = {name: name for name in feeds}
        for node in nodes:
            y = node.outputs[0]
            self._of[y] = self._of[node.inputs[0]] if is_view(node, values) else y
        self.last = {
            self._of[name]: number for number, node in enumerate(nodes) for name in node.inputs if name in self._of
        }
        self.last |= dict.fromkeys([*feeds, *(self._of[name] for name in leaving)], FOREVER)
        for number, node in enumerate(nodes):
            y, x = node.outputs[0], node.inputs[0]
            if self._can_overwrite(node) and self.last[self[x]] == number and self.last[y] != FOREVER:
                owner = self[x]
                self.last[owner] = self.last[y]
                self._of.update((name, owner) for name, place in self._of.items() if place == y)

    def __getitem__(self, name: str) -> str:
        """Return the value whose memory a value uses."""
        return self._of[name]

    def owns(self, name: str) -> bool:
        """Whether a value has separate memory."""
        return self._of[name] == name

    def _can_overwrite(self, node: Node) -> bool:
        """Whether an operator can overwrite its first input with its result."""
        y, x = node.outputs[0], node.inputs[0]
        if node.operator not in ONE_TO_ONE or x not in self._of or not self.owns(y) or self._values[y].size == 1:
            return False
        sharing = [y, x, *(name for name in node.inputs[1:] if self._of.get(name) == self[x])]
        return len({(self._values[name].shape, self._values[name].dtype) for name in sharing}) == 1

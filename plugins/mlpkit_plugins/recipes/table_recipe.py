"""The interface of recipes, functions from facts about a table to a network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from mlpkit_plugins.first_networks.first_spec import Commented
from mlpkit_plugins.first_networks.perceptron import ClassTarget, ValueTarget


class TableFacts(NamedTuple):
    """The number of training rows, the target, the groups of numbers (``numbers``, ``dates``), and category counts."""

    rows: int
    target: ClassTarget | ValueTarget
    groups: Collection[str]
    categories: Mapping[str, int]

    @property
    def has_classes(self) -> bool:
        """Whether the target is a class."""
        return isinstance(self.target, ClassTarget)

    def batch_size(self, usual: int) -> int:
        """Return the size of minibatches: the usual one, or the largest power of two with two minibatches per epoch."""
        return min(usual, 1 << max(0, (self.rows // 2).bit_length() - 1))

    def for_numbers(self, layer: Any) -> dict[str, list[Any]]:
        """Return the groups of ``Columns`` that hold numbers, each with the same layer."""
        return {group: [layer] for group in self.groups}


EVALUATE_TRAIN: Final = Commented(False, "only at the end, which saves a fifth of the time")
"""``evaluate_train`` of recipes, whose training never depends on the training metrics."""


class TableNetwork(NamedTuple):
    """A network for a table, and its decisions; values of the spec may be ``Commented``.

    ``data`` are the parameters of the data set that set the encoding of inputs.
    """

    title: str
    data: Mapping[str, Any]
    layers: Sequence[Any]
    training: Mapping[str, Any]
    decisions: Sequence[tuple[str, str]]


Recipe: TypeAlias = Callable[[TableFacts], TableNetwork]


def written_batch_size(batch: int, usual: int) -> Any:
    """Return the size of minibatches for a spec, with a comment if it is not the usual one."""
    return batch if batch == usual else Commented(batch, f"{usual} for {2 * usual} or more training rows")


def columns_layer(facts: TableFacts, groups: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Return the ``Columns`` layer with separate layers for groups of columns; empty without groups."""
    layer = {"Columns": groups}
    return [Commented(layer, "one-hot inputs pass unchanged") if facts.categories else layer] if groups else []

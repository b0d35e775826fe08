"""What a recipe is: a function from what is known of a table to a network for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from mlpkit_plugins.first_networks.perceptron import ClassTarget

if TYPE_CHECKING:
    from mlpkit.components.recipe import KeyPath
    from mlpkit_plugins.first_networks.perceptron import ValueTarget


class TableFacts(NamedTuple):
    """What is known of a table.

    Args:
        rows: how many there are to train on.
        target: what is to be predicted.
        groups: those of ``numbers`` and ``dates`` that inputs hold.
        categories: how many categories each column of them has, by its name.
    """

    rows: int
    target: ClassTarget | ValueTarget
    groups: Collection[str]
    categories: Mapping[str, int]

    @property
    def has_classes(self) -> bool:
        """Whether classes are to be predicted."""
        return isinstance(self.target, ClassTarget)

    def batch_size(self, usual: int) -> int:
        """Return the size of minibatches: the usual one, or the largest power of two of which an epoch has two.

        Args:
            usual: the recipe's, a power of two.
        """
        return min(usual, 1 << max(0, (self.rows // 2).bit_length() - 1))

    def for_numbers(self, layer: Any) -> dict[str, list[Any]]:
        """Return the groups of ``Columns`` that hold numbers, each with one layer.

        Args:
            layer: the layer.
        """
        return {group: [layer] for group in self.groups}


class Commented(NamedTuple):
    """A value of a spec, and what to say of it there."""

    value: Any
    comment: str


EVALUATE_TRAIN: Final = Commented(False, "at the end only, which saves a fifth of the time")
"""``evaluate_train`` of a recipe, whose length is set by validation data or not at all."""


class TableNetwork(NamedTuple):
    """A network for a table, as plain data of a spec in which values may be ``Commented``.

    Args:
        title: what it is.
        data: parameters of the data set: how inputs are encoded.
        layers: the layers.
        training: how to train it.
        decisions: what was decided, each a label and a text.
    """

    title: str
    data: Mapping[str, Any]
    layers: Sequence[Any]
    training: Mapping[str, Any]
    decisions: Sequence[tuple[str, str]]


Recipe: TypeAlias = Callable[[TableFacts], TableNetwork]


def written_batch_size(batch: int, usual: int) -> Any:
    """Return the size of minibatches as a spec has it: with a comment if it is not the usual one.

    Args:
        batch: the size.
        usual: the recipe's.
    """
    return batch if batch == usual else Commented(batch, f"{usual} from {2 * usual} training rows on")


def columns_layer(facts: TableFacts, groups: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Return the layer in which groups of columns go through layers of their own; nothing if there are no groups.

    Args:
        facts: what is known of the table.
        groups: layers by what the columns hold.
    """
    layer = {"Columns": groups}
    return [Commented(layer, "one-hot inputs pass unchanged") if facts.categories else layer] if groups else []


def split_comments(value: Any, path: KeyPath = ()) -> tuple[Any, dict[KeyPath, str]]:
    """Return a value in which nothing is ``Commented``, and the comments by path.

    Args:
        value: plain data in which values may be ``Commented``.
        path: where it stands.
    """
    if isinstance(value, Commented):
        plain, comments = split_comments(value.value, path)
        return plain, {path: value.comment, **comments}
    if not isinstance(value, Mapping | list):
        return value, {}
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    parts = {key: split_comments(item, (*path, key)) for key, item in items}
    comments = {place: text for _, found in parts.values() for place, text in found.items()}
    plain = {key: part for key, (part, _) in parts.items()}
    return plain if isinstance(value, Mapping) else list(plain.values()), comments

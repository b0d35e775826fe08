"""Which examples make up the minibatch of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from mlpkit.components.randomness import keyed_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS_DRAWN_TOGETHER = 131_072
"""Positions drawn at once with replacement, a megabyte of them: a keyed generator costs as much as 10,000 positions."""


class Choice(Protocol):
    """Chooses the examples of minibatches."""

    def indices(self, step: int) -> NDArray[Any]:
        """Return the positions of the examples of a minibatch, counted from 0; not to be written into."""


class Sampler(ABC):
    """Chooses minibatches; the one of a step depends on seed and step alone, so that any step can be repeated.

    Args:
        examples: number of training examples.
        batch_size: examples of a minibatch.
        seed: the spec's seed.
    """

    def __init__(self, examples: int, batch_size: int, seed: int) -> None:
        self.steps_per_epoch = -(-examples // batch_size)
        self._examples = examples
        self._batch_size = batch_size
        self._seed = seed

    @abstractmethod
    def indices(self, step: int) -> NDArray[Any]:
        """Return the positions of the examples of a step, counted from 0; not to be written into."""


class Shuffle(Sampler):
    """Every example once an epoch, in an order of its own for each epoch; the last minibatch may be smaller."""

    _epoch = -1
    _order: NDArray[Any]

    def indices(self, step: int) -> NDArray[Any]:
        """Return the positions of the examples of a step."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._order = keyed_generator(self._seed, "shuffle", epoch).permutation(self._examples)
            self._epoch = epoch
        begin = position * self._batch_size
        return self._order[begin : begin + self._batch_size]


class WithReplacement(Sampler):
    """Independent draws: an example may come twice in a minibatch, or not at all in an epoch."""

    _block = -1
    _draws: NDArray[Any]

    def __init__(self, examples: int, batch_size: int, seed: int) -> None:
        super().__init__(examples, batch_size, seed)
        self.steps_drawn_together = max(1, NUMBERS_DRAWN_TOGETHER // batch_size)

    def indices(self, step: int) -> NDArray[Any]:
        """Return the positions of the examples of a step."""
        block, position = divmod(step, self.steps_drawn_together)
        if block != self._block:
            generator = keyed_generator(self._seed, "with_replacement", block)
            self._draws = generator.integers(self._examples, size=(self.steps_drawn_together, self._batch_size))
            self._block = block
        drawn: NDArray[Any] = self._draws[position]
        return drawn


SAMPLERS: dict[str, type[Sampler]] = {"shuffle": Shuffle, "with_replacement": WithReplacement}
"""Samplers by their names in the spec."""

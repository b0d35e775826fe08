"""Random 16-bit integers, cheaper to draw than from NumPy's distributions, and what is drawn from them."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Fans, Initializer
from mlpkit_plugins.kernels import philox_words

WORDS_OF_A_DRAW: Final = 4
"""16-bit words in a draw of 64 bits."""

DRAWS_OF_A_BLOCK: Final = 4
"""Draws in a block of 256 bits, which Philox computes at once and counts."""


def random_words(rng: np.random.Generator, out: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Fill out with random integers from 0 to 65,535, four from each draw of the generator, and return it.

    Args:
        rng: a generator with 64 random bits per draw, such as Philox or PCG64.
        out: contiguous, of any shape.
    """
    state: dict[str, Any] = dict(rng.bit_generator.state)
    draws = -(-out.size // WORDS_OF_A_DRAW)
    if state["bit_generator"] == "Philox" and state["buffer_pos"] == DRAWS_OF_A_BLOCK:
        philox_words(state["state"]["key"], state["state"]["counter"], out)
        rng.bit_generator.state = _after(state, draws)
    else:
        words = rng.bit_generator.random_raw(draws).astype("<u8", copy=False).view("<u2")[: out.size]
        out[...] = words.reshape(out.shape)
    return out


def _after(state: dict[str, Any], draws: int) -> dict[str, Any]:
    """Return the state of Philox after ``draws`` draws that started at a block."""
    blocks, more = divmod(draws, DRAWS_OF_A_BLOCK)
    counter = state["state"]["counter"]
    counter[0] += np.uint64(blocks)
    if more:  # the next draws take the rest of the block
        last = np.empty(DRAWS_OF_A_BLOCK * WORDS_OF_A_DRAW, np.uint16)
        state["buffer"] = philox_words(state["state"]["key"], counter, last).astype("<u2").view("<u8").astype(np.uint64)
        state["buffer_pos"] = more
        counter[0] += np.uint64(1)
    return state


class Uniform(Initializer):
    """Independent uniform numbers, for layers whose papers use them.

        U(-bound, bound)

    Args:
        bound: the bound.
        rows_alike: whether all rows of the first axis have the same numbers.
    """

    bound: float
    _: KW_ONLY
    rows_alike: bool = False

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-bound, bound)."""
        drawn = rng.uniform(-self.bound, self.bound, shape[1:] if self.rows_alike else shape).astype(dtype)
        return np.broadcast_to(drawn, shape)

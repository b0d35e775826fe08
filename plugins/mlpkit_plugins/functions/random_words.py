"""Random numbers of few bits, which cost less to draw than those of Generator's distributions."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS_OF_A_DRAW = 4
"""A draw has 64 bits, and a word 16."""


def random_words(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return random whole numbers from 0 to 65,535, four from each draw of the generator.

    Args:
        rng: a generator whose bits are all random, as Philox's and PCG64's are.
        shape: of the result.
    """
    size = prod(shape)
    bits = rng.bit_generator.random_raw(-(-size // WORDS_OF_A_DRAW))
    return bits.astype("<u8", copy=False).view("<u2").astype(np.uint16, copy=False)[:size].reshape(shape)

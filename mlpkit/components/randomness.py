"""Random numbers keyed by their purpose, so that they don't depend on the order of drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpkit.components.schedule import Progress


def keyed_generator(seed: int, *key: str | int) -> np.random.Generator:
    """Return a separate generator for each seed and key.

    The key of the counter-based generator Philox is the first half of the SHA-256 of seed and key.

    Args:
        seed: the spec's seed.
        key: what the numbers are for, such as ``("layer", "Dropout1", step, slice)``.

    Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011).
    """
    import hashlib  # noqa: PLC0415 - slow to import, and not needed to check a spec

    digest = hashlib.sha256(repr((seed, *key)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, "<u8", count=2)))


@dataclass(slots=True)
class RunPosition:
    """Where in a run a replica computes; all its operations share one.

    Args:
        progress: that of the training, which schedules follow.
        seed: the spec's seed.
        slice: which slice of the minibatch the replica computes.
        step: steps done before this one.
        forwards: number of forward passes begun, each with its own random numbers.
    """

    progress: Progress
    seed: int = 0
    slice: int = 0
    step: int = 0
    forwards: int = 0

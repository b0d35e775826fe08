"""What the tests of augmentations share: images whose pixels say where they are."""

from __future__ import annotations

import numpy as np
import pytest


def _places(rows, height, width):
    places = np.stack(np.mgrid[:height, :width]).astype(float)
    return np.broadcast_to(places, (rows, 2, height, width)).copy()


def _changed(augmentation, x, seed=0):
    return augmentation(x, np.random.default_rng(seed), np.full_like(x, np.nan))


@pytest.fixture(scope="session")
def places():
    """Return images of two channels, the place of each pixel from the top and from the left."""
    return _places


@pytest.fixture(scope="session")
def changed():
    """Return a function that applies an augmentation."""
    return _changed

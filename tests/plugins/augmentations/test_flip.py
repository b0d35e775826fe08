"""Images mirrored from left to right."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.augmentations.flip import Flip


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_so_many_images_are_mirrored_as_a_whole_and_the_others_stay(probability, places, changed):
    x = places(4000, 5, 6)
    found = changed(Flip(probability), x)
    mirrored = (found == x[..., ::-1]).all(axis=(1, 2, 3))
    assert np.array_equal(found[~mirrored], x[~mirrored])
    assert np.mean(mirrored) == pytest.approx(probability, abs=0.03)

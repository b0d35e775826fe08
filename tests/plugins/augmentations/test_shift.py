"""Images moved by whole pixels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mlpkit import ParameterError
from mlpkit_plugins.augmentations.shift import Shift


def test_every_pixel_of_an_image_moves_by_the_same_and_every_move_is_as_likely(places, changed):
    x = places(5000, 5, 6)
    found = changed(Shift(2, fill=-100.0), x)
    moves = Counter()
    for before, after in zip(x, found, strict=True):
        inside = after[0] >= 0
        (down,), (across,) = (np.unique((after - before)[axis][inside]) for axis in (0, 1))
        moves[down, across] += 1
        expected_inside = (before[0] + down >= 0) & (before[0] + down < 5) & (before[1] + across >= 0)
        assert np.array_equal(inside, expected_inside & (before[1] + across < 6))
    assert len(moves) == 25
    assert max(moves.values()) < 1.4 * min(moves.values())


@pytest.mark.parametrize(("pixels", "image"), [(100_000, [28, 28]), (4, [4, 9]), (4, [9, 4]), (5, [3, 9, 4])])
def test_a_shift_that_may_leave_nothing_of_an_image_is_refused(pixels, image):
    with pytest.raises(ParameterError, match=rf"^pixels: a shift by {pixels} may move an image .* out of sight; "):
        Shift(pixels).expect_inputs(tuple(image))
    with pytest.raises(ParameterError, match=rf"expected less than {min(image[-2:])} pixels"):
        Shift(pixels, image=image).expect_inputs((int(np.prod(image)),))
    Shift(min(image[-2:]) - 1, image=image).expect_inputs((int(np.prod(image)),))


@pytest.mark.parametrize(("side", "remedy"), [(1, "; leave it out"), (2, "")])
def test_an_image_with_a_side_of_one_pixel_can_not_be_shifted(side, remedy):
    with pytest.raises(ParameterError, match=f"expected less than {side} pixels{remedy}$"):
        Shift(side).expect_inputs((side, 5))

"""Images turned about their centre."""

from __future__ import annotations

import numpy as np

from mlpkit_plugins.augmentations.rotation import Rotation

OUTSIDE = 1e12


def test_every_pixel_turns_about_the_centre_by_the_same_angle(places, changed):
    x = places(400, 9, 11)
    centre = np.array([4.0, 5.0]).reshape(2, 1, 1)
    before = (x - centre)[:, 0] + 1j * (x - centre)[:, 1]
    after = changed(Rotation(30.0, fill=OUTSIDE), x) - centre
    turned = (after[:, 0] + 1j * after[:, 1]) / np.where(before == 0, 1, before)
    inside = (abs(after).max(axis=1) < 100) & (before != 0)
    angles = [np.angle(one[where], deg=True) for one, where in zip(turned, inside, strict=True)]
    np.testing.assert_allclose(abs(turned[inside]), 1, atol=1e-9)
    assert all(np.ptp(of_image) < 1e-6 for of_image in angles)
    means = np.array([of_image.mean() for of_image in angles])
    assert abs(means).max() <= 30
    assert np.histogram(means, bins=6, range=(-30, 30))[0].min() > 40  # of 67 expected


def test_half_a_turn_and_a_quarter():
    x = np.random.default_rng(1).uniform(size=(1, 4, 7))

    class AllTheWay:
        def uniform(self, low, high, size):
            return np.full(size, high)

    np.testing.assert_allclose(Rotation(180.0)(x, AllTheWay(), np.empty_like(x)), x[:, ::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(  # what was below is now to the right: counter-clockwise
        Rotation(90.0)(x[:, :, :4], AllTheWay(), np.empty((1, 4, 4))), np.rot90(x[:, :, :4], axes=(1, 2)), atol=1e-12
    )

"""All augmentations of images: they take inputs of any shape as images, and refuse other inputs."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, ShapeError
from mlpkit_plugins.augmentations.elastic import Elastic
from mlpkit_plugins.augmentations.flip import Flip
from mlpkit_plugins.augmentations.rotation import Rotation
from mlpkit_plugins.augmentations.shift import Shift

ALL = pytest.mark.parametrize("augmentation", [Shift, Rotation, Elastic])


@ALL
def test_rows_of_pixels_are_changed_as_the_images_they_are(augmentation, changed):
    x = np.random.default_rng(1).uniform(size=(9, 6, 8))
    expected = changed(augmentation(), x)
    assert not np.array_equal(expected, x)
    assert np.array_equal(changed(augmentation(), x.reshape(9, 1, 6, 8)).reshape(x.shape), expected)
    assert np.array_equal(changed(augmentation(image=[6, 8]), x.reshape(9, 48)).reshape(x.shape), expected)
    assert np.array_equal(changed(augmentation(image=[1, 6, 8]), x.reshape(9, 48)).reshape(x.shape), expected)


@ALL
def test_channels_change_together_and_images_apart(augmentation, changed):
    image = np.random.default_rng(1).uniform(size=(6, 8))
    same = np.broadcast_to(image, (5, 3, 6, 8)).copy()
    found = changed(augmentation(), same)
    assert np.array_equal(found[:, 0], found[:, 1])
    assert np.array_equal(found[:, 0], found[:, 2])
    assert len({one.tobytes() for one in found}) > 1


@ALL
def test_what_comes_from_outside_is_filled(augmentation, changed):
    white = np.ones((50, 6, 8))
    assert np.array_equal(changed(augmentation(fill=1.0), white), white)
    assert changed(augmentation(), white).min() < 0.5


@ALL
@pytest.mark.parametrize("shape", [(), (784,), (1, 1, 28, 28)])
def test_inputs_that_are_no_images_are_refused(augmentation, shape):
    with pytest.raises(ShapeError, match=r"can't take inputs of shape .*; expected images, shape \(height, width\) or"):
        augmentation().expect_inputs(shape)


@ALL
def test_an_image_shape_that_does_not_fit_is_refused(augmentation):
    with pytest.raises(ParameterError, match=r"image: an image of shape \[28, 27\] has 756 pixels, and an input 784"):
        augmentation(image=[28, 27]).expect_inputs((784,))
    with pytest.raises(
        ParameterError, match=r"image: \[784\] is not the shape of an image; expected \[height, width\]"
    ):
        augmentation(image=[784]).expect_inputs((784,))
    augmentation(image=[28, 28]).expect_inputs((784,))
    augmentation().expect_inputs((28, 28))
    augmentation().expect_inputs((3, 28, 28))


@pytest.mark.parametrize(
    ("usual", "documented"),
    [
        (Elastic(), Elastic(34.0, 4.0, fill=0.0)),  # which moves pixels by 1.4 of them
        (Flip(), Flip(0.5)),
        (Rotation(), Rotation(15.0, fill=0.0)),
        (Shift(), Shift(2, fill=0.0)),
    ],
    ids=repr,
)
def test_without_parameters_images_change_as_much_as_the_documentation_says(usual, documented, changed):
    x = np.random.default_rng(1).uniform(1, 2, size=(40, 9, 11))
    np.testing.assert_array_equal(changed(usual, x), changed(documented, x))

"""Inputs and weights as images."""

import numpy as np
import pytest

import mlpkit
from mlpkit.layers import Affine, Conv2d, Flatten, SoftmaxWithLoss
from mlpkit.pages.images import image_shape, thumbnail, weights_as_images


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((5, 8, 8), np.uint8, (8, 8)),
        ((5, 1, 8, 8), np.uint8, (1, 8, 8)),
        ((5, 3, 8, 8), np.uint8, (3, 8, 8)),
        ((5, 4, 8, 8), np.uint8, None),
        ((5, 64), np.uint8, None),
        ((5, 8, 8), np.float64, None),
    ],
)
def test_bytes_with_height_and_width_are_images(shape, dtype, expected):
    assert image_shape(np.zeros(shape, dtype)) == expected


def test_small_images_stay_as_they_are():
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)

    assert thumbnail(image).tolist() == image[0].tolist()


def test_colours_come_last():
    image = np.arange(24, dtype=np.uint8).reshape(3, 2, 4)

    assert thumbnail(image).tolist() == image.transpose(1, 2, 0).tolist()


def test_large_images_become_means_of_blocks():
    image = np.kron(np.arange(64, dtype=np.uint8).reshape(8, 8), np.ones((25, 25), np.uint8))

    small = thumbnail(image)

    assert small.shape == (50, 50)
    assert small[0, 0] == 0
    assert small[-1, -1] == 63


def test_a_narrow_image_keeps_its_width():
    assert thumbnail(np.ones((200, 2), np.uint8)).shape == (50, 1)


def network(*layers, shape):
    return mlpkit.Sequential([*layers, SoftmaxWithLoss()], input_shape=shape, target=mlpkit.Classes(3), seed=0)


def test_weights_of_a_unit_are_an_image_of_their_signs_and_sizes():
    found = network(Affine(3), shape=(6,))
    found.parameters["Affine1.W"][:, 1] = [2, 0, -1, 0, 0, 1]

    name, images = weights_as_images(found, (2, 3))

    assert name == "Affine1.W"
    assert len(images) == 3
    assert images[1][..., 3].tolist() == [[255, 0, 128], [0, 0, 128]]
    assert images[1][0, 0, 2] > images[1][0, 0, 0]
    assert images[1][0, 2, 0] > images[1][0, 2, 2]


def test_filters_are_images_of_their_own_size():
    found = network(Conv2d(filters=4, size=3), Flatten(), Affine(3), shape=(1, 8, 8))

    name, images = weights_as_images(found, (1, 8, 8))

    assert name == "Conv2d1.W"
    assert [image.shape for image in images] == [(3, 3, 4)] * 4


def test_filters_of_coloured_images_have_colours():
    found = network(Conv2d(filters=2, size=5), Flatten(), Affine(3), shape=(3, 8, 8))

    assert [image.shape for image in weights_as_images(found, (3, 8, 8))[1]] == [(5, 5, 3)] * 2


def test_weights_of_large_images_become_smaller():
    found = network(Affine(3), shape=(3 * 100 * 90,))

    assert [image.shape for image in weights_as_images(found, (3, 100, 90))[1]] == [(33, 30, 3)] * 3


def test_weights_that_meet_something_else_are_no_images():
    assert weights_as_images(network(Affine(3), shape=(7,)), (2, 3)) == ("", [])

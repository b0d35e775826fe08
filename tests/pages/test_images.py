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


@pytest.mark.parametrize(("side", "shown"), [(64, 64), (65, 32), (128, 64), (129, 43)])
def test_an_image_of_up_to_64_pixels_stays_as_large(side, shown):
    assert thumbnail(np.zeros((side, 3), np.uint8)).shape == (shown, 3 if side == 64 else 1)
    assert thumbnail(np.zeros((3, side, 70), np.uint8)).shape[2] == 3


def test_means_are_of_whole_blocks():
    small = thumbnail(np.arange(3 * 130, dtype=np.uint8).reshape(3, 130) % 100)
    rows = np.arange(3 * 130, dtype=np.uint8).reshape(3, 130) % 100
    assert small.tolist() == [[int(rows[:, 3 * i : 3 * i + 3].mean()) for i in range(43)]]


@pytest.mark.parametrize(
    ("layers", "inputs", "image", "shapes"),
    [
        ([Affine(49)], (6,), (2, 3), [(2, 3, 4)] * 48),
        ([Affine(4)], (4,), (2, 2), [(2, 2, 4)] * 4),
        ([Affine(2)], (40 * 40,), (40, 40), [(40, 40, 4)] * 2),
        ([Affine(2)], (41 * 41,), (41, 41), [(20, 20, 4)] * 2),
        ([Affine(2)], (12,), (3, 2, 2), [(2, 2, 3)] * 2),
        ([Affine(2)], (9,), (4, 4), [(3, 3, 4)] * 2),
        ([Conv2d(filters=2, size=1), Flatten()], (1, 4, 4), (1, 4, 4), []),
        ([], (3,), (1, 3), []),
    ],
)
def test_each_unit_of_the_first_weights_is_an_image(layers, inputs, image, shapes):
    name, images = weights_as_images(network(*layers, *([Affine(3)] if layers else []), shape=inputs), image)
    assert [each.shape for each in images] == shapes
    assert (name != "") == bool(shapes)


def test_units_are_rows_or_columns_of_the_weights_whichever_meets_the_inputs():
    square = network(Affine(4), Affine(3), shape=(4,))
    square.parameters["Affine1.W"][:] = np.diag([1.0, 2, 3, 4])
    square.parameters["Affine1.W"][3, 0] = -0.5
    assert weights_as_images(square, (2, 2))[1][0][..., 3].tolist() == [[255, 0], [0, 128]]


def test_weights_of_nothing_are_clear_and_coloured_ones_are_shades():
    grey, coloured = (network(Affine(1), Affine(3), shape=shape) for shape in ((4,), (12,)))
    grey.parameters["Affine1.W"][:] = 0
    assert weights_as_images(grey, (2, 2))[1][0][..., 3].tolist() == [[0, 0], [0, 0]]
    coloured.parameters["Affine1.W"][:, 0] = [4, -4, 2, 0, 0, -1, 1, 3, -3, 0, 0, 0]
    shades = weights_as_images(coloured, (3, 2, 2))[1][0]
    assert shades.tolist() == [[[255, 128, 32], [0, 96, 128]], [[191, 159, 128], [128, 223, 128]]]

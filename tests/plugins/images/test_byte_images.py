"""Images that are bytes: which raw images are normalized, taken unchanged or refused."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import require_package

from mlpkit import DataError, ShapeError

ImageFolder = require_package("mlpkit_plugins.datasets.image_folder").ImageFolder


def images(channels=1, **options):
    """Return a data set of images of 2 by 3 pixels."""
    dataset = ImageFolder("x", **options)
    dataset.load_encoder_state({"classes": ["a", "b"], "image_shape": [channels, 2, 3]})
    return dataset


@pytest.mark.parametrize(
    ("pixel", "dtype", "encoded"),
    [
        (255, np.uint8, 1),
        (51, np.int64, 0.2),
        (1, bool, 1),
        (0.5, np.float32, 0.5),
        (20.0, float, 20),
        (20.5, float, None),
        (255.0, float, None),
        (255.5, float, 255.5),
    ],
)
def test_integers_are_normalized_and_floats_that_may_be_so_are_taken(pixel, dtype, encoded):
    raw = np.zeros((4, 6), dtype)
    raw[3, 5] = pixel
    assert images(normalize=False).encode(raw)[3, 5] == pixel
    if encoded is None:
        with pytest.raises(DataError, match=f"^the pixels: they are floats such as {pixel:g}; expected floats from 0 "):
            images().encode(raw)
        return
    found = images().encode(raw)
    assert found[3, 5] == pytest.approx(encoded)
    assert found.sum() == found[3, 5]
    assert raw[3, 5] == np.array(pixel, dtype)


@pytest.mark.parametrize(
    ("channels", "fitting", "wrong", "expected"),
    [
        (1, [(1, 2, 3), (6,), (2, 3)], [(3, 2), (2, 3, 1), ()], "(rows, 1, 2, 3) or (rows, 6) or (rows, 2, 3)"),
        (3, [(3, 2, 3), (18,)], [(2, 3), (6,), (2, 3, 3)], "(rows, 3, 2, 3) or (rows, 18)"),
    ],
)
def test_images_come_with_their_axes_or_as_rows(channels, fitting, wrong, expected):
    pixels = np.arange(36 if channels == 1 else 108)
    for flatten in (True, False):
        dataset = images(channels, colour=channels == 3, flatten=flatten)
        shape = (6 * channels,) if flatten else (channels, 2, 3)
        for one in fitting:
            found = dataset.encode(pixels.reshape(6, *one))
            np.testing.assert_allclose(found, pixels.reshape(6, *shape) / 255, rtol=1e-6)
            assert dataset.encode(np.zeros((0, *one))).shape == (0, *shape)
        for one in wrong:
            with pytest.raises(ShapeError) as caught:
                dataset.encode(np.zeros((5, *one)))
            assert str(caught.value) == f"images of shape {(5, *one)} don't fit the data set; expected {expected}"


@pytest.mark.parametrize(
    ("pixel", "dtype", "why"),
    [
        (1, np.int64, ""),
        (2, np.int64, "they are integers such as 2, but encoding divides pixels by 255"),
        (200, np.uint8, "they are integers such as 200, but encoding divides pixels by 255"),
        (20.0, float, ""),
        (20.5, float, "they are numbers such as 20.5, but encoding divides pixels by 255"),
        (255.5, float, ""),
        (True, bool, ""),
    ],
)
def test_pixels_that_were_not_normalized_are_noticed(pixel, dtype, why):
    inputs = np.zeros((2, 6), dtype)
    inputs[1, 2] = pixel
    assert images().why_not_encoded(inputs) == why
    assert images(normalize=False).why_not_encoded(inputs) == ""


def test_normalized_pixels_need_no_other_scaling():
    assert images().input_scaling() == {}
    assert images(normalize=False).input_scaling() == {"normalize": True}

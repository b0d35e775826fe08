"""Images: grey values come as they are, and everything else is turned into them or refused."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from mlpkit import DataError
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES, read_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GREY = np.random.default_rng(0).integers(0, 256, (5, 7)).astype(np.uint8)


def saved(path: Path, pixels: NDArray[Any], mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif"])
def test_grey_images_come_as_they_are(tmp_path: Path, suffix: str) -> None:
    found = read_image(saved(tmp_path / f"x{suffix}", GREY))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, GREY[np.newaxis])


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_comes_close(tmp_path: Path, suffix: str) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 4
    found = read_image(saved(tmp_path / f"x{suffix}", smooth))
    assert found.shape == (1, 16, 24)
    np.testing.assert_allclose(found[0].astype(int), smooth, atol=6)


def test_colours_become_grey(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x.png", colours)), [[[76, 150, 29, 255]]])


def test_what_is_transparent_lies_on_black(tmp_path: Path) -> None:
    white = np.full((1, 3, 4), 255, np.uint8)
    white[0, :, 3] = [0, 100, 255]
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x.png", white)), [[[0, 100, 255]]])
    np.testing.assert_array_equal(read_image(saved(tmp_path / "y.png", white, "LA")), [[[0, 100, 255]]])


def test_a_transparent_colour_of_a_palette_lies_on_black(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 255, 255, 200, 200, 200])
    image.putdata([0, 1])
    image.save(tmp_path / "x.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), [[[0, 200]]])


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x.png", deep)), [[[0, 0, 1, 128, 255]]])


def test_black_and_white_becomes_grey(tmp_path: Path) -> None:
    bits = np.array([[0, 255]], np.uint8)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x.png", bits, "1")), [[[0, 255]]])


def test_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((2, 2), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(tmp_path / "x.gif"), np.full((1, 2, 2), 10))


def test_no_damage_escapes_as_another_error(tmp_path: Path) -> None:
    for suffix in IMAGE_SUFFIXES:
        path = saved(tmp_path / f"x{suffix}", GREY)
        content = path.read_bytes()
        for position in range(0, len(content), 7):
            for damaged in (
                content[:position],
                content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :],
            ):
                path.write_bytes(damaged)
                with contextlib.suppress(DataError):
                    assert read_image(path).ndim == 3


def test_a_wrong_file_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: no such file"
    path.write_text("not an image")
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: can't be read as an image; replace the file, or leave it out"
    with pytest.raises(DataError) as caught:
        read_image(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a folder; expected an image"


def test_an_image_of_absurd_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpkit_plugins.formats.image.MOST_PIXELS", 34)
    with pytest.raises(DataError, match=r"is 7 pixels wide and 5 high; expected at most 34 pixels in all$"):
        read_image(saved(tmp_path / "x.png", GREY))
    monkeypatch.setattr("mlpkit_plugins.formats.image.MOST_PIXELS", 35)
    assert read_image(tmp_path / "x.png").shape == (1, 5, 7)


def test_without_pillow_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "x.png", GREY)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert str(caught.value) == (
        f'{path}: reading images needs Pillow, which is not installed; install it with: pip install "mlpkit[images]"'
    )

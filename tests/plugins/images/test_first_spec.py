"""The spec that is proposed for a folder of images."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import require_package

from mlpkit import ParameterError

first_spec = require_package("mlpkit_plugins.images.first_spec")
Image = require_package("PIL.Image")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes images into class folders of a folder, by turns."""
    monkeypatch.chdir(tmp_path)

    def written(folder, *images, classes="ab"):
        for number, image in enumerate(images):
            path = tmp_path / folder / classes[number % len(classes)]
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(image, np.uint8)).save(path / f"{number:03}.png")

    return written


def proposal(folder, target=None, **files):
    return first_spec.propose_for_images({"train": folder, **files}, target)


def parameters(found):
    return {key: value for key, value in found.spec["data"]["image_folder"].items() if key not in ("test", "folder")}


def grey(height, width, level=0):
    return np.full((height, width), level)


def coloured(height, width, difference):
    """Return a grey image with one pixel whose channels differ."""
    image = np.full((height, width, 3), 100)
    image[height // 2, width // 3] = 100, 100 + difference, 100 - difference // 3
    return image


SHARES = {"validation": 0.2}


@pytest.mark.parametrize(
    ("sizes", "expected", "told"),
    [
        ([(64, 63)] * 2, {"flatten": False}, "64 by 63 pixels"),
        ([(65, 20)] * 2, {"resize": [64, 20], "flatten": False}, "65 by 20 pixels"),
        ([(30, 96)] * 2, {"resize": [20, 64], "flatten": False}, "30 by 96 pixels"),
        ([(300, 1)] * 2, {"resize": [64, 1]}, "300 by 1 pixels"),
        ([(8, 9)] * 2, {"flatten": False}, "8 by 9 pixels"),
        ([(7, 9)] * 2, {}, "7 by 9 pixels"),
        ([(9, 7)] * 2, {}, "9 by 7 pixels"),
        # the middle of the heights and of the widths, the lower of two
        ([(10, 30), (12, 20), (14, 25), (40, 9)], {"resize": [12, 20], "flatten": False}, "from 10 by 30 to 40 by 9"),
        ([(12, 30), (12, 20), (12, 25)], {"resize": [12, 25], "flatten": False}, "from 12 by 20 to 12 by 30 pixels"),
    ],
)
def test_images_of_any_size_become_small_ones_of_one_size(write, sizes, expected, told):
    write("pets", *(grey(*size) for size in sizes))
    found = proposal("pets")
    assert parameters(found) == {**expected, **SHARES}
    assert dict(found.decisions)["images"].startswith(f"{len(sizes)} in pets, {told}")
    assert found.comments.get(("data", "image_folder", "resize"), told).startswith(told)
    assert any("Conv2d" in str(layer) for layer in found.spec["layers"]) == (expected.get("flatten") is False)


@pytest.mark.parametrize(("difference", "words"), [(12, "grey"), (13, "with colours")])
def test_a_pixel_whose_channels_differ_by_more_than_16_has_a_colour(write, difference, words):
    write("pets", grey(4, 5), coloured(4, 5, difference))  # by a third more than that
    found = proposal("pets")
    assert parameters(found) == {**({"colour": True} if "colour" in words else {}), **SHARES}
    assert dict(found.decisions)["images"] == f"2 in pets, 4 by 5 pixels; {words}"


@pytest.mark.parametrize(("place", "is_seen"), [(0, True), (1, False), (2, True), (3, False), (4, True)])
def test_of_many_images_some_of_all_classes_are_searched_for_colours(write, monkeypatch, place, is_seen):
    monkeypatch.setattr(first_spec, "IMAGES_SEEN", 3)
    write("pets", *(coloured(4, 5, 60 if number == place else 0) for number in range(5)), classes="abcde")
    assert ("colour" in parameters(proposal("pets"))) == is_seen


def test_images_are_moved_over_the_usual_grey_at_their_upper_and_lower_edge(write):
    images = [grey(28, 8, level) for level in (51, 102, 255)]
    for image in images:
        image[1:-1] = 7
        image[0, :3] = 200
    write("pets", *images)
    (augment,) = proposal("pets").spec["training"]["augment"]
    assert augment == {"shift": {"pixels": 1, "fill": 0.4}}


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("train", "val"), {"folder": "pets/train", "validation": "pets/val"}),
        (("Training", "TEST"), {"folder": "pets/Training", "test": "pets/TEST"}),
        (("train", "dev", "testing"), {"folder": "pets/train", "validation": "pets/dev", "test": "pets/testing"}),
        (("train", "other"), {"folder": "pets"}),
        (("test", "val"), {"folder": "pets"}),
    ],
)
def test_folders_of_splits_are_found_by_their_names(write, names, folders):
    for name in names:
        write(f"pets/{name}", grey(4, 5), grey(4, 5))
    found = proposal("pets")
    data = found.spec["data"]["image_folder"]
    assert data == {**folders, **{split: 0.2 for split in ("validation", "test") if split not in folders}}
    splits = [(split, folders[split]) for split in ("validation", "test") if split in folders]
    assert [pair for pair in found.decisions if pair[0] in ("validation", "test")] == splits
    assert list(found.files) == list(folders.values())


def test_given_folders_come_before_those_found_and_are_not_decisions(write):
    for name in ("pets/train", "pets/val", "more"):
        write(name, *(grey(4, 5) for _ in range(3)))
    found = proposal("pets", validation="more")
    data = found.spec["data"]["image_folder"]
    assert data == {"folder": "pets/train", "validation": "more", "test": 0.2}
    assert [label for label, _ in found.decisions][:2] == ["images", "classes"]
    assert found.comments["data", "image_folder", "folder"] == "2 classes: a 67%, b 33%"
    assert found.comments[()] == "Predicts the folder of an image in pets/train."
    with pytest.raises(ParameterError, match=r"^validation: there is no folder 'mores'"):
        proposal("pets", validation="mores")


def test_other_folders_are_left_to_other_data_sets(write, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("a")
    assert proposal("texts") is None
    assert proposal("texts/a.txt") is None
    assert proposal("nothing") is None
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "texts/B.PNG")
    with pytest.raises(ParameterError, match="target: the class of an image is the name of its folder; leave out"):
        proposal("texts", "kind")

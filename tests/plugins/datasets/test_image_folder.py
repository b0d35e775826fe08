"""Folders of images: the right pixels reach the network, each image stays in its split, and mistakes name the file."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial

import data
import numpy as np
import pytest
from messages import message
from PIL import Image

import mlpkit
from mlpkit import Classes, DataError, Description, ModelFileError, ParameterError, ShapeError, SpecError
from mlpkit_plugins.datasets.image_folder import ImageFolder
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES

NONE = {"validation": 0, "test": 0}
taken = partial(data.taken, dtype=np.float32)


def pixels(number, channels=1):
    """Return an image of 4 by 5 pixels that tells its number."""
    image = np.full((4, 5, 3)[: 2 if channels == 1 else 3], number, np.uint8)
    image[0, 1] = 255
    return image


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Change to a folder that contains `pets`, with twenty cats and twenty dogs."""
    monkeypatch.chdir(tmp_path)
    for number in range(40):
        add(tmp_path / "pets" / ("cat", "dog")[number % 2] / f"{number}.png", pixels(number))
    return tmp_path


def add(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def numbers(dataset, split="train"):
    """Return the numbers that the images of a split tell."""
    x, _ = taken(dataset, split)
    return set(x.reshape(len(x), -1)[:, 0].astype(int).tolist())


def test_a_loss_on_values_gets_advice_that_folders_are_classes(folder):
    spec = {
        "mlpkit": 1,
        "data": {"image_folder": {"folder": "pets"}},
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "training": {"optimizer": "sgd", "epochs": 1},
    }
    (folder / "spec.yaml").write_text(json.dumps(spec))
    with pytest.raises(SpecError) as caught:
        mlpkit.build(mlpkit.load_spec("spec.yaml"))
    (fault,) = caught.value.faults
    assert fault.remedy == "end the layers with a loss on classes, such as SoftmaxWithLoss"


def test_pixels_and_classes(folder):
    dataset = ImageFolder("pets", flatten=False, **NONE)
    assert dataset.describe() == Description((1, 4, 5), Classes(2), {"train": 40})
    assert dataset.class_names() == ("cat", "dog")
    x, t = taken(dataset)
    order = sorted(range(40), key=lambda number: f"{('cat', 'dog')[number % 2]}/{number}.png")
    np.testing.assert_allclose(x[:, 0], [pixels(number) / 255 for number in order], rtol=1e-6)
    assert t.tolist() == [number % 2 for number in order]
    flat = ImageFolder("pets", normalize=False, **NONE)
    assert flat.describe().input_shape == (20,)
    assert taken(flat)[0][0].tolist() == pixels(order[0]).ravel().tolist()


def test_images_in_memory_are_evaluated_with_their_targets(folder):
    with pytest.raises(DataError, match=r"the rows: this data set doesn't read .* evaluate\(rows, targets\)"):
        ImageFolder("pets").read_examples({"pixels": [1, 2]})


def test_colours_come_as_channels(folder):
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 0], red[..., 2] = 255, 51
    add(folder / "reds/a/1.png", red)
    add(folder / "reds/b/1.png", red[..., ::-1])
    x, _ = taken(ImageFolder("reds", colour=True, flatten=False, **NONE))
    assert x.shape == (2, 3, 4, 5)
    np.testing.assert_allclose(x[:, :, 2, 3], [[1, 0, 0.2], [0.2, 0, 1]], rtol=1e-6)
    grey, _ = taken(ImageFolder("pets", colour=True, flatten=False, **NONE))
    np.testing.assert_array_equal(grey[:, 0], grey[:, 2])


def test_classes_that_are_numbers_stand_in_their_order(folder):
    for name in ("10", "9", "2"):
        add(folder / "digits" / name / "1.png", pixels(int(name)))
    dataset = ImageFolder("digits", normalize=False, **NONE)
    x, t = taken(dataset)
    assert dataset.class_names() == ("2", "9", "10")
    assert {(int(row[0]), int(number)) for row, number in zip(x, t, strict=True)} == {(2, 0), (9, 1), (10, 2)}


def test_images_are_scaled_if_the_spec_says_so(folder):
    add(folder / "pets/cat/large.png", np.full((40, 50), 9, np.uint8))
    assert message(lambda: ImageFolder("pets").open(0), DataError) == (
        "pets/cat/large.png: the image is 40 x 50 pixels; expected 4 x 5, like the first image; "
        "set resize: [4, 5] to scale all"
    )
    dataset = ImageFolder("pets", resize=(3, 2), flatten=False, normalize=False, **NONE)
    x, _ = taken(dataset)
    assert x.shape == (41, 1, 3, 2)
    assert (x == 9).all(axis=(1, 2, 3)).any()


def test_an_image_stays_in_its_split_when_others_come(folder):
    options = {"validation": 0.2, "test": 0.2, "normalize": False}
    splits = ("train", "validation", "test")
    before = {split: numbers(ImageFolder("pets", **options), split) for split in splits}
    assert sum(map(len, before.values())) == 40
    for number in range(40, 60):
        add(folder / f"pets/cat/{number}.png", pixels(number))
    after = {split: numbers(ImageFolder("pets", **options), split) for split in splits}
    assert {split: {n for n in found if n < 40} for split, found in after.items()} == before
    exact = ImageFolder("pets", split="shuffle", **options).describe().sizes
    assert exact == {"train": 36, "validation": 12, "test": 12}
    other = ImageFolder("pets", split_seed=1, **options)
    assert numbers(other, "test") != after["test"]


def test_splits_may_have_folders_of_their_own(folder):
    add(folder / "more/dog/a.png", pixels(99))
    dataset = ImageFolder("pets", validation=0, test="more", normalize=False)
    assert dataset.describe().sizes == {"train": 40, "test": 1}
    x, t = taken(dataset, "test")
    assert (x[0, 0], t.tolist()) == (99, [1])
    add(folder / "more/dogs/b.png", pixels(99))
    assert message(ImageFolder("pets", test="more").describe, DataError) == (
        "more/dogs/b.png: the class 'dogs' is not one that the model was trained on; did you mean 'dog'?"
    )


def test_a_saved_encoder_is_what_counts(folder):
    dataset = ImageFolder("pets", flatten=False)
    dataset.open(0)
    state = json.loads(json.dumps(dataset.encoder_state()))
    used = ImageFolder("gone", flatten=False)
    used.load_encoder_state(state)
    assert (used.class_names(), used.encoder_state()) == (("cat", "dog"), state)
    raw = used.read(folder / "pets/cat/0.png")
    assert raw.shape == (1, 1, 4, 5)
    for given in (raw, raw[:, 0], raw.reshape(1, 20)):
        np.testing.assert_allclose(used.encode(given)[0, 0], pixels(0) / 255, rtol=1e-6)
    np.testing.assert_array_equal(used.encode(raw / 255), (raw / 255).astype(np.float32))
    assert message(lambda: used.encode(raw.astype(float)), DataError) == (
        "the pixels: they are floats such as 255; expected floats from 0 to 1, or integers from 0 to 255, as "
        ".astype(np.uint8) makes them"
    )
    plain = ImageFolder("gone", flatten=False, normalize=False)
    plain.load_encoder_state(state)
    np.testing.assert_array_equal(plain.encode(raw.astype(float)), raw)
    assert used.read(folder / "pets/dog").shape == (20, 1, 4, 5)
    with pytest.raises(ShapeError, match="don't fit the data set"):
        used.encode(raw[:, :, 1:])
    add(folder / "large.png", np.zeros((40, 50), np.uint8))
    assert message(lambda: used.read(folder / "large.png"), DataError).endswith(
        "large.png: the image is 40 x 50 pixels; expected 4 x 5, as the model takes"
    )
    assert "unknown file type '.txt'; expected an image" in message(lambda: used.read(_text(folder)), DataError)


@pytest.mark.parametrize(
    "state",
    [{}, {"classes": ["a", 1], "image_shape": [1, 2, 2]}, {"classes": ["a", "b"], "image_shape": [2, 2, 2]},
     {"classes": ["a", "b"], "image_shape": [1, 0, 2]}, {"classes": ["a", "b"], "image_shape": [1, 2, 0]},
     {"classes": ["a", "b"], "image_shape": [True, 2, 2]}, {"classes": ["a", "b"], "image_shape": [1, 2, 2.0]},
     {"classes": ["a", "a"], "image_shape": [1, 2, 2]}, {"classes": ["a", "b"], "image_shape": [1, 2]},
     {"classes": ["a"], "image_shape": [1, 2, 2]}],
)  # fmt: skip
def test_an_invalid_state_is_refused(state):
    with pytest.raises(ModelFileError):
        ImageFolder("x").load_encoder_state(state)


@pytest.mark.parametrize("is_trained", [True, False])
def test_examples_of_another_folder_are_read_for_a_model_without_its_training_images(folder, is_trained):
    dataset = ImageFolder("gone" if is_trained else "pets")
    if is_trained:
        dataset.load_encoder_state({"classes": ["bird", "cat", "dog"], "image_shape": [1, 4, 5]})
    for name, number in (("dog/x.png", 9), ("cat/b.png", 7), ("cat/a.png", 8)):
        add(folder / "new" / name, pixels(number))
    images, classes = dataset.read_examples(folder / "new")
    np.testing.assert_array_equal(images, [pixels(number)[np.newaxis] for number in (8, 7, 9)])
    assert classes.tolist() == ([1, 1, 2] if is_trained else [0, 0, 1])


def test_images_may_have_a_single_pixel():
    used = ImageFolder("x")
    used.load_encoder_state({"classes": ["a", "b"], "image_shape": [3, 1, 1]})
    assert used.input_shape == (3,)


def test_rows_have_the_names_of_their_files_in_the_order_of_the_images(folder):
    for number, name in enumerate(("b.png", "a.png", "c/d.png")):
        add(folder / "new" / name, pixels(number))
    dataset = ImageFolder("pets", **NONE)
    assert dataset.row_names(folder / "new") == ("a.png", "b.png", "c/d.png")
    assert dataset.read(folder / "new")[:, 0, 0, 0].tolist() == [1, 0, 2]
    assert dataset.row_names(folder / "new/b.png") == ("b.png",)


def test_the_fingerprint_tells_contents_and_names_apart(folder):
    found = set()
    for change in (lambda: None, lambda: add(folder / "pets/cat/0.png", pixels(1)),
                   lambda: (folder / "pets/cat/0.png").rename(folder / "pets/cat/x.png")):  # fmt: skip
        change()
        dataset = ImageFolder("pets")
        assert dataset.fingerprint() == ""
        dataset.open(0)
        found.add(dataset.fingerprint())
    assert len(found) == 3


def test_mistakes_name_the_folder_or_the_file(folder):
    assert message(ImageFolder("pet").describe, ParameterError) == (
        "folder: there is no folder 'pet'; did you mean 'pets'?"
    )
    add(folder / "nothing/dog/1.png", pixels(1))
    (folder / "nothing/fly").mkdir()
    (folder / "nothing/fly/2.png").write_bytes(b"")
    assert message(lambda: ImageFolder("nothing", **NONE).open(0), DataError) == (
        "nothing/fly/2.png: can't be read as an image; replace the file, or leave it out"
    )
    assert message(ImageFolder("pets/cat").describe, DataError) == (
        "pets/cat/0.png: the file is next to the class folders; move it into one of them"
    )
    add(folder / "one/cat/1.png", pixels(1))
    assert message(ImageFolder("one").describe, ParameterError) == (
        "folder: 'one' has one subfolder, cat; expected one for each class, two or more"
    )
    for split in ("train", "test"):
        add(folder / f"all/{split}/cat/1.png", pixels(1))
    assert message(ImageFolder("all").describe, ParameterError) == (
        "folder: the folders in 'all', test and train, are splits, not classes; "
        "name one of them, as in folder: all/train, and the rest in validation and test"
    )
    (folder / "pets/dog/1.png").write_bytes(b"no image")
    assert message(lambda: ImageFolder("pets").open(0), DataError) == (
        "pets/dog/1.png: can't be read as an image; replace the file, or leave it out"
    )


def test_without_pillow_the_error_says_how_to_install_it():
    code = "import sys; sys.modules['PIL'] = None; sys.argv = ['mlpkit', 'show', 'image_folder']\n"
    code += "from mlpkit.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'needs the package PIL; install it with: pip install "mlpkit[images]"' in done.stderr
    assert done.returncode == 2


def _text(folder):
    (folder / "x.txt").write_text("hello")
    return folder / "x.txt"


def test_sources_are_the_files_of_the_images(folder):
    dataset = ImageFolder("pets", test=0)
    x, _ = taken(dataset, "validation")
    sources = dataset.example_sources("validation", np.arange(len(x))[::-1])
    assert sources[::-1] == [
        f"pets/{('cat', 'dog')[number % 2]}/{number}.png"
        for number in np.rint(255 * x.reshape(len(x), -1)[:, 0]).astype(int).tolist()
    ]


def test_folders_whose_classes_have_other_shares_are_warned_about(tmp_path):
    for folder, sizes in (("train", (40, 40)), ("test", (40, 2))):
        for name, count in zip(("cat", "dog"), sizes, strict=True):
            (tmp_path / folder / name).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (2, 2)).save(tmp_path / folder / name / f"{number}.png")
    dataset = ImageFolder(str(tmp_path / "train"), test=str(tmp_path / "test"), validation=0)
    dataset.describe()
    (warning,) = dataset.warnings()
    assert warning.parameter == "test"
    assert "class 'dog' is 50% of train, 5% of test" in warning.message
    assert not ImageFolder(str(tmp_path / "train"), validation=0.2, test=0.2, split="shuffle").warnings()


def test_an_empty_folder_of_new_images_is_an_error(folder):
    (folder / "empty").mkdir()
    assert message(lambda: ImageFolder("pets").read(folder / "empty"), DataError) == (
        f"{folder}/empty: the folder holds no image; expected {', '.join(IMAGE_SUFFIXES)}"
    )


@pytest.mark.parametrize(
    ("split", "remedy"),
    [("hash", "set split: shuffle"), ("shuffle", "set another split_seed, or larger shares")],
)
def test_what_to_do_about_a_split_without_a_class_depends_on_how_it_was_drawn(tmp_path, split, remedy):
    for number in range(200):
        path = tmp_path / ("a" if number % 6 else "b") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = next(
        warning
        for seed in range(100)
        for warning in ImageFolder(str(tmp_path), split=split, split_seed=seed, test=0).warnings()
    )
    assert (found.parameter, found.remedy) == ("split", remedy)

"""A folder a class: which files are found, and what must not lie there."""

from __future__ import annotations

import pytest

from mlpkit import DataError
from mlpkit_plugins.formats.image import class_folders

PNG = (".png", ".jpg")


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_files_of_all_classes_in_the_order_of_their_keys(tmp_path):
    put(tmp_path, "dog/b.png", "dog/a.PNG", "cat/deep/er/c.jpg", "cat/d.jpg")
    put(tmp_path, ".hidden/x", "cat/.DS_Store", "dog/Thumbs.db")
    found = class_folders(tmp_path, PNG)
    assert [file.key for file in found] == ["cat/d.jpg", "cat/deep/er/c.jpg", "dog/a.PNG", "dog/b.png"]
    assert [file.class_name for file in found] == ["cat", "cat", "dog", "dog"]
    assert all(file.path == tmp_path / file.key for file in found)


def test_a_link_to_a_folder_above_is_not_followed(tmp_path):
    put(tmp_path, "cat/a.png")
    (tmp_path / "cat/up").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"cat/up: the file type '' is not one of"):
        class_folders(tmp_path, PNG)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.png"], "a.png: the file is next to the class folders; move it into one of them"),
        ([], "the folder has no subfolders; expected one for each class"),
        (["cat/a.png", "dog/.x"], "dog: the class folder holds no file; expected .png, .jpg"),
        (
            ["cat/a.png", "cat/notes.txt"],
            "cat/notes.txt: the file type '.txt' is not one of .png, .jpg; remove the file",
        ),
    ],
)
def test_what_must_not_lie_there_is_named(tmp_path, names, expected):
    put(tmp_path, *names)
    with pytest.raises(DataError) as caught:
        class_folders(tmp_path, PNG)
    assert str(caught.value).replace(f"{tmp_path}/", "").replace(f"{tmp_path}: ", "") == expected

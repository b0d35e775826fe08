"""Files that a spec names."""

from __future__ import annotations

import os

import pytest

from mlpkit import ParameterError
from mlpkit_plugins.files.named_file import is_idx, named_file, named_folder


def test_a_path_is_seen_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("a")
    monkeypatch.chdir(tmp_path)
    assert named_file("file", "a.csv").read_text() == "a"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named_file("file", "~/a.csv") == tmp_path / "a.csv"
    assert named_folder("folder", str(tmp_path)) == tmp_path


def test_example_files_come_with_mlpkit():
    assert named_file("file", "example:flowers.csv").read_text().startswith("petal_length,")


def test_a_missing_file_is_answered_with_the_nearest(tmp_path):
    folder = tmp_path / "data"  # other tests have folders next to tmp_path
    folder.mkdir()
    (folder / "flowers.csv").write_text("a")
    with pytest.raises(ParameterError) as caught:
        named_file("file", f"{folder}/flower.csv")
    assert str(caught.value) == f"file: there is no file '{folder}/flower.csv'; did you mean 'flowers.csv'?"
    (folder / "flower").mkdir()
    with pytest.raises(ParameterError) as caught:
        named_file("file", f"{folder}/flowe")
    assert str(caught.value) == f"file: there is no file '{folder}/flowe'; did you mean 'flowers.csv'?"
    with pytest.raises(ParameterError) as caught:
        named_folder("folder", f"{folder}/flowers")
    assert str(caught.value) == f"folder: there is no folder '{folder}/flowers'; did you mean 'flower'?"
    with pytest.raises(ParameterError, match=r"there is no file 'example:flour.csv'; did you mean 'flowers.csv'\?"):
        named_file("file", "example:flour.csv")


def test_a_spec_is_no_data(tmp_path, monkeypatch):
    folder = tmp_path / "alone" / "inside"  # beside other tests, there may be such a file
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "houses.yaml").touch()
    with pytest.raises(ParameterError, match=r"^file: there is no file 'houses.csv'$"):
        named_file("file", "houses.csv")


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ParameterError, match=r"is not a regular file; expected a file"):
        named_file("file", str(tmp_path / "pipe"))
    with pytest.raises(ParameterError, match=r"is a folder; expected a file"):
        named_file("file", str(tmp_path))
    with pytest.raises(ParameterError, match=r"^folder: '.*pipe' is a file; expected a folder$"):
        named_folder("folder", str(tmp_path / "pipe"))
    with pytest.raises(ParameterError, match=r"^file: '~no-such-user/a' is not a valid path: "):
        named_file("file", "~no-such-user/a")
    for named, what in ((named_file, "file"), (named_folder, "folder")):
        with pytest.raises(ParameterError, match=f"^x: can't read the {what} 'a\\\\x00b': .*null"):
            named("x", "a\0b")
    with pytest.raises(ParameterError, match=r"is a file; expected a folder"):
        named_folder("folder", str(tmp_path / "pipe"))
    with pytest.raises(ParameterError, match=r"can't read the file"):
        named_file("file", "a\0b")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train-images-idx3-ubyte.gz", True), ("own/x.IDX", True), ("idx/x.npy", False), ("my-idx-files/images", False)],
)
def test_a_file_is_idx_by_its_own_name_and_not_by_its_folder(name, expected):
    assert is_idx(name) == expected

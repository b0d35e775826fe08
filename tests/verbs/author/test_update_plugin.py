"""``mlpkit new-plugin --update``, on packages of an earlier template."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from requirements import requires

from mlpkit.errors import StorageError, UsageError
from mlpkit.verbs.author import new_plugin as new_plugin_module
from mlpkit.verbs.author.new_plugin import (
    RECORD,
    TEMPLATES,
    checksum,
    contents,
    new_plugin,
    record,
    update_plugin,
)


def written(files, folder):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def files_of(folder):
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


@pytest.fixture
def later(monkeypatch, tmp_path):
    """Templates of a later version: another LICENSE, and one file more."""
    templates = tmp_path / "templates"
    for path in TEMPLATES.rglob("*.template"):
        written({path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8")}, templates)
    license_file = templates / "common/LICENSE.template"
    license_file.write_text(license_file.read_text("utf-8").replace("MIT License", "The MIT License"), "utf-8")
    written({"common/docs/$package.md.template": "# $distribution\n"}, templates)
    return lambda: monkeypatch.setattr(new_plugin_module, "TEMPLATES", templates)


@requires("git", shutil.which("git") is not None, "git applies the difference")
def test_what_the_author_has_changed_is_left_and_its_difference_is_a_patch(tmp_path, later):
    old = new_plugin("acme_vision", folder=tmp_path / "old")
    license_file = old / "LICENSE"
    license_file.write_text(license_file.read_text("utf-8").replace("AS IS", "AS IT IS"), "utf-8")
    (old / "acme_vision_mlpkit/swish.py").write_text("mine = True\n", "utf-8")
    mine = files_of(old)
    later()
    update = update_plugin(old)
    assert list(update.differences) == ["LICENSE"], "the template of swish.py has not changed"
    for name in ("LICENSE", "acme_vision_mlpkit/swish.py"):
        assert (old / name).read_text("utf-8") == mine[name]
    patch = update.differences["LICENSE"] + "\n"
    subprocess.run(["git", "apply"], input=patch, text=True, cwd=old, check=True)
    assert license_file.read_text("utf-8") == contents("acme_vision", "layer")["LICENSE"]
    again = update_plugin(old)
    assert (again.written, again.differences) == ([], {})


def test_what_the_author_has_deleted_is_not_restored(tmp_path, later):
    old = new_plugin("acme", folder=tmp_path / "old")
    for name in ("README.md", "LICENSE", "tests/test_swish.py"):
        (old / name).unlink()
    later()
    assert update_plugin(old).written == ["docs/acme_mlpkit.md"]
    assert not (old / "LICENSE").exists()


def test_a_later_template_reaches_a_package_with_a_record(tmp_path, later):
    folders = [new_plugin("acme", folder=tmp_path / name) for name in ("untouched", "changed")]
    (folders[1] / "LICENSE").write_text("All rights reserved\n", "utf-8")
    (folders[1] / "README.md").write_text("mine\n", "utf-8")
    later()
    untouched, changed = map(update_plugin, folders)
    assert (sorted(untouched.written), untouched.differences) == (["LICENSE", "docs/acme_mlpkit.md"], {})
    assert (folders[0] / "LICENSE").read_text("utf-8").startswith("The MIT License")
    assert (changed.written, list(changed.differences)) == (["docs/acme_mlpkit.md"], ["LICENSE"])
    assert "-All rights reserved\n+The MIT License" in changed.differences["LICENSE"]
    assert (folders[1] / "README.md").read_text("utf-8") == "mine\n"


def test_the_record_names_what_the_package_was_made_from(tmp_path):
    folder = new_plugin("acme", "loss", tmp_path / "acme")
    made = json.loads((folder / RECORD).read_text("utf-8"))
    assert (made["namespace"], made["kind"]) == ("acme", "loss")
    assert re.fullmatch(r"\d+\.\d+\.\d+", made["mlpkit"])
    assert made["sha256"] == {name: checksum(text) for name, text in files_of(folder).items()}


def test_a_folder_that_is_not_such_a_package(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n', "utf-8")
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "pyproject.toml"):
        with pytest.raises(UsageError) as caught:
            update_plugin(folder)
        expected = f"{folder} is not a package that mlpkit new-plugin wrote; expected a file {RECORD} in it"
        assert str(caught.value) == expected
    assert files_of(tmp_path) == {"pyproject.toml": '[project]\nname = "other"\n'}


@pytest.mark.parametrize(
    "damaged", ["", "[]", "{}", '{"namespace": "acme", "kind": "layer", "sha256": 3}', record("acme", "thing", {})]
)
def test_a_damaged_record(damaged, tmp_path):
    folder = new_plugin("acme", folder=tmp_path / "acme")
    (folder / RECORD).write_text(damaged, "utf-8")
    before = files_of(folder)
    with pytest.raises(UsageError) as caught:
        update_plugin(folder)
    assert str(caught.value) == f"{folder / RECORD} is damaged; restore it from a copy"
    assert files_of(folder) == before


def test_a_file_that_can_not_be_written(tmp_path, later):
    old = new_plugin("acme", folder=tmp_path / "old")
    (old / "LICENSE").unlink()
    (old / "LICENSE").mkdir()
    later()
    with pytest.raises(StorageError, match=r"LICENSE: can't be updated: Is a directory"):
        update_plugin(old)

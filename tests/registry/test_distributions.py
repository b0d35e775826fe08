"""Which distributions are found, wherever on the import path they lie."""

from __future__ import annotations

import importlib.metadata
import sys
from zipfile import ZipFile

import pytest

import mlpkit
from mlpkit.registry.distributions import installed_distributions, installed_entries, license_of, version_of

FILES = {
    "METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n",
    "entry_points.txt": "[mlpkit]\nacme = acme_plugin\n",
}


def found():
    return [
        (each.distribution.name, each.distribution.version, each.value)
        for each in installed_entries("mlpkit")
        if each.name == "acme"
    ]


def written(folder, name="acme-1.2.dist-info"):
    info = folder / name
    info.mkdir(parents=True)
    for file, text in FILES.items():
        info.joinpath(file).write_text(text)
    return info


def test_folders_of_metadata_are_found(tmp_path, monkeypatch):
    written(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert found() == [("acme", "1.2", "acme_plugin")]


def test_the_current_folder_counts_if_it_is_on_the_path(tmp_path, monkeypatch):
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert found() == [("acme", "1.2", "acme_plugin")]


def test_distributions_in_archives_are_found(tmp_path, monkeypatch):
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        for file, text in FILES.items():
            archive.writestr(f"acme-1.2.dist-info/{file}", text)
    monkeypatch.syspath_prepend(tmp_path / "all.zip")
    assert found() == [("acme", "1.2", "acme_plugin")]


def test_distributions_in_eggs_are_found(tmp_path, monkeypatch):
    egg = tmp_path / "acme-1.2.egg"
    info = written(egg, "EGG-INFO")
    (info / "METADATA").rename(info / "PKG-INFO")
    monkeypatch.syspath_prepend(egg)
    assert version_of("acme") == "1.2"
    assert found() == [("acme", "1.2", "acme_plugin")]


def test_names_and_versions_are_those_of_importlib():
    ours = {each.name: each.version for each in installed_distributions() if each.identity != "mlpkit"}
    assert "numpy" in ours
    assert ours.items() <= {(each.name, each.version) for each in importlib.metadata.distributions()}


def test_headers_are_read_whatever_their_case_and_end_before_the_description(tmp_path, monkeypatch):
    (written(tmp_path) / "METADATA").write_text("name:  acme\nVERSION:\n 1.2\n\nName: other\nVersion: 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert found() == [("acme", "1.2", "acme_plugin")]


def import_hook(*distributions):
    """Return an import hook that finds no module, and these distributions."""

    class Finder:
        @staticmethod
        def find_spec(*_):
            return None

        @staticmethod
        def find_distributions(context):
            return distributions

    return Finder


def test_distributions_that_an_import_hook_knows_are_found(tmp_path, monkeypatch):
    info = written(tmp_path / "elsewhere")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, import_hook(importlib.metadata.PathDistribution(info))])
    assert found() == [("acme", "1.2", "acme_plugin")]


@pytest.mark.parametrize("entry", ["missing", "file.txt", "longer than any name" * 99])
def test_entries_of_the_path_that_hold_nothing_are_passed_over(entry, tmp_path, monkeypatch):
    written(tmp_path)
    (tmp_path / "file.txt").write_text("no archive")
    monkeypatch.setattr(sys, "path", [str(tmp_path / entry), str(tmp_path), *sys.path])
    assert found() == [("acme", "1.2", "acme_plugin")]


@pytest.mark.parametrize("with_hook", [False, True])
def test_entries_of_the_path_that_are_no_text_are_passed_over_as_python_does(with_hook, tmp_path, monkeypatch):
    (written(tmp_path / "other") / "entry_points.txt").write_text("[mlpkit]\nacme = other_plugin\n")
    written(tmp_path)
    monkeypatch.setattr(sys, "path", [tmp_path / "other", str(tmp_path), *sys.path])
    if with_hook:
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, import_hook()])
    assert found() == [("acme", "1.2", "acme_plugin")]


def test_a_folder_of_metadata_without_entry_points_has_none(tmp_path, monkeypatch):
    (written(tmp_path) / "entry_points.txt").unlink()
    monkeypatch.syspath_prepend(tmp_path)
    assert found() == []


MIT = "Classifier: License :: OSI Approved :: MIT License\n"


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        (f"License: a text\n{MIT}License-Expression: BSD-3-Clause\n", "BSD-3-Clause"),
        (f"License: a text\nClassifier: Topic :: X\n{MIT}", "MIT License"),
        ("License: Permission is granted,\n        free of charge\n", "Permission is granted,"),
        ("License:\n", ""),
        ("", ""),
    ],
)
def test_a_licence_is_the_most_exact_that_the_metadata_has(headers, licence, tmp_path, monkeypatch):
    (written(tmp_path) / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme\n{headers}")
    monkeypatch.syspath_prepend(tmp_path)
    assert (license_of("ACME"), license_of("acme_missing")) == (licence, "")


def test_a_version_is_that_of_the_distribution_of_the_name(tmp_path, monkeypatch):
    written(tmp_path)
    (written(tmp_path, "a.b_c-3.0.dist-info") / "METADATA").unlink()
    monkeypatch.syspath_prepend(tmp_path)
    names = ("Acme", "A-B_c", "acme-missing", "MLPKIT")
    assert [version_of(name) for name in names] == ["1.2", "3.0", None, mlpkit.__version__]

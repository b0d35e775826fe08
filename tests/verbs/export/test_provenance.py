"""Which run a file came from, and whether the run is still the same."""

from __future__ import annotations

import json

import pytest

from mlpkit import DataError, RunFolderError, UsageError
from mlpkit.graph.provenance import provenance_line
from mlpkit.verbs.export.export import export
from mlpkit.verbs.export.provenance import provenance


@pytest.fixture
def exported(train, work):
    """Return the file of a run's model."""
    train("runs/tiny")
    return export(work / "runs" / "tiny", work / "tiny.onnx").file


def test_the_run_is_found_in_runs(exported, work):
    found = provenance(exported)

    assert found.directory == work / "runs" / "tiny"
    assert found.changed == ()
    assert found.provenance["run"] == "tiny"


@pytest.mark.parametrize("place", ["runs", "runs/tiny"])
def test_the_run_is_found_beside_or_around_the_file(exported, work, place):
    file = exported.rename(work / place / "model.onnx")

    assert provenance(file).directory == work / "runs" / "tiny"


@pytest.mark.parametrize(("run", "place"), [("runs/tiny", "a/b"), ("p1/runs/tiny", "p2"), ("results/tiny", ".")])
def test_the_run_is_found_from_another_folder(exported, work, monkeypatch, run, place):
    for folder in (work / place, (work / run).parent):
        folder.mkdir(parents=True, exist_ok=True)
    (work / "runs/tiny").rename(work / run)
    file = exported.rename(work / place / "model.onnx")
    monkeypatch.chdir(work / place)

    assert provenance(file).directory == work / run
    assert provenance(file.relative_to(work / place)).directory.resolve() == work / run
    monkeypatch.chdir("/")
    assert provenance(file).directory == work / run


def test_another_run_of_that_name_is_not_it(exported, work, train, monkeypatch):
    (work / "runs/tiny").rename(work / "elsewhere")
    train("runs/tiny", seed=4)
    (work / "a/b").mkdir(parents=True)  # so deep that the search finds no run of another test
    file = exported.rename(work / "a/b/tiny.onnx")
    monkeypatch.chdir(work / "a/b")

    assert provenance(file).directory is None
    assert provenance(file, work / "elsewhere").changed == ()
    assert provenance(file, work / "runs/tiny").changed == ("spec", "weights")


def test_what_has_changed_is_named(exported, work):
    with (work / "runs/tiny/model.safetensors").open("ab") as file:
        file.write(b"\0")
    lock = json.loads((work / "runs/tiny/lock.json").read_text())
    (work / "runs/tiny/lock.json").write_text(json.dumps({**lock, "data_checksum": "0"}))

    assert provenance(exported).changed == ("data", "weights")


def test_a_text_file_can_say_it_too(exported, work):
    line = provenance_line(provenance(exported).provenance)
    (work / "model.c").write_text(f"/* {line} */\nint model;\n")

    assert provenance(work / "model.c") == provenance(exported)


@pytest.mark.parametrize("run", ["../runs/tiny", "/etc", "", None, 3])
def test_a_name_that_is_no_name_of_a_folder_leads_nowhere(exported, work, run):
    file = work / "sub" / "model.c"
    file.parent.mkdir()
    file.write_text(provenance_line({**provenance(exported).provenance, "run": run}))

    assert provenance(file).directory is None


def test_a_file_that_says_nothing(work):
    with pytest.raises(DataError, match=r"tiny\.yaml: has no record of its origin; expected a file that mlpkit export"):
        provenance(work / "tiny.yaml")


def test_no_file_and_no_run(exported, work):
    with pytest.raises(UsageError, match=r"there is no file 'tiny\.onxx'; did you mean 'tiny\.onnx'"):
        provenance((work / "tiny.onxx").relative_to(work))
    with pytest.raises(UsageError, match="can't be read"):
        provenance(work)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        provenance(exported, work)

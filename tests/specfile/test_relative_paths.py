"""Relative paths start from the file that they are written in, and on the command line from the current folder."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.errors import SpecSchemaError
from mlpkit.verbs.repro.repro import repro

SPEC = """\
mlpkit: 1
data: {csv: {file: DATA, target: t, validation: 0, test: 0}}
layers: [Affine: {units: auto}, SoftmaxWithLoss]
training: {optimizer: sgd, epochs: 1}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a spec and its table in two folders below it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("specs", "tables", "specs/deep"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tables/a.csv").write_text("a,t\n1,x\n2,y\n3,x\n4,y\n")
    (tmp_path / "specs/main.yaml").write_text(SPEC.replace("DATA", "../tables/a.csv"))
    return tmp_path


def file_of(spec):
    return spec.data.arguments["file"]


def test_a_path_starts_from_the_spec(project, monkeypatch):
    spec = mlpkit.load_spec("specs/main.yaml")
    assert file_of(spec) == "tables/a.csv"
    assert mlpkit.run(spec, "run").folder is not None
    monkeypatch.chdir(project / "specs")
    assert file_of(mlpkit.load_spec("main.yaml")) == "../tables/a.csv"
    monkeypatch.chdir(project / "tables")
    assert file_of(mlpkit.load_spec(project / "specs/main.yaml")) == "a.csv"


def test_a_path_below_the_current_folder_stays_relative(project):
    (project / "main.yaml").write_text(SPEC.replace("DATA", "tables/a.csv"))
    assert file_of(mlpkit.load_spec(project / "main.yaml")) == "tables/a.csv"
    assert file_of(mlpkit.load_spec("main.yaml")) == "tables/a.csv"


def test_what_comes_after_a_link_to_another_folder_is_found_there(project):
    (project / "elsewhere/specs").mkdir(parents=True)
    (project / "elsewhere/a.csv").write_text("a,t\n1,x\n2,y\n")
    (project / "linked").symlink_to("elsewhere/specs")
    (project / "elsewhere/specs/main.yaml").write_text(SPEC.replace("DATA", "../a.csv"))
    path = file_of(mlpkit.load_spec("linked/main.yaml"))
    assert path == "linked/../a.csv"
    assert (project / path).samefile(project / "elsewhere/a.csv")


def test_an_override_starts_from_the_current_folder(project):
    for overrides in (["data.csv.file=tables/a.csv"], {"data.csv.file": "tables/a.csv"}):
        assert file_of(mlpkit.load_spec("specs/main.yaml", overrides=overrides)) == "tables/a.csv"


def test_a_path_from_a_base_starts_from_the_base(project):
    (project / "specs/deep/child.yaml").write_text("extends: ../main.yaml\nseed: 1\n")
    spec = mlpkit.load_spec("specs/deep/child.yaml")
    assert (project / file_of(spec)).samefile(project / "tables/a.csv")


def test_a_path_in_a_variable_starts_from_where_the_variable_is_set(project):
    (project / "specs/main.yaml").write_text("vars: {data: ../tables/a.csv}\n" + SPEC.replace("DATA", "$data"))
    (project / "specs/deep/child.yaml").write_text("extends: ../main.yaml\nvars: {data: ../../tables/a.csv}\n")
    for spec in ("specs/main.yaml", "specs/deep/child.yaml"):
        assert (project / file_of(mlpkit.load_spec(spec))).samefile(project / "tables/a.csv")
    spec = mlpkit.load_spec("specs/deep/child.yaml", overrides=["vars.data=tables/a.csv"])
    assert file_of(spec) == "tables/a.csv"


@pytest.mark.parametrize("path", ["example:flowers.csv", "~/a.csv", "/a.csv"])
def test_paths_that_are_not_relative_stay(project, path):
    (project / "specs/main.yaml").write_text(SPEC.replace("DATA", f'"{path}"'))
    assert file_of(mlpkit.load_spec("specs/main.yaml")) == path


def test_a_share_may_be_a_path_too(project):
    text = SPEC.replace("DATA", "../tables/a.csv").replace("test: 0", "test: ../tables/a.csv")
    (project / "specs/main.yaml").write_text(text)
    spec = mlpkit.load_spec("specs/main.yaml")
    assert spec.data.arguments["test"] == "tables/a.csv"


def test_a_path_from_the_current_folder_is_pointed_out(project):
    (project / "specs/main.yaml").write_text(SPEC.replace("DATA", "tables/a.csv"))
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.load_spec("specs/main.yaml")
    (fault,) = caught.value.faults
    assert fault.message == "there is no 'specs/tables/a.csv'; paths are relative to the spec's folder"
    assert fault.remedy == "write ../tables/a.csv"
    (project / "specs/main.yaml").write_text(SPEC.replace("DATA", "../tables/a.csv"))
    assert file_of(mlpkit.load_spec("specs/main.yaml"))


def test_a_run_is_resumed_and_evaluated_from_the_same_folder(project):
    run = mlpkit.run(mlpkit.load_spec("specs/main.yaml"), "run")
    text = (run.folder / "resolved.yaml").read_text()
    assert "tables/a.csv" in text
    assert mlpkit.resume("run").metrics == run.metrics
    again = mlpkit.load_spec("run/resolved.yaml")
    assert file_of(again) == "tables/a.csv"


def test_a_path_that_a_variable_begins_starts_from_where_the_variable_is_set(project):
    (project / "specs/main.yaml").write_text("vars: {data: ../tables}\n" + SPEC.replace("DATA", "$data/a.csv"))
    (project / "specs/deep/child.yaml").write_text("extends: ../main.yaml\nvars: {data: ../../tables}\n")
    for spec in ("specs/main.yaml", "specs/deep/child.yaml"):
        assert (project / file_of(mlpkit.load_spec(spec))).samefile(project / "tables/a.csv")
    assert type(file_of(mlpkit.load_spec("specs/main.yaml"))) is str
    assert file_of(mlpkit.load_spec("specs/deep/child.yaml", overrides=["vars.data=tables"])) == "tables/a.csv"


def test_a_variable_begins_nothing_but_names_of_files(project):
    text = "vars: {v: a}\n" + SPEC.replace("DATA", "../tables/a.csv")
    for wrong in ("target: t", "optimizer: sgd"):
        key = wrong.split(":")[0]
        (project / "specs/main.yaml").write_text(text.replace(wrong, f"{key}: $v/b"))
        with pytest.raises(SpecSchemaError) as caught:
            mlpkit.load_spec("specs/main.yaml")
        (fault,) = caught.value.faults
        assert fault.source[fault.column - 1 :].startswith("$v/b")
        assert "$v is 'a', set at specs/main.yaml:1:11" in fault.notes
    assert mlpkit.load_spec(project / "specs/main.yaml", overrides=["training.optimizer=sgd"])


def test_the_environment_is_asked_once_and_the_run_keeps_what_it_said(project, monkeypatch):
    declared = "vars: {data: {env: MLPKIT_TEST_TABLES, default: ../tables}}\n"
    (project / "specs/main.yaml").write_text(
        declared + SPEC.replace("DATA", "$data/a.csv").replace("epochs: 1", "epochs: 2")
    )
    assert file_of(mlpkit.load_spec("specs/main.yaml")) == "tables/a.csv"
    (project / "other").mkdir()
    (project / "other/a.csv").write_text("a,t\n5,x\n6,y\n7,x\n8,y\n")
    monkeypatch.setenv("MLPKIT_TEST_TABLES", "other")  # from the current folder, as on the command line
    spec = mlpkit.load_spec("specs/main.yaml")
    assert file_of(spec) == "other/a.csv"
    mlpkit.run(spec, "run")
    assert "file: other/a.csv" in (project / "run/resolved.yaml").read_text()
    monkeypatch.setenv("MLPKIT_TEST_TABLES", "nowhere")
    assert repro(project / "run").same
    assert mlpkit.resume("run", epochs=3).metrics


def test_a_name_longer_than_any_file_has_is_kept_for_whoever_reads_it(project):
    name = "n" * 5000
    (project / "specs/long.yaml").write_text(SPEC.replace("DATA", name))
    assert file_of(mlpkit.load_spec("specs/long.yaml")) == f"specs/{name}"

"""The spec of a trial, and the text of a sweep's spec in its folder."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

import mlpkit
from mlpkit.specfile.document import parse_document
from mlpkit.verbs.sweep.specs import as_overrides, prove_sweep, short_keys, text_for_folder, trial_spec, written_at

SPEC = """\
# the base
mlpkit: 1
name: tiny
data:
  csv: {file: $table, target: y, predict: values}
vars: {hidden: 3, table: data/one.csv, dollar: a$$b}
layers:
  - Affine: {units: $hidden}
  - Relu
  - Affine: {units: 1}
  - MeanSquaredError
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 2
  epochs: 1
"""
SWEEP = """\
sweep:
  search:
    vars.hidden: [2, 4]
    training.optimizer: [sgd, {adam: {beta1: 0.8}}]
    training.optimizer.learning_rate: {low: 0.01, high: 0.1}
    data.csv.file: [data/one.csv, data/two.csv]
  trials: 3
"""
VALUES = {
    "vars.hidden": 4,
    "training.optimizer": {"adam": {"beta1": 0.8}},
    "training.optimizer.learning_rate": 0.05,
    "data.csv.file": "data/two.csv",
}


@pytest.fixture
def specs(tmp_path, monkeypatch):
    """A folder with a spec and two tables, beside the current one."""
    folder = tmp_path / "specs"
    (folder / "data").mkdir(parents=True)
    for name in ("one", "two"):
        rows = "\n".join(f"{i},{i * 2}" for i in range(40))
        (folder / f"data/{name}.csv").write_text(f"x,y\n{rows}\n")
    (folder / "tiny.yaml").write_text(SPEC + SWEEP)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Path("../specs")


def test_a_trial_is_what_anyone_gets_by_set(specs, monkeypatch):
    found = trial_spec(mlpkit.load_spec(specs / "tiny.yaml"), VALUES)
    monkeypatch.chdir(specs)
    by_hand = mlpkit.load_spec("tiny.yaml", overrides=as_overrides(VALUES))
    resolved, wanted = found.resolved(), by_hand.resolved()
    assert resolved.pop("data")["csv"]["file"] == "../specs/data/two.csv"
    assert wanted.pop("data")["csv"]["file"] == "data/two.csv"
    assert resolved == wanted
    assert found.sweep is None


def test_the_text_for_a_folder_says_the_same_there(specs):
    spec = mlpkit.load_spec(specs / "tiny.yaml", overrides=["seed=7"])
    kept = Path("runs/x")
    kept.mkdir(parents=True)
    (kept / "sweep.yaml").write_text(text_for_folder(spec, kept, prove_sweep(spec)))
    there = mlpkit.load_spec(kept / "sweep.yaml")
    assert there.seed == 7
    assert there.document.variables["dollar"] == "a$b"
    assert there.document.values["data"]["csv"]["file"] == "../../../specs/data/one.csv"
    assert there.sweep.search["data.csv.file"].choices == tuple(f"../../../specs/data/{n}.csv" for n in ("one", "two"))
    values = {**VALUES, "data.csv.file": "../../../specs/data/two.csv"}
    ours = trial_spec(there, values).resolved()
    theirs = trial_spec(spec, VALUES).resolved()
    paths = [Path(each.pop("data")["csv"]["file"]).resolve() for each in (ours, theirs)]
    assert paths[0] == paths[1]
    assert ours == theirs


def test_a_spec_given_by_an_absolute_path_finds_its_files_from_there(specs):
    spec = mlpkit.load_spec(specs.resolve() / "tiny.yaml")
    kept = Path("runs/x")
    kept.mkdir(parents=True)
    (kept / "sweep.yaml").write_text(text_for_folder(spec, kept, prove_sweep(spec)))
    found = mlpkit.load_spec(kept / "sweep.yaml")
    assert found.document.values["data"]["csv"]["file"] == "../../../specs/data/one.csv"


def test_files_inside_choices_say_the_same_there(specs):
    """Of components and of variables, several in one choice, under ``choices`` and in a list alone."""
    search = """\
sweep:
  search:
    data:
      choices:
        - csv: {file: data/one.csv, target: y, predict: values}
        - csv: {file: data/one.csv, target: y, predict: values, test: data/two.csv}
    vars.table: [data/one.csv, data/two.csv]
  trials: 3
"""
    (specs / "tiny.yaml").write_text(SPEC + search)
    spec = mlpkit.load_spec(specs / "tiny.yaml")
    kept = Path("runs/x")
    kept.mkdir(parents=True)
    (kept / "sweep.yaml").write_text(text_for_folder(spec, kept, prove_sweep(spec)))
    found = mlpkit.load_spec(kept / "sweep.yaml").sweep.search
    first, second = (choice["csv"] for choice in found["data"].choices)
    table = "../../../specs/data/one.csv"
    assert (first["file"], second["file"]) == (table, table)
    assert second["test"] == "../../../specs/data/two.csv"
    assert found["vars.table"].choices == tuple(f"../../../specs/data/{name}.csv" for name in ("one", "two"))


def test_paths_lead_out_of_a_folder_that_is_a_link(specs, tmp_path):
    (tmp_path / "large/disk/runs").mkdir(parents=True)
    Path("runs").symlink_to(tmp_path / "large/disk/runs")
    spec = mlpkit.load_spec(specs / "tiny.yaml")
    Path("runs/sweep.yaml").write_text(text_for_folder(spec, Path("runs"), prove_sweep(spec)))
    found = mlpkit.load_spec("runs/sweep.yaml")
    assert Path(found.data.arguments["file"]).samefile(specs / "data/one.csv")


@pytest.mark.parametrize(
    "search",
    [
        """
    training.optimizer: [sgd, adam]
    training.optimizer.learning_rate: {low: 0.01, high: 0.1, when: {training.optimizer: sgd}}
    training.optimizer.adam.learning_rate: {low: 0.001, high: 0.01, when: {training.optimizer: adam}}
""",
        """
    training.optimizer: [sgd]
    training.optimizer.learning_rate: {low: 0.01, high: 0.1}
""",
    ],
)
def test_keys_that_are_set_in_different_trials_or_one_below_the_other_are_two(search, specs):
    (specs / "tiny.yaml").write_text(f"{SPEC}sweep:\n  trials: 3\n  search:{search}")
    assert prove_sweep(mlpkit.load_spec(specs / "tiny.yaml")) == {}


def test_a_text_that_says_all_is_kept_with_its_comments(tmp_path):
    text = SPEC.replace("csv: {file: $table, target: y, predict: values}", "mnist: {}") + SWEEP.replace(
        "    data.csv.file: [data/one.csv, data/two.csv]\n", ""
    )
    (tmp_path / "own.yaml").write_text(text)
    assert text_for_folder(mlpkit.load_spec(tmp_path / "own.yaml"), tmp_path / "runs") == text
    changed = text_for_folder(mlpkit.load_spec(tmp_path / "own.yaml", overrides=["seed=3"]), tmp_path / "runs")
    assert "# the base" not in changed
    assert "$hidden" in changed


def test_a_spec_without_a_name_keeps_that_of_its_file(tmp_path):
    text = SPEC.replace("csv: {file: $table, target: y, predict: values}", "mnist: {}").replace("name: tiny\n", "")
    (tmp_path / "own.yaml").write_text(f"{text}sweep: {{search: {{vars.hidden: [2]}}, trials: 1}}\n")
    (tmp_path / "sweep.yaml").write_text(text_for_folder(mlpkit.load_spec(tmp_path / "own.yaml"), tmp_path))
    found = mlpkit.load_spec(tmp_path / "sweep.yaml")
    assert "# the base" in found.document.text
    assert (found.name, trial_spec(found, {"vars.hidden": 2}).resolved()["name"]) == ("own", "own")


def test_what_is_extended_and_overridden_is_written_out(tmp_path):
    base = SPEC.replace("csv: {file: $table, target: y, predict: values}", "mnist: {}")
    (tmp_path / "base.yaml").write_text(base)
    own = "extends: base.yaml\nmlpkit: 1\nsweep: {search: {vars.hidden: [2]}, trials: 1}\n"
    (tmp_path / "own.yaml").write_text(own)
    text = text_for_folder(mlpkit.load_spec(tmp_path / "own.yaml", overrides=["training.epochs=9"]), tmp_path / "runs")
    (tmp_path / "all.yaml").write_text(text)
    found = mlpkit.load_spec(tmp_path / "all.yaml")
    assert (found.training.epochs, found.name) == (9, "tiny")
    assert trial_spec(found, {"vars.hidden": 2}).resolved()["layers"][0]["Affine"]["units"] == 2


def test_keys_are_as_short_as_tells_them_apart():
    keys = ["training.optimizer", "training.optimizer.learning_rate", "layers.Affine1.units", "layers.Affine2.units"]
    assert short_keys([*keys, "vars.hidden", "seed"]) == [
        "optimizer",
        "learning_rate",
        "Affine1.units",
        "Affine2.units",
        "hidden",
        "seed",
    ]
    assert short_keys(["rate", "vars.rate"]) == ["rate", "vars.rate"]


def test_a_variable_that_begins_paths_leads_out_of_the_folder(specs, tmp_path):
    text = SPEC.replace("data/one.csv", "$tables/one.csv, tables: $up/data, up: .")
    (specs / "tiny.yaml").write_text(f"{text}sweep: {{search: {{vars.tables: [data, more/]}}, trials: 2}}\n")
    copytree(specs / "data", specs / "more")
    spec = mlpkit.load_spec(specs / "tiny.yaml")
    kept = tmp_path / "runs"
    kept.mkdir()
    (kept / "sweep.yaml").write_text(text_for_folder(spec, kept, prove_sweep(spec)))
    again = mlpkit.load_spec(kept / "sweep.yaml")
    trials = [trial_spec(again, {"vars.tables": choice}) for choice in again.sweep.search["vars.tables"].choices]
    for found, folder in zip((again, *trials), ("data", "data", "more"), strict=True):
        assert Path(found.data.arguments["file"]).samefile(specs / folder / "one.csv")


def test_what_the_environment_had_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/a.csv").write_text("a,t\n" + "1,x\n2,y\n" * 10)
    (tmp_path / "s.yaml").write_text(
        "mlpkit: 1\n"
        "vars:\n"
        "  tables: {env: MLPKIT_TEST_TABLES}\n"
        "  units: {env: MLPKIT_TEST_UNITS, default: 3}\n"
        "  note: {env: MLPKIT_TEST_NOTE}\n"
        "data: {csv: {file: $tables/a.csv, target: t}}\n"
        "layers: [Affine: {units: $units}, Affine: {units: auto}, SoftmaxWithLoss]\n"
        "training: {optimizer: sgd, epochs: 1}\n"
        "sweep: {sampler: grid, search: {seed: [0, 1]}}\n"
    )
    monkeypatch.setenv("MLPKIT_TEST_TABLES", "tables")
    monkeypatch.setenv("MLPKIT_TEST_NOTE", "5 $")
    (tmp_path / "kept").mkdir()
    spec = mlpkit.load_spec("s.yaml")
    (tmp_path / "kept/sweep.yaml").write_text(text_for_folder(spec, tmp_path / "kept"))
    for name in ("TABLES", "UNITS", "NOTE"):
        monkeypatch.setenv(f"MLPKIT_TEST_{name}", "nowhere")
    kept = mlpkit.load_spec("kept/sweep.yaml")
    assert kept.resolved() == spec.resolved()
    assert kept.document.variables == {"tables": "../tables", "units": 3, "note": "5 $"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("data", "csv", "file"), "a.csv"),  # written in short
        (("data", "csv"), "a.csv"),
        (("data", "html", "file"), None),
        (("data",), None),
        (("files", 0), "b.csv"),
        (("files", 1), "c.csv"),  # in a variable
        (("files", 2), None),
        (("units",), None),  # no text
    ],
)
def test_the_text_that_a_path_leads_to(path, text):
    root = parse_document("vars: {c: c.csv}\ndata: {csv: a.csv}\nfiles: [b.csv, $c]\nunits: 3\n").with_names
    assert getattr(written_at(root, path), "value", None) == text

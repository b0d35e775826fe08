"""The kinds of folder that hold runs."""

from __future__ import annotations

import importlib
import inspect
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_folders import made_up_run

import mlpkit
from mlpkit.cli.verbs import program
from mlpkit.errors import RunFolderError, UsageError
from mlpkit.groups.list_runs import runs_listed
from mlpkit.runs import kinds
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, KINDS, RUN, SEEDS_FOLDER, SWEEP_FOLDER, kind_of, members_of, runs_in
from mlpkit.verbs.runs.compare import compare

KEPT = Path(__file__).parents[1] / "run_folders/folders/kept"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("one", RUN),
        ("stopped", RUN),
        ("seeds", SEEDS_FOLDER),
        ("seeds_stopped", SEEDS_FOLDER),
        ("seeds_stopped/seed-4", RUN),
        ("folds", ENSEMBLE_RUN),
        ("folds_stopped", ENSEMBLE_RUN),
        ("folds/members/1", RUN),
        ("rates", SWEEP_FOLDER),
        ("rates/trial-0", RUN),
        ("specs", None),
        ("one/checkpoints", None),
        ("one/lock.json", None),
        ("missing", None),
    ],
)
def test_a_folder_is_recognised(folder, kind):
    assert kind_of(KEPT / folder) is kind


@pytest.mark.parametrize(
    ("more", "monitor"),
    [
        ("  best_weights: accuracy\n  checkpoint: {best: loss}\n", "accuracy"),
        ("  checkpoint: null\n  best_weights: null\n", "loss"),
        ("  early_stopping:\n    metric: acme.dice\n    patience: 3\n", "acme.dice"),
    ],
)
def test_what_a_run_compares(tmp_path, more, monitor):
    assert kinds.read_identity(made_up_run(tmp_path / "run", more=more)).monitor == monitor


def test_the_runs_of_a_folder_go_by_their_numbers():
    assert members_of(KEPT / "seeds") == {3: KEPT / "seeds/seed-3", 4: KEPT / "seeds/seed-4"}
    assert members_of(KEPT / "folds") == {0: KEPT / "folds/members/0", 1: KEPT / "folds/members/1"}
    assert members_of(KEPT / "one") == {0: KEPT / "one"}


def test_the_runs_in_a_folder_are_those_of_every_kind():
    assert runs_in(KEPT / "specs") == [KEPT / "specs/digits", KEPT / "specs/folds"]
    assert runs_in(KEPT / "rates") == [KEPT / "rates/trial-0", KEPT / "rates/trial-1"]


def test_the_runs_of_seeds_are_found_in_a_sweep_and_not_in_any_folder(tmp_path):
    for name in ("one", "seeds"):
        shutil.copytree(KEPT / name, tmp_path / name)
    assert runs_in(tmp_path) == [tmp_path / "one"]
    (tmp_path / "sweep.yaml").touch()
    assert runs_in(tmp_path) == [tmp_path / "one", tmp_path / "seeds/seed-3", tmp_path / "seeds/seed-4"]


def test_a_run_is_an_ensemble_if_it_says_so_or_has_networks(tmp_path):
    folder = made_up_run(tmp_path / "run")
    (folder / "members").mkdir()
    for text, kind in (("[", ENSEMBLE_RUN), ("[]", ENSEMBLE_RUN), ('{"kind": "run"}', RUN), ('{"kind": 3}', RUN)):
        (folder / "run.json").write_text(text)
        assert kind_of(folder) is kind
    (folder / "members").rmdir()
    (folder / "run.json").write_text("[")
    assert kind_of(folder) is RUN


def test_steps_of_epochs_are_those_of_an_evaluation():
    identity = kinds.RunIdentity(epochs=3, total=8)
    assert identity.total_steps({"iteration": 7, "epoch": 0.7}) == 30
    assert identity.total_steps({"iteration": 0, "epoch": 0.0}) == identity.total_steps({}) == 8
    assert kinds.RunIdentity(total=8).total_steps({"iteration": 7, "epoch": 0.7}) == 8


def test_what_a_spec_tells_about_the_model_is_no_setting(tmp_path):
    first, second, third = (
        kinds.read_identity(made_up_run(tmp_path / str(i), more=more)).digest
        for i, more in enumerate(
            ("", "  slices: 2\nabout:\n  purpose: plants\ntraining_:\n", "  slices: 2\ntraining_:\n")
        )
    )
    assert first != second == third


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_row_names_is_there_and_takes_the_same_arguments_as_in_the_others(kind):
    for column, count in (("group", None), ("resume", 2), ("evaluate", 6), ("report", 4)):
        reference = getattr(kind, column)
        module, _, name = reference.partition(":")
        if reference or column != "group":
            found = getattr(importlib.import_module(module), name)
            if count is not None:
                inspect.signature(found).bind(*range(count), **({"port": 0, "workers": 1} if count == 2 else {}))


def called(directory, *_, **__):
    (directory / "called").touch()
    return directory / "report.html"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Return a folder of a kind that only a row knows, with a run and two of seeds."""
    place = f"{__name__}:called"
    row = kinds.Kind(
        "bundle",
        False,
        "the runs of a bundle",
        resume=place,
        evaluate=place,
        report=place,
        marker="bundle.md",
        noun="bundle",
    )
    monkeypatch.setattr(kinds, "KINDS", (*KINDS, row))
    for name in ("one", "seeds"):
        shutil.copytree(KEPT / name, tmp_path / "bundle" / name)
    (tmp_path / "bundle/bundle.md").touch()
    return tmp_path / "bundle"


@pytest.mark.parametrize("verb", ["resume", "evaluate", "report"])
def test_a_verb_does_with_a_kind_what_its_row_says(bundle, verb):
    done = CliRunner().invoke(program, [verb, str(bundle)])
    assert (done.exit_code, (bundle / "called").exists()) == (0, True), done.output


def test_runs_of_a_kind_that_only_a_row_knows_are_compared_and_listed(bundle):
    runs = [bundle / "one", bundle / "seeds/seed-3", bundle / "seeds/seed-4"]
    assert runs_in(bundle) == runs
    (listed,) = runs_listed(bundle.parent)
    assert [run.directory for run in listed.runs] == runs
    assert sorted(run for side in compare([bundle]).members for run in side) == list(map(str, runs))


def test_messages_about_a_kind_are_made_from_its_row(bundle):
    with pytest.raises(UsageError, match=rf"holds the runs of a bundle; resume it with: mlpkit resume {bundle}"):
        mlpkit.resume(bundle)
    with pytest.raises(RunFolderError, match=rf"holds a bundle already; resume it with mlpkit resume {bundle}, or"):
        RunFolder.create(bundle)
    with pytest.raises(
        RunFolderError, match=rf"holds the runs of a bundle; give one of them: {bundle}/one, {bundle}/seed"
    ):
        mlpkit.load(bundle)

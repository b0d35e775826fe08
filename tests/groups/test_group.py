"""Several runs of a spec: which there are, and that a preparation which fails leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlpkit
from mlpkit.errors import RunFolderError, StorageError, UsageError
from mlpkit.groups.ensemble import EnsembleGroup, run_ensemble
from mlpkit.groups.seeds import SeedsGroup, resume_seeds, run_seeds
from mlpkit.groups.several_specs import group_of, prove_spec, run_specs
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, RUN, SEEDS_FOLDER, kind_of
from mlpkit.training.events import Event, StopRequest

SPECS = {
    "one": ({}, RUN, None, [""]),
    "seeds": ({"seeds": [4, 2]}, SEEDS_FOLDER, SeedsGroup, ["seed-4", "seed-2"]),
    "ensemble": ({"ensemble.members": 2}, ENSEMBLE_RUN, EnsembleGroup, ["members/0", "members/1"]),
}


@pytest.fixture(params=SPECS)
def case(request, cwd):
    """Return the spec of one run or of several, its kind of folder, the class of its group, and the run folders."""
    changes, *expected = SPECS[request.param]
    return mlpkit.load_spec("tiny.yaml", overrides=changes), *expected


def test_a_spec_has_a_group_if_it_trains_several_networks(case):
    spec, _, group, _ = case
    assert type(group_of(spec)) is (group or type(None))


def test_what_is_prepared_is_a_folder_of_its_kind_with_runs_that_have_yet_to_begin(case):
    spec, kind, _, runs = case
    group = prove_spec(spec)
    assert group.create(Path("out")) >= 1
    with group.folder as folder:
        assert kind_of(Path("out")) is kind
        assert [*folder.members.values()] == [Path("out") / run for run in runs]
        assert all(RunFolder(run).only_prepared for run in folder.members.values())
        assert folder.is_prepared


@pytest.mark.parametrize("last", [False, True])
def test_a_preparation_that_fails_leaves_nothing(case, monkeypatch, last):
    spec, *_ = case
    group, failure = prove_spec(spec), StorageError("no room")
    prepare = type(group)._prepare

    def fail(self, proved, cores):
        if last:
            prepare(self, proved, cores)
        raise failure

    monkeypatch.setattr(type(group), "_prepare", fail)
    with pytest.raises(StorageError, match="no room"):
        group.create(Path("out"))
    assert not Path("out").exists()


def test_a_folder_that_is_not_yet_prepared_says_so(case):
    spec, *_ = case
    group = prove_spec(spec).keep_in(RunFolder.create(Path("out")))
    assert not group.folder.is_prepared
    group.folder.run.close()


def test_warnings_are_those_of_no_run(case):
    group, events = prove_spec(case[0]), []
    group.warnings = ["few rows", "a column tells the target"]
    group.warn(events.append)
    assert events == [Event(0, "warned", ("few rows",)), Event(0, "warned", ("a column tells the target",))]


TRAINED = [(run_seeds, {"seeds": [4, 2]}), (run_ensemble, {"ensemble.members": 2})]


def stopped():
    stop = StopRequest()
    stop.stop("the test")
    return stop


@pytest.mark.parametrize(("train", "overrides"), TRAINED)
def test_several_runs_are_warned_of_once_and_their_folder_has_one_writer(train, overrides, cwd):
    spec = mlpkit.load_spec("tiny.yaml", overrides={**overrides, "training.decays": {"*.b": 0}})
    events = []
    train(spec, "out", observer=events.append, stop=stopped())
    warned = [(event.run, event.data[0].message) for event in events if event.kind == "warned"]
    assert warned == [(0, "decays has no effect: sgd has no weight decay here")]
    with RunFolder(Path("out")) as other:
        other.claim()
        with pytest.raises(RunFolderError, match="out: this process is writing to it"):
            (resume_seeds if train is run_seeds else mlpkit.resume)("out")


@pytest.mark.parametrize(
    ("train", "what"),
    [
        (lambda spec: run_seeds(spec, observer=print), "training with several seeds"),
        (lambda spec: resume_seeds("out"), "training with several seeds"),
        (lambda spec: run_ensemble(spec, observer=print), "training an ensemble"),
        (lambda spec: run_specs([spec], ["out"], observer=print, stop=stopped()), "training several specs"),
    ],
)
def test_without_processes_no_other_run_is_trained(train, what, cwd, monkeypatch):
    monkeypatch.setattr("mlpkit.system.can_start_processes", lambda: False)
    with pytest.raises(UsageError, match=f"^{what} needs processes or threads"):
        train(mlpkit.load_spec("tiny.yaml"))


def test_seeds_are_those_of_a_spec_and_not_of_a_file(cwd):
    with pytest.raises(UsageError, match=r"^run takes a spec, not 'tiny\.yaml'; read it first: mlpkit\.load_spec\("):
        run_seeds("tiny.yaml", observer=print)

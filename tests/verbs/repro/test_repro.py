"""Repeating a run, to see whether it comes to the same."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree

import pytest

import mlpkit
from mlpkit.specfile.spec import Spec
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.repro.repro import repro


class Told(Observer):
    def __init__(self):
        self.notices = []

    def noticed(self, message):
        self.notices.append(message)


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refusal(directory):
    with pytest.raises(mlpkit.RunFolderError) as caught:
        repro(directory)
    return str(caught.value)


def test_a_run_comes_to_the_same_again_and_nothing_is_kept(train, work):
    train("run")
    before = set(work.rglob("*"))
    told = Told()
    found = repro(Path("run"), observer=told)
    assert found.same
    assert set(found.then) == {"history.jsonl", "metrics.json", "model.safetensors"}
    assert (told.notices, found.changes) == ([], [])
    assert set(work.rglob("*")) == before


def test_a_run_that_ended_after_a_time_is_repeated_as_far_as_it_came(train, work):
    run = train("run", training__epochs=None, training__seconds=0.2)
    assert run.ended == "the time of 0.2 s is over"
    assert run.steps == run.history[-1]["iteration"] > 0
    assert repro(Path("run"), Path("again")).same
    assert mlpkit.load_spec("again/resolved.yaml").training.seconds == 0.2


def test_the_repeated_run_may_be_kept(train, work):
    train("run")
    assert repro(Path("run"), Path("again")).same
    assert (work / "again/resolved.yaml").read_bytes() == (work / "run/resolved.yaml").read_bytes()
    assert (work / "again/lock.json").read_bytes() == (work / "run/lock.json").read_bytes()


def test_another_result_is_found(train, work):
    train("run")
    change(work / "run/metrics.json", test={"loss": 1.0})
    found = repro(Path("run"))
    assert not found.same
    assert [name for name in found.then if found.then[name] != found.now[name]] == ["metrics.json"]


def test_other_versions_are_reported(train, work):
    train("run")
    change(work / "run/lock.json", mlpkit="0.0.1")
    told = Told()
    assert repro(Path("run"), observer=told).same
    assert told.notices == [f"the result may differ, since mlpkit: 0.0.1 then, {mlpkit.__version__} now"]


def test_another_spec_or_other_data_is_refused(train, work):
    train("run")
    lock = (work / "run/lock.json").read_text()
    change(work / "run/lock.json", data_checksum="0" * 64)
    assert "run: can't be repeated: the data has changed: data_checksum: 000" in refusal(Path("run"))
    (work / "run/lock.json").write_text(lock)
    resolved = work / "run/resolved.yaml"
    resolved.write_text(resolved.read_text() + "# a comment\n")
    assert refusal(Path("run")) == (
        "run/resolved.yaml: is not the spec that was run: lock.json has another spec_hash; restore the file from a copy"
    )


def test_a_run_that_has_not_ended_is_refused(train, work):
    train("run", training__checkpoint={"every": 20})
    (work / "run/metrics.json").unlink()
    assert refusal(Path("run")) == "run: the run is not finished; resume it with: mlpkit resume run"
    rmtree(work / "run/checkpoints")
    assert refusal(Path("run")) == "run: the run is not finished; start a new run: mlpkit run run/resolved.yaml"


def test_a_run_that_was_interrupted_and_resumed_comes_to_the_same_again(work):
    stop = StopRequest()

    class StopAtOnce(Observer):
        def evaluated(self, record, seconds):
            stop.stop("SIGINT")

    mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run", stop=stop, observer=StopAtOnce())
    mlpkit.resume("run")
    assert repro(Path("run")).same


def test_an_ensemble_whose_networks_had_their_own_times_is_refused(train, monkeypatch):
    train("a run", training__epochs=None, training__seconds=0.01)
    monkeypatch.setattr(Spec, "trains_ensemble", True)
    with pytest.raises(mlpkit.UsageError) as caught:
        repro(Path("a run"))
    assert str(caught.value) == (
        "a run: can't be repeated: each network trained as many steps as its time allowed; "
        "repeat its networks, such as mlpkit repro 'a run/members/0'"
    )

"""Callbacks write files of their own, or the run doesn't begin; and a resumed one doesn't go on."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.runs.layout import OWN_NAMES
from mlpkit.specfile.spec import read_spec
from mlpkit.training.events import Observer, StopRequest

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 4
  evaluate_every: 2
  checkpoint: {every: 1, best: loss}
  callbacks: [CALLBACKS]
"""

PLUGIN = """\
from mlpkit import Callback, component, hookimpl

class Notes(Callback):
    '''Writes files.

    Args:
        names: their names.
    '''

    def __init__(self, names: tuple[str, ...] = ("notes",)):
        self.names = names

    def files(self):
        if "broken" in self.names:
            raise LookupError("no notes")
        return self.names

@hookimpl
def mlpkit_components():
    return [component("callback", "notes", Notes)]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes s.yaml with callbacks, and a plugin with one that writes any files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme.py").write_text(PLUGIN)
    return lambda callbacks: (tmp_path / "s.yaml").write_text(SPEC.replace("CALLBACKS", callbacks))


class Stops(Observer):
    def __init__(self, stop):
        self.stop = stop

    def started(self, total_steps):
        self.stop.stop("SIGINT")


def faults_of(plugins=("acme.py",)):
    with pytest.raises(mlpkit.SpecError) as caught:
        check(read_spec("s.yaml", plugins=plugins))
    return [(fault.column, fault.message) for fault in caught.value.faults]


def test_anybody_s_callback_is_held_to_it(write):
    write("acme.notes: {names: [a, spec.yaml, b]}, acme.notes: {names: [c, A]}, acme.notes, acme.notes")
    assert faults_of() == [
        (15, "'spec.yaml' is a name that mlpkit itself uses in the run folder"),
        (55, "'A' is written by acme.notes already"),
        (96, "'notes' is written by acme.notes already"),
    ]


def test_a_callback_that_names_a_file_twice_is_alone(write):
    write("acme.notes: {names: [a, a]}")
    check(read_spec("s.yaml", plugins=["acme.py"]))


def test_a_callback_whose_files_fail_is_blamed(write):
    write("acme.notes: {names: [broken]}")
    with pytest.raises(mlpkit.ComponentFailure, match=r"callback acme\.notes failed in files: .*no notes"):
        check(read_spec("s.yaml", plugins=["acme.py"]))


def test_all_that_a_run_keeps_is_mlpkit_s_own(write):
    write("")
    stop = StopRequest()
    mlpkit.run(mlpkit.load_spec("s.yaml"), "run", observer=Stops(stop), stop=stop)
    mlpkit.resume("run")
    run = mlpkit.run(mlpkit.load_spec("s.yaml"), "whole")
    kept = {path.name for path in run.folder.iterdir() if not path.name.startswith(".")}
    assert kept <= set(OWN_NAMES)
    assert set(OWN_NAMES) - kept == {
        *("report.html", "failure.json", "trial.json", "background.safetensors", "statistics.json"),
        *("card.md", "card.json"),
    }


def test_a_run_folder_from_a_stranger_is_held_to_it_too(write, tmp_path, monkeypatch):
    write("csv_logger: {file: ../figures.csv}")
    stop = StopRequest()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("mlpkit.jobs.prove._require_own_files", lambda spec: None)
        mlpkit.run(mlpkit.load_spec("s.yaml"), "run", observer=Stops(stop), stop=stop)
    (tmp_path / "figures.csv").write_text("precious")
    with pytest.raises(mlpkit.SpecError, match=r"can't be the name of a file in the run folder"):
        mlpkit.resume("run")
    assert (tmp_path / "figures.csv").read_text() == "precious"


@pytest.mark.parametrize("function", [mlpkit.build, mlpkit.tune_rate])
def test_what_only_builds_or_tries_rates_is_held_to_it_too(write, function):
    write("csv_logger: {file: ../figures.csv}")
    with pytest.raises(mlpkit.SpecError, match=r"can't be the name of a file in the run folder"):
        function(mlpkit.load_spec("s.yaml"))

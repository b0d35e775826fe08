"""run.json: what a run is, and what is read in its place if it is missing."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from run_folders import made_up_run

import mlpkit
from mlpkit.errors import RunFolderError
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, RUN, kind_of, read_identity
from mlpkit.runs.overview import overview_of
from mlpkit.specfile.spec import parse_spec
from mlpkit.training.events import StopRequest

SPEC = """\
mlpkit: 1
name: plain
seed: {seed}
{more}
data: {{npz: {{file: points.npz}}}}
layers: [Affine: {{units: 2}}, SoftmaxWithLoss]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 4, {length}, metrics: [accuracy]}}
"""


@pytest.fixture
def spec(work):
    """Return a function that writes a spec."""
    numpy = pytest.importorskip("numpy")
    numpy.savez("points.npz", x=numpy.eye(12, 3, dtype="float32"), t=numpy.arange(12) % 2)

    def write(length, seed=3, more=""):
        return parse_spec(SPEC.format(length=length, seed=seed, more=more), name="plain.yaml")

    return write


def record(folder):
    return json.loads((Path(folder) / "run.json").read_text())


def test_a_run_writes_it_when_it_begins(spec):
    mlpkit.run(spec("epochs: 2, early_stopping: {metric: accuracy, patience: 9}"), "run")
    text = Path("run/resolved.yaml").read_bytes()
    assert record("run") == {
        "kind": "run",
        "name": "plain",
        "seed": 3,
        "digest": hashlib.sha256(re.sub(rb"^seed: .*\n", b"", text, flags=re.MULTILINE)).hexdigest(),
        "monitor": "accuracy",
        "total": 6,  # 12 rows, in minibatches of 4, twice
    }


def test_the_clock_leaves_the_total_open(spec):
    mlpkit.run(spec("seconds: 0.01"), "run")
    assert record("run")["total"] is None


def test_runs_that_differ_in_the_seed_alone_have_the_same_digest(spec):
    for name, length, seed in (("a", "iterations: 2", 1), ("b", "iterations: 2", 2), ("c", "iterations: 3", 1)):
        mlpkit.run(spec(length, seed), name)
    assert record("a")["digest"] == record("b")["digest"] != record("c")["digest"]


def test_an_ensemble_says_so_and_its_networks_are_runs(spec):
    mlpkit.run(spec("iterations: 2", more="ensemble: {members: 2}"), "run")
    assert (record("run")["kind"], record("run/members/1")["kind"]) == ("ensemble", "run")
    assert (kind_of(Path("run")), kind_of(Path("run/members/1"))) == (ENSEMBLE_RUN, RUN)


@pytest.mark.parametrize("length", ["iterations: 5", "epochs: 2", "seconds: 0.05"])
@pytest.mark.parametrize("more", ["", "ensemble: {folds: 2}"])
def test_without_it_resolved_yaml_tells_the_same(spec, length, more):
    mlpkit.run(spec(length, more=more), "run")
    folders = [Path("run"), *(Path(f"run/members/{i}") for i in range(2 if more else 0))]
    with_it = [(kind_of(each), overview_of(each)._replace(changed=0)) for each in folders]
    for each in folders:
        (each / "run.json").unlink()
    assert [(kind_of(each), overview_of(each)._replace(changed=0)) for each in folders] == with_it


def test_a_resumed_run_has_the_same(spec):
    stop = StopRequest()
    stop.stop("SIGTERM")
    mlpkit.run(spec("epochs: 2, checkpoint: {every: 1}"), "run", stop=stop)
    before = record("run")
    Path("run/run.json").unlink()
    mlpkit.resume("run")
    assert record("run") == before


def test_an_overview_reads_nothing_of_the_spec(tmp_path):
    folder = RunFolder(made_up_run(tmp_path / "run"))
    folder.write_identity(200)
    folder.close()
    (tmp_path / "run/resolved.yaml").write_text("training: [[[")
    found = overview_of(tmp_path / "run")
    assert (found.state, found.spec, found.total) == ("stopped", "made_up", 200)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected a JSON object"),
        ('{"kind": "run"}', "expected kind, name, seed, digest, monitor and total"),
        ('{"kind":"run","name":"a","seed":"1","digest":"","monitor":"loss","total":2}', "expected kind, name"),
        ('{"kind":"run","name":"a","seed":1,"digest":"","monitor":"loss","total":"2"}', "expected kind, name"),
        ('{"kind":"run","name":"a","seed":1,"digest":"","monitor":"loss"}', "expected kind, name"),
    ],
)
def test_a_damaged_one_is_refused_and_the_folder_is_still_a_run(tmp_path, content, problem):
    folder = made_up_run(tmp_path / "run")
    (folder / "run.json").write_text(content)
    with pytest.raises(RunFolderError, match=f"{re.escape(str(folder / 'run.json'))}: is damaged: {problem}"):
        read_identity(folder)
    assert overview_of(folder).state == "damaged"
    assert kind_of(folder) is RUN

"""Ensembles: networks that are trained as on their own, and averaged."""

from __future__ import annotations

import csv
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from requirements import require_package

import mlpkit
from mlpkit.errors import (
    DivergenceError,
    EnsembleError,
    ModelFileError,
    RunFolderError,
    SpecSchemaError,
    SpecShapeError,
    UsageError,
)
from mlpkit.groups.ensemble import metrics_out_of_fold, run_ensemble
from mlpkit.jobs.load_model import load_run
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.repro.repro import repro

OF_NETWORK = ("resolved.yaml", "lock.json", "history.jsonl", "metrics.json", "model.safetensors")
OF_ENSEMBLE = ("resolved.yaml", "metrics.json", "spread.json", "model.safetensors")
MEMBERS = {"ensemble": {"members": 2}}
FOLDS = {"ensemble": {"folds": 3}}


def spec(overrides=(), **more):
    return mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": 4, **dict(overrides), **more})


def contents(folder, names):
    return {name: (Path(folder) / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def members(shared_work):
    return mlpkit.run(spec(MEMBERS), "members-of-two")


@pytest.fixture(scope="module")
def folds(shared_work):
    return mlpkit.run(spec(FOLDS), "three-folds")


@pytest.fixture(scope="module")
def test_rows(shared_work):
    return mlpkit.load_data(spec(), "test")


@pytest.mark.parametrize("number", [0, 1])
def test_each_member_has_the_bits_of_a_run_with_its_seed(members, number):
    alone = mlpkit.run(spec(seed=3 + number, **{"training.threads": 1}))
    member = members.members[number]
    assert member.history == alone.history
    assert member.metrics == alone.metrics
    for name, value in alone.network.parameters.items():
        np.testing.assert_array_equal(member.network.parameters[name], value)


@pytest.mark.parametrize("overrides", [MEMBERS, FOLDS], ids=["members", "folds"])
def test_one_network_of_an_ensemble_can_be_trained_alone(members, folds, overrides, tmp_path):
    mlpkit.run(spec(overrides, **{"ensemble.member": 1}), tmp_path / "alone")
    folder = folds.folder if overrides is FOLDS else members.folder
    assert contents(tmp_path / "alone", OF_NETWORK) == contents(folder / "members/1", OF_NETWORK)


def test_the_prediction_is_the_mean(members, test_rows):
    x, t = test_rows
    mean = np.mean([member.network.predict(x) for member in members.members.values()], axis=0)
    for network in (members.network, mlpkit.load("members-of-two").network, mlpkit.resume("members-of-two").network):
        np.testing.assert_allclose(network.predict(x), mean, rtol=1e-6)
    of_mean = -np.log(mean[np.arange(len(t)), t]).mean()
    assert members.metrics["test"] == pytest.approx({"loss": of_mean, "accuracy": (mean.argmax(axis=1) == t).mean()})
    assert json.loads(Path("members-of-two/metrics.json").read_text())["test"] == members.metrics["test"]
    assert json.loads(Path("members-of-two/run.json").read_text())["name"] == "tiny"


def test_members_have_no_predictions_out_of_fold(members):
    assert members.out_of_fold is None
    assert mlpkit.resume("members-of-two").out_of_fold is None


def test_the_spread_is_that_of_the_networks(members):
    losses = [member.metrics["test"]["loss"] for member in members.members.values()]
    found = members.spread["test"]["loss"]
    assert (found.n, found.mean, found.std) == pytest.approx((2, np.mean(losses), np.std(losses, ddof=1)))
    assert json.loads(Path("members-of-two/spread.json").read_text())["test"]["loss"]["mean"] == found.mean


def test_the_loss_of_the_average_is_below_the_mean_loss(members):
    assert members.metrics["test"]["loss"] < members.spread["test"]["loss"].mean


def test_out_of_fold_predictions_are_those_of_networks_that_have_not_seen_the_row(folds):
    """Whatever joins the folds: the rows are read as they are, and predicted by their network."""
    both = [mlpkit.load_data(spec(), split) for split in ("train", "validation")]
    x, t = (np.concatenate([split[i] for split in both]) for i in (0, 1))
    with Path("three-folds/out_of_fold.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(x) == 250
    numbers = np.array([int(row["fold"]) for row in rows])
    found = np.array([[float(row[f"probability_{i}"]) for i in range(10)] for row in rows])
    for fold, member in folds.members.items():
        of_fold = numbers == fold
        np.testing.assert_allclose(member.network.predict(x[of_fold]), found[of_fold], rtol=1e-6)
        assert mlpkit.load_data(spec(FOLDS, **{"ensemble.member": fold}), "train")[0].shape == (
            250 - of_fold.sum(),
            784,
        )
    np.testing.assert_array_equal([int(row["target"]) for row in rows], t)
    loss = -np.log(found[np.arange(len(t)), t]).mean()
    accuracy = (found.argmax(axis=1) == t).mean()
    assert folds.metrics["validation"] == pytest.approx({"loss": loss, "accuracy": accuracy}, rel=1e-6)
    for run in (folds, mlpkit.resume("three-folds")):
        np.testing.assert_allclose(run.out_of_fold.values, found, rtol=1e-6)
        np.testing.assert_array_equal(run.out_of_fold.folds, numbers)
        np.testing.assert_array_equal(run.out_of_fold.targets, t)
    sizes = [len(np.flatnonzero((numbers == fold) & (t == 3))) for fold in range(3)]
    assert max(sizes) - min(sizes) <= 1


def test_one_hot_targets_are_written_out_of_fold_as_class_numbers_are(folds):
    mlpkit.run(spec(FOLDS, **{"data.mnist.one_hot": True}), "one-hot")
    assert contents("one-hot", ["out_of_fold.csv"]) == contents("three-folds", ["out_of_fold.csv"])


def test_predictions_out_of_fold_without_a_finite_loss_are_an_error(folds):
    model, found = load_run(folds.folder), folds.out_of_fold
    assert metrics_out_of_fold(model, found, folds.folder) == folds.metrics["validation"]
    with pytest.raises(DivergenceError) as raised:
        metrics_out_of_fold(model, found._replace(values=found.values * np.float32(np.nan)), folds.folder)
    assert str(raised.value) == "three-folds: the out-of-fold loss is nan; lower the learning rate"


def without_results(folds, folder):
    """Copy a finished ensemble as if it had been killed before its average."""
    shutil.copytree(folds.folder, folder)
    for name in ("metrics.json", "model.safetensors", "spread.json"):
        (folder / name).unlink()
    return folder


@pytest.mark.parametrize("number", [1, 2])
def test_a_network_whose_folder_was_removed_is_trained_again(folds, tmp_path, number):
    folder = without_results(folds, tmp_path / "again")
    shutil.rmtree(folder / f"members/{number}")
    with pytest.warns(UserWarning, match=rf"member {number}: its folder was missing, so it is trained again"):
        mlpkit.resume(folder)
    assert contents(folder, OF_ENSEMBLE) == contents(folds.folder, OF_ENSEMBLE)
    assert contents(folder / f"members/{number}", OF_NETWORK) == contents(
        folds.folder / f"members/{number}", OF_NETWORK
    )


def test_a_network_whose_checkpoints_are_all_damaged_begins_again(folds, tmp_path):
    folder = without_results(folds, tmp_path / "again")
    member = folder / "members/1"
    for name in ("metrics.json", "model.safetensors"):
        (member / name).unlink()
    (member / "checkpoints").mkdir()
    (member / "checkpoints/step-000000004.safetensors").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="every checkpoint is damaged, so the run starts over"):
        mlpkit.resume(folder)
    assert contents(folder, OF_ENSEMBLE) == contents(folds.folder, OF_ENSEMBLE)
    assert contents(member, OF_NETWORK) == contents(folds.folder / "members/1", OF_NETWORK)
    assert contents(member, ["health.jsonl"]) == contents(folds.folder / "members/1", ["health.jsonl"])


def test_a_damaged_model_of_a_network_is_named_with_what_to_do(folds, tmp_path):
    folder = without_results(folds, tmp_path / "again")
    (folder / "members/0/model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="is not a model file") as caught:
        mlpkit.resume(folder)
    assert caught.value.__notes__ == [
        f"help: or remove {folder}/members/0; then mlpkit resume trains this network again"
    ]


def test_a_finished_ensemble_is_left_as_it_is(folds):
    files = [path for path in folds.folder.rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files if path.name != ".lock"}
    mlpkit.resume(folds.folder)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_ensemble_that_is_in_use_is_left_alone(folds):
    with RunFolder(folds.folder) as other:
        other.claim()
        with pytest.raises(RunFolderError, match="three-folds: this process is writing to it"):
            mlpkit.resume(folds.folder)


def test_an_ensemble_of_folds_has_no_rows_left_for_validation(folds):
    assert list(folds.metrics) == ["test", "validation", "train"]
    with pytest.raises(UsageError, match="has no split 'validation'"):
        mlpkit.load_data(spec(FOLDS), "validation")


def stop_at_first_evaluation(stop):
    return lambda event: stop.stop("the test") if event.kind == "evaluated" else None


@pytest.mark.parametrize("overrides", [MEMBERS, FOLDS], ids=["members", "folds"])
def test_a_stopped_ensemble_goes_on_to_the_same_bits(overrides, shared_work):
    longer = {**overrides, "training.epochs": 60, "training.evaluate_every": 20}
    directory, stop = Path(f"stopped-{len(overrides['ensemble'])}-{next(iter(overrides['ensemble']))}"), StopRequest()
    stopped = run_ensemble(spec(longer), directory, observer=stop_at_first_evaluation(stop), stop=stop)
    assert stopped.stopped == "the test"
    assert stopped.unfinished
    assert not (directory / "metrics.json").exists()
    resumed = mlpkit.resume(stopped)
    whole = mlpkit.run(spec(longer), f"{directory}-whole")
    assert contents(directory, OF_ENSEMBLE) == contents(whole.folder, OF_ENSEMBLE)
    assert resumed.metrics == whole.metrics
    for number in whole.members:
        of_network = f"members/{number}"
        assert contents(directory / of_network, OF_NETWORK) == contents(whole.folder / of_network, OF_NETWORK)


def test_an_ensemble_whose_data_has_changed_is_refused(shared_work):
    stop = StopRequest()
    run_ensemble(
        spec(MEMBERS, **{"training.epochs": 60}), "changed", observer=stop_at_first_evaluation(stop), stop=stop
    )
    text = Path("changed/resolved.yaml").read_text()
    lock = Path("changed/lock.json")
    lock.write_text(lock.read_text().replace('"data_checksum": "', '"data_checksum": "0'))
    with pytest.raises(RunFolderError, match="changed: can't be resumed: what it depends on has changed: data_check"):
        mlpkit.resume("changed")
    Path("changed/resolved.yaml").write_text(text.replace("seed: 3", "seed: 4"))
    with pytest.raises(RunFolderError, match="is not the spec that was run"):
        mlpkit.resume("changed")


def test_an_ensemble_whose_data_is_gone_is_refused_before_a_network_trains(work):
    stop = StopRequest()
    stop.stop("the test")
    run_ensemble(spec(MEMBERS), "run", observer=lambda _: None, stop=stop)
    shutil.rmtree("digits")
    with pytest.raises(RunFolderError) as raised:
        mlpkit.resume("run")
    assert str(raised.value) == (
        "run: can't read the folder 'digits': No such file or directory; restore the data that it was trained on; file "
        "names are relative to the folder in which mlpkit is started"
    )


def test_an_ensemble_is_repeated_to_the_same_bits(folds):
    assert repro(folds.folder).same


def test_in_memory_the_folds_are_those_of_the_rows(shared_work):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 3))
    t = np.exp(x[:, 0]) + 1
    layers = [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 1}}, "MeanSquaredError"]
    run = mlpkit.fit(x, t, layers=layers, epochs=2, ensemble={"folds": 3}, scale_target="log", directory="in-memory")
    mean = np.mean([member.model.predict(x) for member in run.members.values()], axis=0)
    np.testing.assert_allclose(run.model.predict(x), mean, rtol=1e-5)
    with Path("in-memory/out_of_fold.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["target"]) for row in rows], t, rtol=1e-5)
    squares = np.square([float(row["predicted"]) - float(row["target"]) for row in rows])
    assert run.metrics["validation"]["loss"] == pytest.approx(squares.mean(), rel=1e-4)
    assert [int(row["source"].removeprefix("x, example ")) for row in rows] == list(range(90))
    again = mlpkit.resume("in-memory", examples=(x, t))
    assert again.metrics == run.metrics
    traced = mlpkit.trace("in-memory/members/1", 1, examples=(x, t))
    examples = [int(source.removeprefix("x, example ")) for source in traced.sources]
    np.testing.assert_allclose(traced.targets.ravel(), t[examples], rtol=1e-5)
    assert not {*examples} & {i for i, row in enumerate(rows) if row["fold"] == "1"}


X = np.random.default_rng(0).normal(size=(40, 3))
T = X[:, :2] * 3 + 1
TABLE = {"c": X[:, 0], "d": X[:, 1], "a": T[:, 0], "b": T[:, 1]}


@pytest.mark.parametrize(
    ("rows", "targets", "options", "header"),
    [
        (X, T, {}, "source,fold,target_0,target_1,predicted_0,predicted_1"),
        (TABLE, ["a", "b"], {"predict": "values"}, "source,fold,target_a,target_b,predicted_a,predicted_b"),
    ],
)
def test_several_targets_have_a_column_each_out_of_fold(rows, targets, options, header, tmp_path):
    layers = [{"Affine": {"units": 2}}, "MeanSquaredError"]
    mlpkit.fit(rows, targets, layers=layers, ensemble={"folds": 2}, epochs=1, directory=tmp_path / "run", **options)
    lines = (tmp_path / "run/out_of_fold.csv").read_text().splitlines()
    assert lines[0] == header
    found = np.array([line.rsplit(",", 4)[1:3] for line in lines[1:]], float)
    np.testing.assert_allclose(found, T, rtol=1e-5)


def test_ctrl_c_while_networks_train_in_this_process_says_how_to_resume(tmp_path, monkeypatch):
    def interrupt(event):
        if event.kind == "evaluated" and event.run == 1:
            signal.raise_signal(signal.SIGINT)

    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(30, 2)), rng.normal(size=30)
    options = {"layers": [{"Affine": {"units": 1}}, "MeanSquaredError"], "ensemble": {"members": 3}, "epochs": 4}
    whole = mlpkit.fit(x, t, **options)
    with monkeypatch.context() as patch:
        patch.setattr("mlpkit.verbs.run.fit.python_warnings", lambda what: interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            mlpkit.fit(x, t, directory=tmp_path / "run", **options)
        with pytest.raises(KeyboardInterrupt) as without:
            mlpkit.fit(x, t, **options)
    assert str(caught.value) == f'stopped; resume it with: mlpkit.resume("{tmp_path / "run"}", examples=(x, t))'
    stopped = caught.value.run
    assert (stopped.unfinished, stopped.stopped, list(stopped.members)) == ((1, 2), "SIGINT", [0])
    assert str(without.value) == "stopped, and nothing was saved; with a directory, it could be resumed"
    assert (without.value.run.folder, without.value.run.members[0].folder) == (None, None)
    resumed = mlpkit.resume(tmp_path / "run", examples=(x, t))
    np.testing.assert_array_equal(resumed.network.predict(x), whole.network.predict(x))


def test_a_network_that_fails_is_named(shared_work):
    with pytest.warns(UserWarning, match="member"), pytest.raises(EnsembleError) as raised:
        mlpkit.run(spec(MEMBERS, **{"training.optimizer.sgd.learning_rate": 1e30}), "failed")
    assert str(raised.value).startswith("failed: members 0, 1 failed: ")
    assert str(raised.value).endswith("change the spec, and train a new ensemble")


def test_networks_that_fail_in_this_process_are_named_and_warned_of(tmp_path):
    rng = np.random.default_rng(0)
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    rate = {"optimizer": {"sgd": {"learning_rate": 1e30}}, "epochs": 9, "batch_size": 10}
    x, t = rng.normal(size=(30, 2)), rng.normal(size=30)
    with pytest.warns(UserWarning, match="member") as warned, pytest.raises(EnsembleError) as raised:
        mlpkit.fit(x, t, layers=layers, ensemble={"members": 2}, directory=tmp_path / "failed", **rate)
    assert str(raised.value).startswith(f"{tmp_path / 'failed'}: members 0, 1 failed: training diverged: ")
    starts = [str(each.message).partition(" diverged")[0] for each in warned]
    assert [text for text in starts if text.startswith("member")] == ["member 0: training", "member 1: training"]


@pytest.mark.parametrize(
    ("look", "verb"),
    [(mlpkit.doctor, "doctor"), (lambda run: mlpkit.trace(run, 1), "trace --step 1")],
    ids=["doctor", "trace"],
)
def test_what_looks_at_a_training_names_a_network(members, look, verb):
    with pytest.raises(UsageError) as raised:
        look("members-of-two")
    assert str(raised.value) == (
        f"members-of-two: is an ensemble; give one of its networks: mlpkit {verb} members-of-two/members/0"
    )
    look("members-of-two/members/0")


def test_one_network_goes_on_to_be_trained_and_not_the_average(members, test_rows):
    with pytest.raises(UsageError, match=r"train one of its networks, such as that of run.members\[0\]"):
        members.network.fit(*test_rows, epochs=1)
    with pytest.raises(SpecShapeError, match="members-of-two: is an ensemble; give one of its networks, such as"):
        mlpkit.build(spec(initialize_from="members-of-two"))
    first = mlpkit.build(spec(initialize_from="members-of-two/members/0"))
    np.testing.assert_array_equal(first.parameters["Affine1.W"], members.members[0].network.parameters["Affine1.W"])


def test_an_observer_of_one_run_is_refused(shared_work):
    with pytest.raises(UsageError, match="takes no observer"):
        mlpkit.run(spec(MEMBERS), observer=Observer())


def test_more_folds_than_rows_is_an_error_at_the_line(shared_work):
    few = {"ensemble": {"folds": 100}, "data.mnist.train": 40, "data.mnist.validation": 20, "training.batch_size": 5}
    with pytest.raises(SpecShapeError) as raised:
        mlpkit.run(spec(few))
    (fault,) = raised.value.faults
    assert fault.message == "there are fewer rows than 100 folds"
    assert fault.expected == "at most 60, the rows for training and validation"


UNKNOWN_INVERSE = '''\
"""A loss that predicts squares."""
import numpy as np
from mlpkit import Loss, component, hookimpl


class Squares(Loss):
    """Predicts squares.

    Source: none.
    """

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        return 0.0

    def backward(self, dloss=1.0):
        return None

    def predict(self, x):
        return x * x


@hookimpl
def mlpkit_components():
    return [component("loss", "Squares", Squares)]
'''


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("squares.Squares", 0),
        ("EnsembleView: {members: 2}\n  - EnsembleLoss:\n      loss: squares.Squares", 2),
    ],
    ids=["alone", "inside another"],
)
def test_a_loss_of_which_that_of_a_prediction_is_unknown_is_an_error_at_its_place(shared_work, text, lines):
    Path("squares.py").write_text(UNKNOWN_INVERSE)
    spec = Path("tiny.yaml").read_text().replace("SoftmaxWithLoss", text) + "ensemble: {members: 2}\n"
    Path("squares.yaml").write_text(spec)
    with pytest.raises(SpecShapeError) as raised:
        mlpkit.run(mlpkit.load_spec("squares.yaml", plugins=["squares.py"]))
    (fault,) = raised.value.faults
    assert (fault.line, fault.message, fault.remedy) == (
        10 + lines,
        "squares.Squares can't be the loss of an ensemble: its class has a predict, but neither inputs_for nor "
        "prediction_loss",
        "use another loss, or leave out ensemble",
    )


def test_seeds_and_an_ensemble_exclude_each_other(shared_work):
    with pytest.raises(SpecSchemaError, match="either an ensemble or several seeds"):
        spec(MEMBERS, seeds=2)
    with pytest.raises(UsageError, match="either an ensemble or several seeds"):
        mlpkit.run(spec(MEMBERS), seeds=2)


@pytest.mark.parametrize("to", ["average.onnx", "average.c", "average.js", "average.html"])
def test_the_average_leaves_as_one_model(members, folds, to):
    require_package("onnxruntime")
    for run in (members, folds):
        found = mlpkit.export(run, to)
        assert (found.rows, found.split) == (60, "the test split")


def test_layers_for_some_columns_are_averaged_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i / 7:.2f},{'red' if i % 3 else 'blue'},{i % 5}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["size,colour,price", *rows, ""]))
    table = {"file": "t.csv", "target": "price", "predict": "values", "categorical": ["colour"], "test": 0.2}
    columns = {"Columns": {"numbers": [{"Periodic": {"size": 4, "frequencies": 3}}]}}
    spec = {
        "mlpkit": 1,
        "ensemble": {"members": 2},
        "data": {"csv": table},
        "layers": [columns, {"Affine": {"units": "auto"}}, "MeanSquaredError"],
        "training": {"optimizer": {"sgd": {"learning_rate": 0.01}}, "epochs": 2, "batch_size": 8},
    }
    run = mlpkit.run(mlpkit.load_spec(spec), "run")
    row = {"size": [1.5], "colour": ["red"]}
    members = [mlpkit.load(f"run/members/{i}").predict(row) for i in range(2)]
    np.testing.assert_allclose(mlpkit.load("run").predict(row), np.mean(members, axis=0), rtol=1e-6)
    assert set(run.metrics) == {"train", "validation", "test"}

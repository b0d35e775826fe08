"""A teacher's predictions are mixed into the targets that a network learns, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import mlpkit
from mlpkit import RunFolderError, SpecError
from mlpkit.jobs.check import check
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.repro.repro import repro

RNG = np.random.default_rng(7)
X = RNG.normal(size=(90, 3)).round(4)
FRAME = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}
KINDS = np.array(["low", "middle", "high"])[np.digitize(X[:, 0] + 0.5 * X[:, 1], [-0.5, 0.5])]
VALUES = (2 * X[:, 0] - X[:, 1] ** 2).round(4)
LABELS = np.stack([X[:, 0] > 0, X[:, 1] > X[:, 2]], axis=1).astype(int)

LOSSES = {"classes": "SoftmaxWithLoss", "labels": "SigmoidWithLoss", "values": "MeanSquaredError"}
TARGETS = {"classes": KINDS, "labels": LABELS, "values": VALUES}


def fit(t, predict, *, frame=FRAME, directory=None, **options):
    loss = LOSSES.get(predict, "SoftmaxWithLoss")
    layers = [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": "auto"}}, loss]
    options = {"epochs": 4, "batch_size": 16, "optimizer": {"adam": {"learning_rate": 0.02}}, **options}
    return mlpkit.fit(frame, t, layers=layers, predict=predict, directory=directory, quiet=True, **options)


@pytest.fixture
def teacher(tmp_path, monkeypatch):
    """Return a function that trains a teacher in a folder and returns its predictions for the rows."""
    monkeypatch.chdir(tmp_path)

    def train(predict="classes", name="teacher", **options):
        run = fit(TARGETS[predict], predict, directory=name, **{"epochs": 12, **options})
        return run.network.predict(run.network.encoder.encode(FRAME)).astype(float)

    return train


def mixture(predict, given, weight, temperature):
    """Return the mixed targets, computed without the product."""
    if predict == "values":
        return weight * given.reshape(-1) + (1 - weight) * VALUES
    if predict == "labels":
        odds = (given / (1 - given)) ** (1 / temperature)
        return weight * odds / (1 + odds) + (1 - weight) * LABELS
    logits = np.log(given) / temperature
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own = np.stack([name == KINDS for name in sorted(set(KINDS))], axis=1)
    return weight * soft + (1 - weight) * own


@pytest.mark.parametrize(("weight", "temperature"), [(0.5, 1), (0.9, 2), (1.0, 4)])
def test_classes_are_learned_as_if_the_mixture_were_the_target(teacher, weight, temperature):
    given = teacher()
    section = {"run": "teacher", "weight": weight, "temperature": temperature}
    pupil = fit(KINDS, "classes", teacher=section)
    names = [f"probability_{name}" for name in sorted(set(KINDS))]
    columns = dict(zip(names, mixture("classes", given, weight, temperature).T, strict=True))
    expected = fit(names, "probabilities", frame=FRAME | columns, inputs=["a", "b", "c"])
    for path, values in pupil.network.parameters.items():
        np.testing.assert_allclose(values, expected.network.parameters[path], atol=1e-4)
    alone = fit(KINDS, "classes")
    assert not np.allclose(pupil.network.values, alone.network.values, atol=1e-3)


def test_values_are_learned_in_their_unit(teacher):
    given = teacher("values", scale_target="standardize")
    pupil = fit(VALUES, "values", teacher={"run": "teacher", "weight": 0.75}, scale_target="none")
    expected = fit(mixture("values", given, 0.75, 1), "values", scale_target="none")
    np.testing.assert_allclose(pupil.network.values, expected.network.values, atol=1e-4)


def test_labels_are_softened_one_by_one(teacher):
    given = teacher("labels")
    section = {"run": "teacher", "weight": 0.8, "temperature": 3}
    layers = [{"Affine": {"units": 2}}, "SigmoidWithLoss"]
    options = {"layers": layers, "epochs": 1, "batch_size": 90, "optimizer": {"sgd": {"learning_rate": 1.0}}}
    with_teacher = mlpkit.fit(FRAME, LABELS, teacher=section, quiet=True, **options)
    before = mlpkit.fit(FRAME, LABELS, quiet=True, **{**options, "optimizer": {"sgd": {"learning_rate": 1e-30}}})
    x = before.network.encoder.encode(FRAME)
    t = mixture("labels", given, 0.8, 3)
    gradient = x.T @ (before.network.predict(x) - t) / t.size
    step = before.network.parameters["Affine1.W"] - with_teacher.network.parameters["Affine1.W"]
    np.testing.assert_allclose(step, gradient, atol=1e-5)


def test_metrics_and_the_model_are_those_of_the_labels(teacher):
    teacher()
    pupil = fit(KINDS, "classes", teacher={"run": "teacher", "temperature": 2}, metrics=["accuracy"])
    assert pupil.metrics["train"]["loss"] == pytest.approx(pupil.model.evaluate(FRAME, KINDS)["loss"], rel=1e-5)
    assert pupil.network.target == mlpkit.Classes(3)


@pytest.mark.parametrize("folds", [None, {"folds": 2}])
def test_rows_and_predictions_stay_together(teacher, folds):
    given = teacher(ensemble={"folds": 2}, epochs=8)
    scrambled = np.random.default_rng(1).permutation(KINDS)
    section = {"run": "teacher", "weight": 1}
    pupil = fit(scrambled, "classes", teacher=section, epochs=25, ensemble=folds, validation=0 if folds else 0.2)
    agreement = np.mean(pupil.model.predict_proba(FRAME).argmax(axis=1) == given.argmax(axis=1))
    assert agreement > 0.85


def written(name, target="kind", predict="classes", **training):
    rows = [",".join(map(str, row)) for row in zip(*X.T, KINDS, VALUES, strict=True)]
    Path("rows.csv").write_text("\n".join(["a,b,c,kind,value", *rows]))
    others = {"kind": "value", "value": "kind"}
    data = {"file": "rows.csv", "target": target, "predict": predict, "ignore": [others[target]]}
    data |= {"validation": 0, "test": 0}
    loss = LOSSES[predict]
    layers = [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": "auto"}}, loss]
    training = {"optimizer": "adam", "epochs": 6, "batch_size": 16, **training}
    spec = {"mlpkit": 1, "data": {"csv": data}, "layers": layers, "training": training}
    Path(name).write_text(yaml.safe_dump(spec, sort_keys=False))
    return mlpkit.load_spec(name)


def faults(spec):
    with pytest.raises(SpecError) as caught:
        check(spec)
    return [(each.path, each.code, each.line > 0) for each in caught.value.faults], str(caught.value)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Go to an empty folder, with a finished run of classes in ``runs/teacher``."""
    monkeypatch.chdir(tmp_path)
    mlpkit.run(written("teacher.yaml"), "runs/teacher", quiet=True)
    return tmp_path


def test_a_run_that_is_not_there_is_a_fault_at_its_line(folder):
    found, text = faults(written("pupil.yaml", teacher={"run": "runs/missing"}))
    assert found == [("training.teacher.run", "wrong-run-folder", True)]
    assert "runs/missing" in text


def test_another_target_is_a_fault_at_its_line(folder):
    found, text = faults(written("pupil.yaml", "value", "values", teacher={"run": "runs/teacher"}))
    assert found == [("training.teacher.run", "wrong-target", True)]
    assert "predicts 3 classes: high, low, middle" in text


def test_other_columns_are_a_fault_at_its_line(folder):
    written("pupil.yaml", teacher={"run": "runs/teacher"})
    spec = mlpkit.load_spec("pupil.yaml", overrides=["data.csv.ignore=[value, b]"])
    found, text = faults(spec)
    assert found == [("training.teacher.run", "wrong-data", True)]
    assert "takes b, not among the inputs" in text


def test_values_have_no_temperature(folder):
    mlpkit.run(written("values.yaml", "value", "values"), "runs/values", quiet=True)
    found, _ = faults(written("pupil.yaml", "value", "values", teacher={"run": "runs/values", "temperature": 2}))
    assert found == [("training.teacher.temperature", "wrong-target", True)]


class StopAtOnce(Observer):
    """Stops a training after its first step."""

    def __init__(self, stop):
        self.request = stop

    def stepped(self, progress, loss):
        self.request.stop("enough")


def test_a_resumed_run_has_the_same_bits_and_a_changed_teacher_is_refused(folder):
    section = {"run": "runs/teacher", "weight": 0.7, "temperature": 2}
    spec = written("pupil.yaml", teacher=section, checkpoint={"every_epochs": 1})
    whole = mlpkit.run(spec, "runs/whole", quiet=True)
    for name in ("part", "again"):
        stop = StopRequest()
        assert mlpkit.run(spec, f"runs/{name}", observer=StopAtOnce(stop), stop=stop).stopped
    assert json.loads(Path("runs/part/lock.json").read_text())["teacher"]
    assert (mlpkit.resume("runs/part").network.values == whole.network.values).all()
    assert repro(Path("runs/whole")).same
    other = mlpkit.run(written("teacher.yaml", epochs=1), "runs/other", quiet=True)
    Path("runs/teacher/model.safetensors").write_bytes((other.folder / "model.safetensors").read_bytes())
    with pytest.raises(RunFolderError, match=r"teacher: .* then, .* now"):
        mlpkit.resume("runs/again")

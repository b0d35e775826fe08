"""A step of a run, computed again."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from hashlib import sha256
from random import Random

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.terminal.figures import figure
from mlpkit.training import gradient
from mlpkit.training.update import Updater
from mlpkit.verbs.trace.trace import TracedLayer, _image_shape, numbers_in_words

SPECS = {
    "dropout": {
        "layers": [{"Affine": {"units": 12}}, "Relu", "Dropout", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {"optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}, "clip": {"norm": 1.0}},
    },
    "batch norm": {
        "layers": [
            {"Affine": {"units": 12}},
            {"Residual": {"layers": ["BatchNorm", "Tanh", {"Affine": {"units": 12}}]}},
            {"Affine": {"units": 10}},
            "SoftmaxWithLoss",
        ],
        "training": {"optimizer": "adam", "moving_average": {"decay": 0.9}, "best_weights": "accuracy"},
    },
    "augmentation": {
        "data": {"flatten": False},
        "layers": [
            {"Reshape": {"shape": [1, 28, 28]}},
            {"Conv2d": {"filters": 3, "size": 5, "stride": 2}},
            "Relu",
            "Flatten",
            {"Affine": {"units": 10}},
            "SoftmaxWithLoss",
        ],
        "training": {
            "optimizer": {"rmsprop": {"learning_rate": 0.001}},
            "augment": [{"shift": {"pixels": 2}}, "rotation"],
            "sampling": "with_replacement",
        },
    },
    "accumulation": {
        "layers": [{"Affine": {"units": 12}}, "Gelu", "Dropout", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"adamw": {"learning_rate": {"cosine": {"first": 0.01}}}},
            "batch_size": 13,
            "accumulate": 4,
            "clip": {"value": 0.01},
        },
    },
}
SPECS["mixed precision"] = SPECS["batch norm"] | {"training": {"optimizer": "adam", "precision": "bfloat16"}}
SPECS["weights that look at the data"] = {
    "layers": [
        {"Affine": {"units": 12, "ntk": True, "weights": "unit_variance", "biases": "convex_combination"}},
        "Relu",
        {"Affine": {"units": 10}},
        "SoftmaxWithLoss",
    ],
    "training": {"optimizer": "adam"},
}
STEPS = 40
KILLED_IN = 30


class Killed(BaseException):
    """Ends a run as SIGKILL does: at once."""


class Oracle:
    """Remembers what goes into clipping and into the optimizer, and what comes out, as a run continues."""

    def __init__(self, monkeypatch):
        self.gradients, self.clipped, self.before, self.after, self.rates = {}, {}, {}, {}, {}
        self.killed_in = self._not_clipped = None
        update = Updater.__call__
        monkeypatch.setattr(Updater, "__call__", lambda *given: self._update(update, *given))
        for name in ("clip_by_norm", "clip_by_value"):
            make = getattr(gradient, name)
            monkeypatch.setattr(
                gradient, name, lambda network, limit, make=make: partial(self._clip, make(network, limit), network)
            )

    def _clip(self, clip, network):
        self._not_clipped = self._gradient(network)
        clip()

    def _update(self, update, updater, learning_rate, step):
        if step == self.killed_in:
            raise Killed
        network = updater.network
        clipped = self._gradient(network)
        self._remember(self.gradients, step, self._not_clipped or clipped)
        self._remember(self.clipped, step, clipped)
        self._remember(self.before, step, bits(network.parameters))
        update(updater, learning_rate, step)
        self._remember(self.after, step, bits(network.parameters))
        self.rates[step] = learning_rate

    def _gradient(self, network):
        return bits({path: network.layout.view(network.gradient_values, path) for path in network.parameters})

    def _remember(self, where, step, found):
        assert where.setdefault(step, found) == found  # a resumed run does steps again


def bits(arrays):
    return {name: sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}  # pytest can't show megabytes


def spec_of(name, slices=None, threads=None, **training):
    given = SPECS[name]
    return mlpkit.load_spec(
        {
            "mlpkit": 1,
            "name": "traced",
            "seed": 5,
            "data": {"mnist": {"directory": "digits", "validation": 50, **given.get("data", {})}},
            "layers": given["layers"],
            "training": {
                "batch_size": 20,
                "iterations": STEPS,
                "evaluate_every": 9,
                "metrics": ["accuracy"],
                "checkpoint": {"every": 12, "keep": 9, "best": "loss"},
                "slices": slices,
                "threads": threads,
                **given["training"],
                **training,
            },
        }
    )


@pytest.mark.filterwarnings("ignore:.*slices")
@pytest.mark.parametrize(
    ("slices", "threads"),
    [(1, 1), (2, 2), pytest.param(1, 2, marks=pytest.mark.long), pytest.param(2, 1, marks=pytest.mark.long)],
)
@pytest.mark.parametrize("name", SPECS)
def test_random_steps_have_the_gradients_that_the_run_had(name, slices, threads, work, monkeypatch):
    """Checkpoints lie between the steps, and the run was killed and resumed."""
    with monkeypatch.context() as patch:
        oracle = Oracle(patch)
        oracle.killed_in = KILLED_IN
        with pytest.raises(Killed):
            mlpkit.run(spec_of(name, slices, threads), "run")
        oracle.killed_in = None
        assert mlpkit.resume("run").steps == STEPS == len(oracle.gradients)
    random = Random(f"{name} {slices} {threads}")
    for step in (random.randint(1, 12), random.randint(KILLED_IN, STEPS), *random.sample(range(1, STEPS + 1), 5)):
        traced = mlpkit.trace("run", step)
        assert (12 if step > 12 else 0) <= traced.began_after < step
        assert bits(traced.gradient) == oracle.gradients[step]
        assert bits(traced.clipped_gradient) == oracle.clipped[step]
        assert bits(traced.parameters_before) == oracle.before[step]
        assert bits(traced.parameters_after) == oracle.after[step]
        assert traced.learning_rate == oracle.rates[step]


@pytest.fixture
def run(train):
    """Return a run of 60 steps, 12 epochs of 4 minibatches of 50 images each, with a checkpoint after step 30."""
    train("run", training__checkpoint={"every": 30, "keep": 1})
    return "run"


def examples_of(rows):
    """Return inputs and labels of rows of the training split."""
    dataset = mlpkit.load_spec("tiny.yaml").new_dataset()
    dataset.describe()
    x, t = np.empty((len(rows), 784), np.float32), np.empty(len(rows), np.int64)
    dataset.open(0)["train"].take(rows, (x, t))
    return x, t


def test_each_layer_has_what_went_through_it(run):
    traced = mlpkit.trace(run, 7)
    x, t = examples_of(traced.rows)
    assert (traced.inputs.tobytes(), traced.targets.tobytes()) == (x.tobytes(), t.tobytes())
    w1, b1, w2, b2 = traced.parameters_before.values()
    hidden = x @ w1 + b1
    logits = np.maximum(hidden, 0) @ w2 + b2
    assert list(traced.outputs) == list(traced.output_gradients) == ["Affine1", "Relu1", "Affine2"]
    np.testing.assert_allclose(traced.outputs["Affine1"], hidden, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(traced.outputs["Relu1"], np.maximum(traced.outputs["Affine1"], 0))
    np.testing.assert_allclose(traced.outputs["Affine2"], logits, rtol=1e-4, atol=1e-5)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(traced.predictions, p, rtol=1e-4, atol=1e-6)
    dlogits = (p - np.eye(10)[t]) / len(t)
    np.testing.assert_allclose(traced.output_gradients["Affine2"], dlogits, rtol=1e-3, atol=1e-6)
    dhidden = dlogits @ w2.T
    np.testing.assert_allclose(traced.output_gradients["Relu1"], dhidden, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(traced.output_gradients["Affine1"], dhidden * (hidden > 0), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(traced.gradient["Affine2.W"], np.maximum(hidden, 0).T @ dlogits, rtol=1e-3, atol=1e-6)
    for name, update in traced.update.items():
        np.testing.assert_array_equal(update, traced.parameters_after[name] - traced.parameters_before[name])


def test_the_loss_comes_from_its_examples(run):
    traced = mlpkit.trace(run, 31)
    assert traced.began_after == 30
    losses = -np.log(traced.predictions[np.arange(50), traced.targets])
    np.testing.assert_allclose(traced.losses, losses, rtol=1e-4)
    assert traced.loss == pytest.approx(traced.losses.mean())
    np.testing.assert_allclose(traced.shares, losses / losses.sum(), rtol=1e-4)
    worst = traced.largest_losses(3)
    assert worst == [int(i) + 1 for i in np.argsort(-losses)[:3]]
    assert repr(traced) == f"<Trace of step 31 of run: loss {traced.loss:.4f}, 50 examples>"
    example = traced.example(3)
    named = f"label {example.label}, predicted {example.predicted}, loss {figure(example.loss)}"
    assert repr(example) == f"<TracedExample 3: row {traced.rows[2]}, {named}>"


@pytest.mark.parametrize("parameters", [{"label_smoothing": 0.1}, {"class_weights": list(range(1, 11))}])
def test_shares_count_the_weights_of_classes(parameters, work):
    layers = [{"Affine": {"units": 10}}, {"SoftmaxWithLoss": parameters}]
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides={"layers": layers, "training.epochs": 1}), "run")
    traced = mlpkit.trace("run", 3)
    weights = traced.targets + 1 if "class_weights" in parameters else np.ones(50)
    assert traced.loss == pytest.approx((weights * traced.losses).sum() / weights.sum(), rel=1e-6)
    np.testing.assert_allclose(traced.shares, weights * traced.losses / (weights * traced.losses).sum())


def test_an_example_is_followed_there_and_back(run):
    traced = mlpkit.trace(run, 7)
    example = traced.example(17)
    row = traced.rows[16]
    x, t = examples_of(np.array([row]))
    assert (example.number, example.row, example.label) == (17, row, str(t[0]))
    assert (example.input.tobytes(), example.predicted) == (x.tobytes(), str(traced.predictions[16].argmax()))
    assert example.probability == traced.predictions[16, t[0]]
    assert [(name, what) for name, what, _ in example.forward()] == [
        ("input", ""),
        ("Affine1", "output"),
        ("Relu1", "output"),
        ("Affine2", "output"),
    ]
    assert [(name, what) for name, what, _ in example.backward()] == [
        ("SoftmaxWithLoss1", "out"),
        ("Affine2", "in"),
        ("Affine2", "out"),
        ("Relu1", "in"),
        ("Relu1", "out"),
        ("Affine1", "in"),
    ]
    for name, _, numbers in example.forward()[1:]:
        assert numbers.tobytes() == traced.outputs[name][16].tobytes()
    for number in (0, 51):
        with pytest.raises(mlpkit.UsageError, match=f"^step 7 has no example {number}; .* has examples 1 to 50$"):
            traced.example(number)


def test_layers_inside_others_and_all_minibatches_of_a_step_are_there(work):
    mlpkit.run(spec_of("accumulation", iterations=3), "run")
    traced = mlpkit.trace("run", 2)
    assert traced.inputs.shape == (52, 784)
    assert traced.inputs.tobytes() == examples_of(traced.rows)[0].tobytes()
    assert traced.outputs["Dropout1"].shape == (52, 12)
    mlpkit.run(spec_of("batch norm", iterations=3), "deep")
    traced = mlpkit.trace("deep", 3)
    assert traced.outputs["Residual1"].shape == traced.outputs["Residual1.Affine1"].shape == (20, 12)
    np.testing.assert_allclose(
        traced.outputs["Residual1"], traced.outputs["Affine1"] + traced.outputs["Residual1.Affine1"], rtol=1e-5
    )
    example = traced.example(1)
    assert [name for name, *_ in example.forward()[2:6]] == [
        "Residual1.BatchNorm1",
        "Residual1.Tanh1",
        "Residual1.Affine1",
        "Residual1",
    ]
    places = [(name, what) for name, what, _ in example.backward()]
    begin, end = places.index(("Residual1", "in")), places.index(("Residual1", "out"))
    assert places[begin + 1] == ("Residual1.Affine1", "in")
    assert places[end - 1] == ("Residual1.BatchNorm1", "out")


def refusal(kind=mlpkit.UsageError, directory="run", step=5, **options):
    with pytest.raises(kind) as caught:
        mlpkit.trace(directory, step, **options)
    return str(caught.value)


@pytest.mark.parametrize("step", [0, -3, 1.5, "5"])
def test_steps_are_counted_from_1(run, step):
    assert refusal(step=step) == f"{step!r} is not a step; steps are numbered from 1"


def test_a_step_after_the_last_is_refused_with_the_range(run, train):
    assert mlpkit.trace(run, 48).step == 48
    assert refusal(step=49) == "run: has no step 49; expected one from 1 to 48, its last"
    early = train("early", training__early_stopping={"patience": 1, "minimum_change": 10})
    assert early.steps < 48
    assert f"expected one from 1 to {early.steps}, its last" in refusal(directory="early", step=early.steps + 1)


def test_a_run_that_is_not_finished_may_have_come_to_its_next_evaluation(train, work):
    watch = StopAt(20)
    spec = mlpkit.load_spec("tiny.yaml")
    mlpkit.run(spec, "run", observer=watch, stop=watch.stop)
    assert mlpkit.trace("run", 20).step == 20
    assert mlpkit.trace("run", 23).began_after == 20
    assert refusal(step=25) == (
        "run: has no step 25; expected one from 1 to 24: the run is not finished, and its folder has records of 20 "
        "steps"
    )


@pytest.mark.parametrize(("every", "last"), [(7, 21), (9, 27), (20, 40), (30, 30), (45, 45), (100, 48)])
def test_the_next_evaluation_of_a_stopped_run_is_at_a_multiple_of_its_interval(every, last, work, monkeypatch):
    class StopAfter20(StopAt):
        def stepped(self, progress, loss):
            if progress.step == 20:
                self.stop.stop("SIGTERM")

    monkeypatch.setattr("mlpkit.training.loop.SECONDS_BETWEEN_REPORTS", 0.0)
    watch = StopAfter20(None)
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.evaluate_every": every})
    mlpkit.run(spec, "run", observer=watch, stop=watch.stop)
    assert f"expected one from 1 to {last}: the run is not finished" in refusal(step=last + 1)


def test_the_step_in_which_training_diverged_can_be_looked_at(work):
    with pytest.raises(mlpkit.DivergenceError) as caught:
        mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides={"training.optimizer.sgd.learning_rate": 1e30}), "run")
    last = int(re.search(r"the loss of step (\d+) ", str(caught.value))[1])
    traced = mlpkit.trace("run", last)
    assert traced.divergence == str(caught.value)
    assert not math.isfinite(traced.loss)
    assert (traced.gradient, traced.update) == ({}, {})
    assert traced.distributions["outputs"]["Affine2"].nonfinite > 0
    assert bits(traced.parameters_after) == bits(traced.parameters_before)
    assert mlpkit.trace("run", last - 1).divergence == ""
    late = refusal(step=last + 1)
    assert late.startswith(f"run: has no step {last + 1}; expected one from 1 to {last}, its last: training diverged")


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_other_data_and_another_spec_are_refused(run, work):
    lock = (work / "run/lock.json").read_text()
    change(work / "run/lock.json", data_checksum="0" * 64)
    assert refusal(mlpkit.RunFolderError).startswith("run: can't be traced: the data has changed: data_checksum")
    (work / "run/lock.json").write_text(lock)
    (work / "run/resolved.yaml").write_text((work / "run/resolved.yaml").read_text().replace("units: 16", "units: 17"))
    assert "is not the spec that was run: lock.json has another spec_hash" in refusal(mlpkit.RunFolderError)
    (work / "run/lock.json").unlink()
    assert "holds no lock.json" in refusal(mlpkit.RunFolderError)
    assert "is not a run folder" in refusal(mlpkit.RunFolderError, directory="digits")


def test_missing_data_is_named(run, work):
    (work / "digits").rename(work / "moved")
    assert "restore the data that it was trained on" in refusal(mlpkit.RunFolderError)


def test_another_processor_or_version_is_said(run, work):
    environment = json.loads((work / "run/lock.json").read_text())["environment"]
    change(work / "run/lock.json", environment=environment | {"numpy": "1.0.0"})
    with pytest.warns(
        UserWarning, match="^run: the same bits as in the run are no longer guaranteed: environment.numpy: 1"
    ):
        traced = mlpkit.trace(run, 5)
    assert traced.changes == (f"environment.numpy: 1.0.0 then, {np.__version__} now",)


def test_a_damaged_checkpoint_is_passed_over(run, work):
    sound = mlpkit.trace(run, 40)
    (checkpoint,) = (work / "run/checkpoints").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="step-000000030.safetensors: is damaged"):
        traced = mlpkit.trace(run, 40)
    assert (sound.began_after, traced.began_after) == (30, 0)
    assert bits(traced.gradient) == bits(sound.gradient)


def test_a_model_in_the_place_of_a_checkpoint_is_passed_over(run, work):
    model = (work / "run/model.safetensors").read_bytes()
    (work / "run/checkpoints/step-000000035.safetensors").write_bytes(model)
    with pytest.warns(UserWarning, match="step-000000035.safetensors: is a model, not a checkpoint") as caught:
        traced = mlpkit.trace(run, 40)
    assert (len(caught), traced.began_after) == (1, 30)


def test_a_checkpoint_of_another_run_is_passed_over(run, train, work):
    train("other", training__checkpoint={"every": 10, "keep": 1}, training__optimizer={"sgd": {"learning_rate": 0.04}})
    (checkpoint,) = (work / "other/checkpoints").iterdir()
    checkpoint.rename(work / "run/checkpoints" / checkpoint.name)
    with pytest.warns(UserWarning, match="step-000000040.safetensors: belongs to another run"):
        assert mlpkit.trace(run, 45).began_after == 30


def test_nothing_is_written_and_callbacks_are_left_alone(train, work):
    train("run", training__callbacks=["csv_logger"])
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    mlpkit.trace("run", 20)
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before


def test_a_run_that_began_with_weights_of_another_needs_them_only_without_a_checkpoint(train, work):
    train("base")
    train("fine", initialize_from="base", training__checkpoint={"every": 30, "keep": 1}, training__freeze=["Affine1"])
    traced = mlpkit.trace("fine", 5)
    assert list(traced.gradient) == ["Affine2.W", "Affine2.b"]
    assert list(traced.output_gradients) == ["Affine2"]
    (work / "base").rename(work / "moved")
    assert mlpkit.trace("fine", 40).began_after == 30
    assert refusal(mlpkit.RunFolderError, "fine").startswith(
        "fine: can't be traced: the model in base, from whose weights"
    )
    train("base", seed=4, training__epochs=1)
    assert mlpkit.trace("fine", 40).began_after == 30
    assert refusal(mlpkit.RunFolderError, "fine") == (
        "fine: can't be traced: the model in base, from whose weights it started, has changed; restore that model"
    )


def test_a_run_for_a_time(train):
    run = train("run", training__epochs=None, training__seconds=0.1)
    assert mlpkit.trace("run", run.steps).step == run.steps
    assert refusal(step=run.steps + 1).endswith(f"from 1 to {run.steps:,}, its last")


def test_examples_in_memory_and_their_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, t, weights = rng.normal(size=(40, 3)), rng.normal(5, 2, 40), rng.integers(0, 3, 40)
    given = {"layers": [{"Affine": {"units": 1}}, "MeanSquaredError"], "epochs": 3, "batch_size": 8}
    mlpkit.fit(x, t, weights=weights, directory="run", quiet=True, **given)
    traced = mlpkit.trace("run", 4, examples=(x, t, weights))
    assert traced.loss == pytest.approx((traced.losses * traced.weights).sum() / traced.weights.sum())
    assert traced.shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(traced.losses, (traced.predictions[:, 0] - traced.targets[:, 0]) ** 2, rtol=1e-4)
    example = traced.example(1)
    assert example.label == f"{traced.targets[0, 0]:.4g}"
    assert example.probability is None
    assert "give the same ones again, in Python: mlpkit.trace(RUN, STEP, examples=(x, t))" in refusal()


def test_rows_of_a_table_have_their_columns_and_their_place_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{i / 7:.3f},{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,good", *lines]))
    spec = {
        "mlpkit": 1,
        "data": {"csv": {"file": "t.csv", "target": "good", "categorical": ["colour"], "validation": 0, "test": 0}},
        "layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"],
        "training": {"optimizer": "sgd", "epochs": 2, "batch_size": 8},
    }
    mlpkit.run(mlpkit.load_spec(spec), "run")
    traced = mlpkit.trace("run", 3)
    for number in range(1, 9):
        example = traced.example(number)
        row = int(re.fullmatch(r"t\.csv, row (\d+)", example.source)[1])
        size, colour, good = lines[row - 2].split(",")
        assert (float(example.columns["size"]), example.columns["colour"]) == (float(size), colour)
        assert example.label == good


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([[1.23456, -0.0], [1e-9, 123456]], "1.235  0  1e-09  1.235e+05"),
        ([], ""),
        (range(16), "  ".join(map(str, range(16)))),
        (range(17), "  ".join(map(str, range(12))) + "  …  15  16"),
        ([math.nan, -math.inf, True], "nan  -inf  1"),
    ],
)
def test_up_to_sixteen_numbers_are_written_out_and_of_more_those_at_the_ends(numbers, text):
    assert numbers_in_words(np.array(numbers)) == text


def test_the_largest_losses_are_those_that_are_not_finite(made_up):
    shares = np.array([0.25, math.nan, 0.5, math.inf, -0.5, 0.25, -math.inf])
    assert made_up(7, shares=shares).largest_losses() == [2, 4, 3, 1, 6, 5, 7]
    assert made_up(7, shares=shares).largest_losses(2) == [2, 4]
    assert made_up(12).largest_losses() == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


def test_an_example_has_its_label_and_prediction_in_words(made_up):
    one_hot = {"target": mlpkit.Classes(3, one_hot=True), "targets": np.eye(3)[[2, 1]]}
    example = made_up(2, **one_hot, class_names=("no", "yes", "so-so")).example(1)
    assert (example.label, example.predicted, example.probability) == ("so-so", "no", 0.0)
    assert made_up(2, **one_hot).example(2).cells == ("2", "10", "1", "0", "0.0156", "1.0000", "66.7%", "")
    wide = np.array([[0.25, 0.5], [1.5, -2.0]])
    example = made_up(2, predictions=wide, class_names=("no", "yes", "so-so")).example(2)
    assert (example.label, example.predicted, example.probability) == ("yes", "1.5  -2", None)
    labels = {"target": mlpkit.Labels(2), "targets": np.array([[0, 1], [1, 0]]), "predictions": wide}
    example = made_up(2, **labels).example(2)
    assert (example.label, example.predicted, example.probability) == ("1  0", "1.5  -2", None)


def test_layers_without_a_row_for_each_example_are_left_out(made_up):
    traced = made_up(2)
    other = TracedLayer("Odd1", "Odd", np.zeros((3, 2)), np.ones((3, 2)), None, None)
    traced = made_up(2, layers=(traced.layers[0], other, traced.layers[1]))
    example = traced.example(2)
    assert [layer.name for layer in example.layers] == ["Affine1", "SoftmaxWithLoss1"]
    assert example.layers[0].output.tolist() == [0.5, 1.0, 1.5]
    assert list(traced.outputs) == ["Affine1", "Odd1"]
    assert list(traced.output_gradients) == ["Affine1"]


def test_a_gradient_is_clipped_if_the_optimizer_got_another(made_up):
    clipped = {"Affine1.W": np.array([3.0, 4.0]), "Affine1.b": np.array([-0.5])}
    assert made_up(1, clipped_gradient=clipped).is_clipped
    assert not made_up(1).is_clipped
    assert not made_up(1, gradient={}, clipped_gradient={}).is_clipped


@pytest.mark.parametrize(
    ("input_shape", "raw", "expected"),
    [
        ((6,), np.zeros((5, 2, 3)), (2, 3)),
        ((6,), np.zeros((5, 1, 2, 3)), (1, 2, 3)),
        ((7,), np.zeros((5, 2, 3)), None),
        ((6,), np.zeros((5, 6)), None),
        ((6,), {"a": [1]}, None),
        ((3, 2, 2), None, (3, 2, 2)),
        ((1, 6), np.zeros((5, 2, 3)), (1, 6)),
        ((2, 2, 2), np.zeros((5, 2, 4)), None),
    ],
)
def test_inputs_are_images_if_the_network_or_the_data_set_has_them_in_a_plane(input_shape, raw, expected):
    assert _image_shape(input_shape, raw) == expected

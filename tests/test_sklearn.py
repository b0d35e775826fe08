"""The estimators of scikit-learn."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from requirements import require_package

import mlpkit

sklearn = require_package("sklearn")

from estimators import ANY_CLASSES, CLASSES, ESTIMATORS, TRAINING, VALUES
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpkit.components.callback import TrainingView
from mlpkit.components.schedule import Progress
from mlpkit.sklearn import MLPClassifier, MLPRegressor, SpecEstimator
from mlpkit.sklearn.training import LossCurve, _threads, training_rows
from mlpkit.training.update import Updater

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_clone_fits_to_the_same_bits(name):
    X, y = (IRIS[0][:100], IRIS[1][:100]) if "class" in name else load_diabetes(return_X_y=True)
    first, second = (clone(ESTIMATORS[name]).set_params(random_state=3).fit(X, y) for _ in range(2))
    assert np.array_equal(first.predict(X), second.predict(X))


def test_it_learns_classes_of_text():
    X, y = IRIS
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    X_train, X_test, y_train, y_test = train_test_split(X, names, random_state=0)
    model = make_pipeline(StandardScaler(), MLPClassifier(learning_rate_init=0.01, random_state=0))
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.9
    assert model[-1].classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.predict_proba(X_test).sum(axis=1) == pytest.approx(1)


def test_it_learns_numbers():
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = make_pipeline(StandardScaler(), MLPRegressor(early_stopping=True, random_state=0))
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.3


def test_several_numbers_a_row():
    X, _ = IRIS
    model = MLPRegressor(random_state=0, max_iter=300, learning_rate_init=0.01).fit(X[:, :2], X[:, 2:])
    assert model.predict(X[:5, :2]).shape == (5, 2)
    assert model.score(X[:, :2], X[:, 2:]) > 0.7


def test_training_ends_once_the_loss_improves_no_more():
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier(learning_rate_init=0.01, random_state=0).fit(X / 16, y)
    assert model.n_iter_ == len(model.loss_curve_) < 200
    assert model.loss_ == model.loss_curve_[-1] < model.loss_curve_[0]


@pytest.mark.parametrize("batch_size", [50, 150])
def test_the_loss_curve_is_the_mean_loss_of_the_steps_of_each_epoch(batch_size):
    """With steps of no length, it is the loss of the first weights."""
    X, y = IRIS
    model = MLPClassifier(learning_rate_init=1e-30, batch_size=batch_size, alpha=0, max_iter=3, random_state=0)
    model.fit(X, y)
    loss = -np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean()
    assert model.loss_curve_ == pytest.approx([loss] * 3, rel=1e-5)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_it_warns_in_one_line_if_the_epochs_were_too_few():
    with pytest.warns(ConvergenceWarning, match="training ended after max_iter=20 epochs") as caught:
        MLPClassifier(max_iter=20).fit(*IRIS)
    printed = [warnings.formatwarning(each.message, each.category, each.filename, each.lineno) for each in caught]
    assert printed == [
        "mlpkit.sklearn.MLPClassifier:0: ConvergenceWarning: training ended after max_iter=20 epochs, and the loss was "
        "still falling\n"
    ]


def test_class_weights_change_what_it_predicts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 1))
    y = (X[:, 0] + rng.normal(size=400) > 1.5).astype(int)
    plain = MLPClassifier(random_state=0).fit(X, y).predict(X).mean()
    assert MLPClassifier(random_state=0, class_weight="balanced").fit(X, y).predict(X).mean() > plain + 0.1


def test_a_warm_start_goes_on():
    model = MLPClassifier(max_iter=5, warm_start=True, random_state=0).fit(*IRIS)
    first = model.loss_
    assert model.fit(*IRIS).loss_ < first
    with pytest.raises(ValueError, match="warm_start needs the classes of the last fit"):
        model.fit(IRIS[0][:100], IRIS[1][:100])


@pytest.mark.parametrize("estimator", [MLPClassifier(random_state=0), SpecEstimator({**CLASSES, "seed": 1})])
def test_it_learns_part_by_part(estimator):
    X, y = IRIS[0][:100] - 3, IRIS[1][:100]
    model = clone(estimator)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    for _ in range(40):
        for part in (slice(None, None, 2), slice(1, None, 2)):
            model.partial_fit(X[part], y[part], classes=[0, 1])
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="which are not in"):
        model.partial_fit(X, y + 1)


def test_a_spec_may_leave_the_number_of_classes_to_fit():
    model = SpecEstimator(ANY_CLASSES, random_state=0).fit(*IRIS)
    assert model.score(*IRIS) > 0.9
    assert model.predict_proba(IRIS[0]).shape == (150, 3)
    assert model.fit(IRIS[0][:100], IRIS[1][:100]).predict_proba(IRIS[0]).shape == (150, 2)


PARTS = [
    MLPClassifier(random_state=0, class_weight="balanced"),
    SpecEstimator(ANY_CLASSES),
    SpecEstimator({**ANY_CLASSES, "layers": [{"Affine": {"units": 3}}, "SoftmaxWithLoss"]}),
]


@pytest.mark.parametrize("estimator", PARTS, ids=["classifier", "spec of any classes", "spec of three classes"])
def test_a_part_may_lack_classes(estimator):
    X, y = IRIS[0] - 3, IRIS[1]
    model = clone(estimator)
    for i in range(60):
        part = y != i % 3 if i % 2 else y == i % 3
        model.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert model.predict_proba(X).shape == (150, 3)
    assert model.network_.target == mlpkit.Classes(3)


SOLVERS = ["adam", "sgd", {"adam": {"learning_rate": 0.01}}, {"rmsprop": {"learning_rate": 0.001}}]
WHOLE = {"batch_size": 150, "alpha": 0, "random_state": 0, "n_iter_no_change": 99}


@pytest.mark.parametrize("solver", SOLVERS, ids=["adam", "sgd", "adam of mlpkit", "rmsprop"])
def test_parts_and_warm_starts_keep_what_the_optimizer_has_learned(solver):
    fitted, in_parts, warm = (MLPClassifier(solver=solver, max_iter=n, **WHOLE) for n in (8, 8, 4))
    expected = fitted.fit(*IRIS).predict_proba(IRIS[0])
    for _ in range(8):
        in_parts.partial_fit(*IRIS, classes=[0, 1, 2])
        in_parts = pickle.loads(pickle.dumps(in_parts))
    warm.set_params(warm_start=True).fit(*IRIS).fit(*IRIS)
    assert in_parts.predict_proba(IRIS[0]) == pytest.approx(expected, abs=1e-4)
    assert warm.predict_proba(IRIS[0]) == pytest.approx(expected, abs=1e-4)


def test_parts_of_a_spec_keep_what_the_optimizer_has_learned():
    X, y = IRIS[0][:100], IRIS[1][:100]
    training = {**TRAINING, "epochs": 8, "batch_size": 100}
    model = SpecEstimator({**CLASSES, "training": training})
    expected = clone(model).fit(X, y).predict_proba(X)
    for _ in range(8):
        model.partial_fit(X, y, classes=[0, 1])
    assert model.predict_proba(X) == pytest.approx(expected, abs=1e-4)


def test_a_warm_start_may_change_the_optimizer():
    model = MLPClassifier(max_iter=4, warm_start=True, **WHOLE).fit(*IRIS)
    first = model.loss_
    assert model.set_params(solver="sgd").fit(*IRIS).loss_ < first


def test_each_part_draws_its_own_dropout():
    model = MLPClassifier(dropout=0.5, learning_rate_init=1e-12, **WHOLE)
    for _ in range(3):
        model.partial_fit(*IRIS, classes=[0, 1, 2])
    assert len(set(model.loss_curve_)) == 3


@pytest.mark.parametrize("name", ESTIMATORS)
def test_pickled_and_saved_it_predicts_the_same(name, tmp_path):
    X, y = (IRIS[0][:100], IRIS[1][:100]) if "class" in name else load_diabetes(return_X_y=True)
    model = clone(ESTIMATORS[name])
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "model.safetensors")
    model.fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    model.save(tmp_path / "model.safetensors")
    loaded = mlpkit.load_model(tmp_path / "model.safetensors")
    x = loaded.encoder.encode(X)
    assert np.array_equal(loaded.predict(x), model.network_.predict(x))


def test_a_fit_that_ctrl_c_stops_leaves_an_estimator_that_predicts(monkeypatch):
    update = Updater.__call__

    def interrupted(self, *args):
        os.kill(os.getpid(), signal.SIGINT)
        return update(self, *args)

    monkeypatch.setattr(Updater, "__call__", interrupted)
    x, t = load_iris(return_X_y=True)
    stopped = [MLPClassifier(max_iter=9, random_state=0), SpecEstimator(ANY_CLASSES)]
    for estimator in stopped:
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(x, t)
        assert estimator.predict(x).shape == (150,)
    ensemble = SpecEstimator({**ANY_CLASSES, "ensemble": {"members": 2}})
    with pytest.raises(KeyboardInterrupt):
        ensemble.fit(x, t)
    with pytest.raises(NotFittedError):  # its first member, half trained, isn't what was asked for
        ensemble.predict(x)
    monkeypatch.undo()
    one_epoch = MLPClassifier(max_iter=1, random_state=0).fit(x, t)
    assert np.array_equal(stopped[0].predict_proba(x), one_epoch.predict_proba(x))


def test_a_pickled_one_learns_on():
    model = pickle.loads(pickle.dumps(MLPClassifier(max_iter=3, warm_start=True, random_state=0).fit(*IRIS)))
    before = model.predict_proba(IRIS[0])
    assert not np.array_equal(model.fit(*IRIS).predict_proba(IRIS[0]), before)


def test_a_frame_with_texts(tmp_path):
    pandas = require_package("pandas")
    colours = np.array(["red", "green", "blue"])[np.arange(150) % 3]
    frame = pandas.DataFrame({"length": IRIS[0][:, 0], "colour": colours})
    model = MLPClassifier(learning_rate_init=0.05, random_state=0).fit(frame, colours)
    assert model.score(frame, colours) == 1.0
    assert model.feature_names_in_.tolist() == ["length", "colour"]
    assert model.n_features_in_ == 2
    np.testing.assert_allclose(model.network_.encoder.encode(frame)[:, 0], frame["length"], rtol=1e-6)


def test_a_search_over_a_pipeline_on_two_processes():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=20, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(8,), (16, 8)]}, n_jobs=2, cv=2)
    assert search.fit(*IRIS).best_score_ > 0.5


def test_a_spec_from_a_file_ignores_its_data(tmp_path):
    import yaml

    (tmp_path / "spec.yaml").write_text(yaml.safe_dump({"mlpkit": 1, "data": "mnist", **CLASSES}), "utf-8")
    model = SpecEstimator(tmp_path / "spec.yaml").fit(IRIS[0][:100], IRIS[1][:100])
    assert model.score(IRIS[0][:100], IRIS[1][:100]) > 0.9
    assert len(model.history_) == 30


@pytest.fixture(scope="module")
def town_frame():
    """Return a frame with numbers, two categories and many, and a target of a few classes and one of values."""
    pandas = require_package("pandas")
    rng = np.random.default_rng(0)
    size, town = rng.normal(10, 3, size=60), np.arange(60) % 12
    texts = {"sold": np.where(size > 9, "no", "yes"), "town": [f"town {'abcdefghijkl'[number]}" for number in town]}
    return pandas.DataFrame({"size": size, **texts, "kind": np.array(["a", "b"])[town % 2], "price": 100 + size * town})


@pytest.mark.parametrize("recipe", ["realmlp_td", "realmlp_td_s"])
@pytest.mark.parametrize(("target", "columns"), [("kind", ["size", "sold", "town"]), ("price", ["size", "town"])])
def test_a_spec_encodes_frames_as_it_encodes_its_table(recipe, target, columns, town_frame, tmp_path):
    from mlpkit.jobs.init_from_data import init_from_data

    town_frame[[*columns, target]].to_csv(tmp_path / "towns.csv", index=False)
    path = init_from_data({"train": str(tmp_path / "towns.csv")}, target, tmp_path / "td.yaml", recipe=recipe).path
    spec = mlpkit.load_spec(path, overrides={"data.csv.validation": 0, "data.csv.test": 0, "training.epochs": 1})
    table = spec.new_dataset()
    table.open(0)
    model = SpecEstimator(spec).fit(town_frame[columns], town_frame[target])
    own = model.network_.encoder
    given = {name: town_frame[name].tolist() for name in columns}
    expected = dict(zip(table.feature_names(), table.encode(table.from_columns(given)).T, strict=True))
    found = dict(zip(own.feature_names(), own.encode(town_frame[columns]).T, strict=True))
    assert found.keys() == expected.keys()
    if "sold" in expected:
        np.abs(expected["sold"], out=expected["sold"])  # which of two categories is 1 and which -1 means nothing
        np.abs(found["sold"], out=found["sold"])
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)
    assert (own.scale_target, own.clip_predictions) == (table.scale_target, table.clip_predictions)
    assert np.isfinite(model.score(town_frame[columns], town_frame[target]))


def test_what_a_table_scales_by_default_is_scaled(town_frame, tmp_path):
    (tmp_path / "spec.yaml").write_text(
        json.dumps({"mlpkit": 1, "data": {"csv": {"file": "t", "target": "price"}}, **VALUES})
    )
    inputs = town_frame[["size", "town"]]
    model = SpecEstimator(tmp_path / "spec.yaml").fit(inputs, town_frame["price"])
    encoded = model.network_.encoder.encode(inputs)
    assert encoded[:, 0].std() == pytest.approx(1)
    assert set(encoded[:, 1:].ravel()) == {0, 1}


def test_columns_of_a_frame_hold_what_the_spec_says(town_frame):
    columns = {"categorical": ["town", "year"], "ordinal": {"sold": ["no", "yes"]}, "missing": "indicate"}
    data = {"csv": {"file": "t", "target": "price", **columns}}
    frame = town_frame[["size", "sold", "town"]].assign(year=np.arange(60) % 3 + 1999)
    frame.loc[5, "size"] = np.nan
    model = SpecEstimator({"mlpkit": 1, "data": data, **VALUES, "training": {**TRAINING, "epochs": 1}})
    encoder = model.fit(frame, town_frame["price"]).network_.encoder
    towns = [f"town={town}" for town in sorted(set(frame["town"]))]
    years = ["year=1999", "year=2000", "year=2001"]
    assert encoder.feature_names() == ("size", "sold", *towns, *years, "size is missing")
    sold = encoder.encode(frame)[:, 1]
    assert len(set(sold)) == 2
    assert np.array_equal(sold > 0, frame["sold"] == "yes")


def test_one_output_may_stand_for_classes():
    x = np.random.default_rng(0).normal(size=(200, 3))
    grades = np.digitize(x[:, 0], [-0.5, 0.5]) * 10
    training = {"optimizer": {"adam": {"learning_rate": 0.1}}, "epochs": 5}
    ordered, of_two = (
        SpecEstimator({"layers": [{"Affine": {"units": 1}}, loss], "training": training}, random_state=0)
        for loss in ("Ordinal", "SigmoidWithLoss")
    )
    assert ordered.fit(x, grades).predict_proba(x).shape == (200, 3)
    assert (ordered.predict(x) == grades).mean() > 0.8
    assert (of_two.fit(x, grades > 0).predict(x) == (grades > 0)).mean() > 0.8
    assert ordered.__sklearn_tags__().classifier_tags.multi_class
    assert not of_two.__sklearn_tags__().classifier_tags.multi_class


SIZES = {"layers": [{"Affine": {"units": 1}}, "Ordinal"], "training": {**TRAINING, "epochs": 5}}


@pytest.fixture(scope="module")
def sizes():
    """Return inputs, and sizes whose alphabetical order is another than their own."""
    x = np.random.default_rng(0).normal(size=(200, 3))
    return x, np.array(["small", "medium", "large"])[np.digitize(x[:, 0], [-0.5, 0.5])]


def test_texts_without_an_order_are_refused(sizes):
    with pytest.raises(ValueError, match=r"large, medium, small; number them in their order, lowest first"):
        SpecEstimator(SIZES).fit(*sizes)


def test_an_ensemble_of_the_spec_is_averaged_and_not_trained_further():
    members = SpecEstimator({**SIZES, "ensemble": {"members": 2}}, random_state=1)
    x, t = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 3
    members.fit(x, t)
    inputs = members.network_.encoder.encode(x)
    assert members.predict_proba(x) == pytest.approx(members.network_.predict(inputs), rel=1e-5)
    folds = SpecEstimator({**SIZES, "ensemble": {"folds": 3}}).fit(x, t)
    assert folds.predict(x).shape == (60,)
    with pytest.raises(ValueError, match="can't be trained further"):
        members.partial_fit(x, t)


def test_a_spec_whose_last_layer_has_other_units_is_refused():
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        SpecEstimator(CLASSES).fit(*IRIS)
    four = {**CLASSES, "layers": [{"Affine": {"units": 4}}, "SoftmaxWithLoss"]}
    with pytest.raises(ValueError, match="y has 3 classes; the last layer of the spec has 4 units"):
        SpecEstimator(four).fit(*IRIS)


@pytest.mark.parametrize("options", [{"norm": "bach"}, {"activation": "Rellu"}, {"solver": "adan"}])
def test_a_wrong_parameter_is_named(options):
    (value,) = options.values()
    with pytest.raises((ValueError, mlpkit.MlpkitError), match=value):
        MLPClassifier(**options).fit(*IRIS)


def test_importing_mlpkit_does_not_import_scikit_learn():
    code = "import mlpkit, sys; print('sklearn' in sys.modules, 'mlpkit.sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_without_scikit_learn_it_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None; import mlpkit.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith('needs scikit-learn; install it with: pip install "mlpkit[sklearn]"\n')


def test_an_import_loads_what_trains_only_with_the_first_fit():
    program = (
        "import sys; from mlpkit.sklearn import MLPClassifier, MLPRegressor; repr(MLPClassifier()); MLPRegressor();"
        "print({'yaml', 'pluggy', 'mlpkit.jobs', 'mlpkit.training', 'mlpkit_plugins'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_it_lists_its_estimators():
    assert dir(mlpkit.sklearn) == ["MLPClassifier", "MLPRegressor", "SpecEstimator"]


def affine(units):
    return {"Affine": {"units": units, "weights": "glorot_uniform"}}


SPELLED_OUT = [
    (
        {"hidden_layer_sizes": (5, 4), "activation": "tanh", "solver": "sgd", "alpha": 0.3, "batch_size": 40},
        [affine(5), "Tanh", affine(4), "Tanh", affine(3)],
        {"sgd": {"learning_rate": 0.001, "momentum": 0.9, "nesterov": True, "weight_decay": 0.3 / 40}},
        40,
    ),
    (
        {"hidden_layer_sizes": 6, "activation": "logistic", "alpha": 0.2, "norm": "batch", "dropout": 0.25},
        [affine(6), "BatchNorm", "Sigmoid", {"Dropout": {"rate": 0.25}}, affine(3)],
        {"adamw": {"learning_rate": 0.001, "weight_decay": 0.2 / 150}},
        150,
    ),
    (
        {"activation": "Softplus", "alpha": 0, "norm": "layer", "batch_size": 64, "learning_rate_init": 0.02},
        [affine(100), "LayerNorm", "Softplus", affine(3)],
        {"adam": {"learning_rate": 0.02}},
        64,
    ),
    (
        {"hidden_layer_sizes": (), "solver": "rmsprop", "alpha": 5.0, "batch_size": 1000},
        [affine(3)],
        {"rmsprop": {"learning_rate": 0.001}},
        150,
    ),
]


@pytest.mark.parametrize(("options", "layers", "optimizer", "batch"), SPELLED_OUT)
def test_its_parameters_are_a_spec(options, layers, optimizer, batch):
    model = MLPClassifier(max_iter=3, random_state=7, **options).fit(*IRIS)
    training = {"optimizer": optimizer, "batch_size": batch, "epochs": 3}
    spec = SpecEstimator({"layers": [*layers, "SoftmaxWithLoss"], "training": training}, random_state=7).fit(*IRIS)
    assert np.array_equal(model.predict_proba(IRIS[0]), spec.predict_proba(IRIS[0]))
    assert np.array_equal(model.predict_log_proba(IRIS[0]), np.log(model.predict_proba(IRIS[0])))
    assert model.n_layers_ == 2 + sum("glorot" in str(layer) for layer in layers[:-1])
    assert (model.n_iter_, len(model.loss_curve_)) == (3, 3)


def test_a_regressor_is_a_spec_of_standardized_targets():
    X, y = IRIS[0][:, :2], IRIS[0][:, 2:] * [3, 50] + [7, 0]
    y = np.column_stack([y, np.full(150, 4.0)])  # which has no spread to divide by
    model = MLPRegressor((5,), alpha=0, batch_size=32, max_iter=4, random_state=7).fit(X, y)
    std = np.where(y.std(axis=0) > 0, y.std(axis=0), 1)
    training = {"optimizer": {"adam": {"learning_rate": 0.001}}, "batch_size": 32, "epochs": 4}
    spec = SpecEstimator(
        {"layers": [affine(5), "Relu", affine(3), "MeanSquaredError"], "training": training}, random_state=7
    ).fit(X, (y - y.mean(axis=0)) / std)
    np.testing.assert_allclose(model.predict(X), spec.predict(X) * std + y.mean(axis=0), rtol=1e-12)
    column = MLPRegressor((5,), max_iter=1, random_state=7)
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        assert column.fit(X, y[:, :1]).predict(X).shape == (150,)


def test_balanced_classes_have_weights_by_their_share():
    X, y = IRIS[0][:120], IRIS[1][:120]
    shares = np.bincount(y) / len(y)
    by_label = {label: 1 / (3 * share) for label, share in enumerate(shares)}
    balanced, weighed = (
        MLPClassifier((4,), max_iter=2, random_state=1, class_weight=weights).fit(X, y)
        for weights in ("balanced", by_label)
    )
    assert np.array_equal(balanced.predict_proba(X), weighed.predict_proba(X))


@pytest.mark.parametrize(
    ("losses", "ended"),
    [
        ([9, 7, 5, 3, 1], None),
        ([9, 7.9, 7.5, 7.1, 6.95], 5),
        ([9, 8, 7.5, 7.1, 6.6], 4),
        ([5, 7, 6, 3.9, 4], None),
        ([5, 4.5, 4, 2.9, 2], None),
        ([5, 9, 8, 6, 5], 4),
    ],
)
def test_training_ends_after_epochs_without_progress(losses, ended):
    """Two steps are an epoch, whose loss is their mean; of three epochs in a row, one must improve by more than 1."""
    curve, view = LossCurve(2, 1.0, 3), TrainingView(Progress(0, 0.0, 10), {})
    for step, loss in enumerate([loss + d for loss in losses for d in (-0.25, 0.25)], 1):
        view.progress.step = step
        curve.on_step(view, loss)
        if view.stop_reason:
            break
    assert step == 2 * (ended or 5)
    assert curve.curve == pytest.approx(losses[:ended])
    assert view.stop_reason == ("the loss has not improved by 1 for 3 epochs" if ended else "")


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier(max_iter=2, n_iter_no_change=2),
        MLPClassifier(max_iter=3, n_iter_no_change=2, tol=9.0),  # its patience ends with the last epoch
        MLPClassifier(max_iter=50, n_iter_no_change=2, tol=9.0),
    ],
)
def test_it_does_not_warn_if_the_loss_had_no_time_to_fall_or_fell_no_more(model):
    model.fit(*IRIS)
    model.partial_fit(*IRIS)
    assert len(model.loss_curve_) == model.n_iter_


def test_early_stopping_holds_out_a_share_and_keeps_the_best_weights():
    model = MLPClassifier(
        (8,), early_stopping=True, validation_fraction=0.3, n_iter_no_change=4, max_iter=60, random_state=0, tol=0.02
    )
    rows = []
    update = Updater.__call__
    model.batch_size = 1000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Updater, "__call__", lambda self, *args: rows.append(1) or update(self, *args))
        model.fit(*IRIS)
    assert len(rows) == model.n_iter_ < 60  # 105 rows are one minibatch
    assert not hasattr(model, "history_")


@pytest.mark.parametrize(
    ("rows", "held_out", "ensemble", "expected"),
    [
        (10, 0.0, None, 10),
        (10, 0.25, {"members": 3}, 8),
        (10, 0.35, None, 6),
        (10, 0.5, {"folds": 3}, 6),
        (9, 0.5, {"folds": 3}, 6),
        (1, 0.0, {"folds": 2}, 1),
    ],
)
def test_rows_that_are_left_for_training(rows, held_out, ensemble, expected):
    assert training_rows(rows, held_out, ensemble) == expected


@pytest.mark.parametrize(
    ("limits", "threads"),
    [
        ({"OMP_NUM_THREADS": "1"}, {"threads": 1}),
        ({"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "1"}, {"threads": 1}),
        ({"OMP_NUM_THREADS": "2"}, {}),
        ({"OMP_NUM_THREADS": "0"}, {}),
        ({"OMP_NUM_THREADS": "all"}, {}),
        ({}, {}),
    ],
)
def test_a_process_that_may_have_one_thread_trains_in_one(limits, threads, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("mlpkit.sklearn.training.available_cores", lambda: 3)
    assert _threads() == threads


def test_a_minibatch_has_200_rows_if_there_are_more():
    X, y = load_diabetes(return_X_y=True)
    one, other = (MLPRegressor((3,), max_iter=2, batch_size=size, random_state=0) for size in ("auto", 200))
    assert np.array_equal(one.fit(X, y).predict(X), other.fit(X, y).predict(X))
    assert np.array_equal(one.loss_curve_, other.loss_curve_)


def test_a_score_of_quantiles_is_that_of_the_median():
    X, y = load_diabetes(return_X_y=True)
    X, y, weights = X[:60] * 10, y[:60] / 100, np.arange(60.0)
    loss = {"Pinball": {"quantiles": [0.1, 0.5, 0.6]}}
    training = {"optimizer": {"adam": {"learning_rate": 0.05}}, "epochs": 40}
    model = SpecEstimator({"layers": [{"Affine": {"units": 3}}, loss], "training": training}).fit(X, y)
    predicted = model.predict(X)
    assert predicted.shape == (60, 3)
    assert (np.diff(predicted) >= 0).all()
    expected = [sklearn.metrics.r2_score(y, predicted[:, 1], sample_weight=each) for each in (None, weights)]
    assert [model.score(X, y), model.score(X, y, weights)] == pytest.approx(expected)
    assert model.__sklearn_tags__().estimator_type == "regressor"
    one = [{"Affine": {"units": 1}}, {"Pinball": {"quantiles": [0.9]}}]
    assert SpecEstimator({"layers": one, "training": training}).fit(X, y).predict(X).shape == (60, 1)


def test_a_spec_holds_out_a_share_and_has_a_seed_of_its_own():
    layers = [{"Affine": {"units": 3}}, "SoftmaxWithLoss"]
    training = {**TRAINING, "epochs": 2, "batch_size": 1000, "best_weights": "loss"}
    spec = {"layers": layers, "training": training, "seed": 5}
    held_out = SpecEstimator(spec, validation_fraction=0.2).fit(*IRIS)
    losses = [record["validation_loss"] for record in held_out.history_]
    assert (len(losses), losses[0] > losses[1]) == (2, True)
    again, other = (clone(held_out).set_params(random_state=state).fit(*IRIS) for state in (None, 6))
    assert again.history_ == held_out.history_ != other.history_


def test_one_class_is_too_few_for_the_last_layer():
    four = {**CLASSES, "layers": [{"Affine": {"units": 4}}, "SoftmaxWithLoss"]}
    with pytest.raises(ValueError, match=r"^y has 1 class; the last layer of the spec has 4 units$"):
        SpecEstimator(four).fit(IRIS[0], np.zeros(150))


def test_an_unknown_class_in_a_part_is_named():
    model = MLPClassifier(max_iter=1).partial_fit(*IRIS, classes=[0, 1, 2, 7])
    assert model.classes_.tolist() == [0, 1, 2, 7]
    assert model.partial_fit(*IRIS, classes=[7, 2, 1, 0]).n_iter_ == 2
    with pytest.raises(ValueError, match=r"^classes=\[0, 1\] are not those of the last call, \[0 1 2 7\]$"):
        model.partial_fit(*IRIS, classes=[0, 1])
    with pytest.raises(ValueError, match=r"^y has classes \[3 5\], which are not in classes=\[0 1 2 7\]$"):
        model.partial_fit(IRIS[0], np.array([0, 5, 3])[IRIS[1]])

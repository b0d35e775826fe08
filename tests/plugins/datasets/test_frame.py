"""Data frames as tables."""

from __future__ import annotations

import datetime
import pickle
import re
import sys

import numpy as np
import pytest
from requirements import Optional

import mlpkit
from mlpkit_plugins.datasets.frame import Frame

pd = Optional("pandas")
pl = Optional("polars")
pa = Optional("pyarrow")

ROWS = 60
RNG = np.random.default_rng(0)
KIND = RNG.integers(0, 3, ROWS)
COLUMNS = {
    "mass": 3000 + 900 * KIND + RNG.normal(0, 50, ROWS).round(2),
    "island": np.array(["Biscoe", "Dream", "Torgersen"])[RNG.integers(0, 3, ROWS)],
    "year": 2007 + np.arange(ROWS) % 3,
    "egg": (np.datetime64("2007-11-01") + np.arange(ROWS) % 40).astype("datetime64[us]"),
    "size": np.array(["small", "medium", "large"])[(KIND + np.arange(ROWS)) % 3],
    "species": np.array(["Adelie", "Chinstrap", "Gentoo"])[KIND],
}
SIZES = ["small", "medium", "large"]
LAYERS = [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 3}}, "SoftmaxWithLoss"]
VALUES = [{"Affine": {"units": 1}}, "MeanSquaredError"]


@pytest.fixture
def frame():
    """Return a frame of pandas whose column ``size`` has an order."""
    return pd.DataFrame(COLUMNS).assign(size=pd.Categorical(COLUMNS["size"], SIZES, ordered=True))


def message_of(*arguments, **options):
    with pytest.raises(mlpkit.MlpkitError) as caught:
        mlpkit.fit(*arguments, **{"layers": LAYERS, "epochs": 1, **options})
    return str(caught.value)


def of_csv(frame, folder, target, layers=LAYERS, **options):
    """Return the run of a CSV file that holds the frame."""
    frame.to_csv(folder / "t.csv", index=False)
    given = {"file": str(folder / "t.csv"), "target": target, "validation": 0.2, "test": 0, **options}
    training = {"optimizer": "adam", "epochs": 3, "batch_size": 16}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": {"csv": given}, "layers": layers, "training": training})
    return mlpkit.run(spec, folder / "csv")


TYPES = {"categorical": ["island"], "ordinal": {"size": SIZES}, "dates": ["egg"]}


@pytest.mark.parametrize(
    ("target", "layers", "given", "in_file"),
    [
        ("species", LAYERS, {}, TYPES),
        ("species", LAYERS, {"categorical": ["year"]}, {**TYPES, "categorical": ["year", "island"]}),
        ("species", LAYERS, {"standardize": False, "rare": 25, "split": "shuffle"}, TYPES),
        ("species", LAYERS, {"split": {"time": "egg"}}, {**TYPES, "dates": []}),
        ("species", LAYERS, {"split": {"group": "island"}, "date_parts": ["day"]}, {**TYPES, "categorical": []}),
        ("species", LAYERS, {"inputs": ["year", "island"]}, {"categorical": ["island"]}),
        ("mass", VALUES, {"missing": "indicate"}, {**TYPES, "categorical": ["island", "species"], "predict": "values"}),
    ],
)
def test_a_frame_is_trained_on_as_a_file_that_holds_it(target, layers, given, in_file, frame, tmp_path):
    if "missing" in given:
        frame.loc[[3, 7], "year"] = np.nan
    table = of_csv(frame, tmp_path, target, layers, **{**given, **in_file})
    features = mlpkit.load(tmp_path / "csv").network.encoder.feature_names()
    for t, x in ((target, frame), (frame[target], frame.drop(columns=target))):
        run = mlpkit.fit(x, t, layers=layers, epochs=3, batch_size=16, validation=0.2, **given)
        assert run.network.encoder.feature_names() == features
        assert np.array_equal(run.network.values, table.network.values)
        assert run.metrics == table.metrics


def test_numbers_far_from_unit_scale_are_learned_by_default(frame):
    adam = {"adam": {"learning_rate": 0.01}}
    run = mlpkit.fit(frame, "species", layers=LAYERS, epochs=40, metrics=["accuracy"], optimizer=adam, batch_size=8)
    assert run.metrics["train"]["accuracy"] == 1


def test_every_kind_of_frame_gives_the_same_network(frame):
    del frame["size"]
    arrays = {name: frame[name].to_numpy() for name in frame}
    kinds = [frame, pl.DataFrame(arrays), pa.table(arrays), arrays, {name: list(frame[name]) for name in frame}]
    networks = [mlpkit.fit(each, "species", layers=LAYERS, epochs=1).network for each in kinds]
    for network in networks[1:]:
        assert np.array_equal(network.values, networks[0].values)
        assert network.encoder.feature_names() == networks[0].encoder.feature_names()


def test_saved_pickled_and_exported_models_give_the_same_answers(frame, tmp_path):
    run = mlpkit.fit(frame, "species", layers=LAYERS, epochs=2, directory=tmp_path / "run", test=0.2)
    expected = run.model.predict_proba(frame)
    run.network.save(tmp_path / "model.safetensors")
    network = pickle.loads(pickle.dumps(run.network))
    assert np.array_equal(network.predict(network.encoder.encode(frame)), expected)
    for path in (tmp_path / "run", tmp_path / "model.safetensors"):
        model = mlpkit.load(path)
        for form in (frame, frame.astype({"size": str}), frame.to_dict("records"), frame.iloc[:, ::-1]):
            assert np.array_equal(model.predict_proba(form), expected)
        assert model.evaluate(frame) == model.evaluate(frame, frame["species"])


def test_it_goes_on_with_the_same_frame_alone(frame, tmp_path):
    from stop_at import StopAt

    watch = StopAt(4)
    options = {"layers": LAYERS, "epochs": 4, "batch_size": 16}
    mlpkit.fit(frame, "species", directory=tmp_path / "run", stop=watch.stop, observer=watch, **options)
    with pytest.raises(mlpkit.RunFolderError, match="data_checksum"):
        mlpkit.resume(tmp_path / "run", examples=(frame.assign(year=frame["year"] + (frame.index == 9)), "species"))
    resumed = mlpkit.resume(tmp_path / "run", examples=(frame, "species"))
    assert np.array_equal(resumed.network.values, mlpkit.fit(frame, "species", **options).network.values)


def test_splits_may_have_frames_and_weights_of_their_own(frame):
    frame["count"] = np.arange(ROWS) % 3
    other = frame.iloc[:30]
    named = mlpkit.fit(
        frame, "species", weights="count", validation=(other, "species", "count"), layers=LAYERS, epochs=1
    )
    rest = frame.drop(columns=["species", "count"])
    own = (rest.iloc[:30], other["species"], other["count"])
    given = mlpkit.fit(rest, frame["species"], weights=frame["count"], validation=own, layers=LAYERS, epochs=1)
    assert np.array_equal(named.network.values, given.network.values)
    assert named.metrics == given.metrics


@pytest.mark.parametrize(
    ("t", "target", "names"),
    [
        (COLUMNS["mass"], mlpkit.Values((1,)), ("target",)),
        (pd.Series(COLUMNS["mass"], name="weight"), mlpkit.Values((1,)), ("weight",)),
        (["mass"], mlpkit.Values((1,)), ("mass",)),
        (pd.DataFrame({"a": COLUMNS["mass"], "b": COLUMNS["year"]}), mlpkit.Values((2,)), ("a", "b")),
        (np.eye(3, dtype=int)[KIND], mlpkit.Labels(3), ("target 0", "target 1", "target 2")),
        ((COLUMNS["year"] > 2007).tolist(), mlpkit.Classes(2), None),
        ([None, *COLUMNS["species"][1:]], mlpkit.Classes(3), None),
    ],
)
def test_the_type_of_the_target_says_what_it_is(t, target, names, frame):
    examples = {"train": (frame, t)}
    dataset = Frame(**Frame.parameters_for(examples, {}))
    dataset.hold(examples)
    found = dataset.describe().target
    assert type(found) is type(target)
    assert found.array(np.dtype("float32")) == target.array(np.dtype("float32"))
    assert dataset.target_names() == names


def test_truth_values_and_missing_integers():
    frame = pd.DataFrame({"n": pd.array([1, None, 3, 4] * 5, "Int64"), "old": np.array([True, False] * 10, object)})
    run = mlpkit.fit(frame, ["a", "b", "c", "a"] * 5, layers=LAYERS, epochs=1, missing="fill", standardize=False)
    encoded = run.network.encoder.encode(frame)
    assert encoded[:4].tolist() == [[1, 1], [np.float32(8 / 3), 0], [3, 1], [4, 0]]


def test_dates_of_python_are_dates(frame):
    frame["egg"] = [day.date() for day in frame["egg"]]
    run = mlpkit.fit(frame, "species", layers=LAYERS, epochs=1)
    assert "egg (elapsed)" in run.network.encoder.feature_names()
    assert all(isinstance(day, datetime.date) for day in frame["egg"])


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (
            "mass",
            np.nan,
            "the value is missing; fill it in, such as by frame.fillna, or pass missing='fill' or",
        ),
        (
            "island",
            None,
            "the value is missing; fill it in, such as by frame.fillna, or pass missing='fill' or",
        ),
        ("mass", np.inf, "inf is not a finite number; make it None if it is missing"),
    ],
)
@pytest.mark.parametrize(("index", "row"), [(None, "17"), (range(1001, 1061), "1018"), ("nest {}", "'nest 17'")])
def test_a_wrong_value_goes_by_the_names_of_column_and_row(column, value, said, index, row, frame):
    frame.loc[17, column] = value
    if index is not None:
        frame.index = [index.format(n) for n in range(ROWS)] if isinstance(index, str) else index
    assert message_of(frame, "species").startswith(f"the frame, row {row}, column '{column}': {said}")
    other = (frame, "species")
    assert f"the frame of validation, row {row}" in message_of(frame.iloc[:17], "species", validation=other)


@pytest.mark.parametrize("argument", ["missing='fill'", "missing='drop'", "missing='indicate'"])
def test_the_advice_about_missing_values_works(argument, frame):
    frame.loc[17, "mass"] = np.nan
    name, _, value = argument.replace("'", "").partition("=")
    assert mlpkit.fit(frame, "species", layers=LAYERS, epochs=1, **{name: value}).steps
    assert mlpkit.fit(frame.fillna({"mass": 0}), "species", layers=LAYERS, epochs=1).steps


def test_the_advice_about_new_categories_works(frame):
    row = [{name: frame[name][0] for name in frame} | {"island": "Atlantis"}]
    options = {"layers": LAYERS, "epochs": 1}
    with pytest.raises(mlpkit.DataError) as caught:
        mlpkit.fit(frame, "species", **options).model.predict(row)
    assert str(caught.value).endswith(
        "row 0, column 'island': the category 'Atlantis' occurs in no training row; leave out the row, or train again "
        "and pass unknown='zeros' to mlpkit.fit, which encodes it as zeros"
    )
    with pytest.warns(UserWarning, match="'Atlantis'; they count as zeros"):
        assert len(mlpkit.fit(frame, "species", unknown="zeros", **options).model.predict(row)) == 1


@pytest.mark.parametrize(
    ("t", "options", "said"),
    [
        ("specis", {}, "t: the frame has no column 'specis'; did you mean 'species'? Or give a target for each row"),
        (
            "zzz",
            {},
            "t: the frame has no column 'zzz'; it has mass, island, year, egg, size, species. Or give a target for",
        ),
        (COLUMNS["species"][:9], {}, "t: has 9 targets for the 60 rows of the frame"),
        (np.eye(3)[KIND], {"predict": "classes"}, "data.frame.target: classes come from one column, not from 3"),
        ("species", {"dates": 5}, "data.frame.dates: "),
        ("species", {"categorical": "island"}, "data.frame.categorical: "),
        ("species", {"categorical": ["yeer"]}, "data.frame.categorical: there is no column 'yeer' in the frame"),
        ("species", {"weights": [1.0]}, "weights: has the shape (1,); expected (60,), a number for each example"),
        ("year", {"predict": "classes", "unknwon": "zeros"}, "data.frame.unknwon: unknown parameter 'unknwon' of data"),
    ],
)
def test_what_is_wrong_is_named(t, options, said, frame):
    assert message_of(frame, t, **options).startswith(said)


def test_columns_that_hold_neither_numbers_nor_texts_are_named(frame):
    frame["ago"] = frame["egg"] - frame["egg"].min()
    said = message_of(frame, "species")
    assert re.match(r"the frame, column 'ago': the column holds timedelta64\[..\]; turn it into numbers or texts", said)
    assert mlpkit.fit(frame, "species", ignore=["ago"], layers=LAYERS, epochs=1).steps


@pytest.mark.parametrize("state", [{}, {"numbers": [1]}])
def test_a_damaged_state_is_refused(state):
    with pytest.raises(mlpkit.ModelFileError):
        Frame().load_encoder_state(state)


def test_rows_of_a_split_without_weights_count_once(frame):
    examples = {"train": (frame, "species", np.arange(ROWS)), "validation": (frame[5:9], COLUMNS["species"][5:9])}
    dataset = Frame(**Frame.parameters_for(examples, {}))
    dataset.hold(examples)
    assert dataset.weight == "weight"
    assert dataset.table_of("train").values()["weight"].tolist() == [*range(ROWS)]
    assert dataset.table_of("validation").values()["weight"].tolist() == [1, 1, 1, 1]


def test_raw_columns_and_rows_are_known_as_long_as_the_frame_is_held(frame):
    examples = {"train": (frame, "species")}
    dataset = Frame(**Frame.parameters_for(examples, {}))
    rows = np.array([7, 3])
    assert [dataset.raw_columns(), dataset.example_keys("train"), dataset.raw_rows("train", rows)] == [None] * 3
    dataset.hold(examples)
    assert [column.name for column in dataset.raw_columns()] == list(frame)
    assert np.unique(dataset.example_keys("train")).size == ROWS
    raw = dataset.raw_rows("train", rows)
    assert (list(raw["year"]), list(raw["island"])) == (frame["year"][rows].tolist(), frame["island"][rows].tolist())


def test_no_frame_no_description():
    with pytest.raises(mlpkit.DataError, match="the examples were passed in Python and aren't in a file"):
        Frame().describe()


def test_it_imports_no_library_of_frames():
    for module in ("mlpkit_plugins.datasets.frame", "mlpkit_plugins.tables.memory_source"):
        assert not {"pandas", "polars"} & sys.modules[module].__dict__.keys()


@pytest.mark.parametrize(
    ("t", "said"),
    [
        (np.zeros((60, 2)), "t of validation: has the shape (60, 2); expected 1 target"),
        (np.zeros(1500), "t of validation: has 1,500 targets for the 60 rows of the frame"),
    ],
)
def test_targets_of_another_split_that_do_not_fit_are_named(t, said, frame):
    examples = {"train": (frame, COLUMNS["mass"]), "validation": (frame, t)}
    dataset = Frame(**Frame.parameters_for(examples, {}))
    dataset.hold(examples)
    with pytest.raises(mlpkit.DataError) as caught:
        dataset.describe()
    assert str(caught.value).startswith(said)


def test_advice_about_a_loss_is_about_the_arguments_of_fit(frame):
    said = message_of(frame, np.arange(ROWS) // 30, layers=VALUES, predict="classes")
    assert "pass predict='values' to mlpkit.fit if the column 'target' holds numbers to predict; if it holds " in said
    assert "set predict: values" not in said

"""A third party's encodings of categories: chosen in a spec, trained, saved, loaded, exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from requirements import Optional

import mlpkit
from mlpkit.errors import SpecError
from mlpkit_plugins.datasets.frame import Frame

pd = Optional("pandas")

PLUGIN = '''\
"""Encodings of categories."""

import numpy as np

from mlpkit import CategoryEncoding, ParameterError, component, hookimpl


class Count(CategoryEncoding):
    """The number of training rows of each category."""

    holds = "numbers"

    def fit(self, column):
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
        return {"codebook": np.append(counts, 0.0)[:, None]}


class Shares(CategoryEncoding):
    """The share of each class among the training rows of each category, with a row more of each."""

    def fit(self, column):
        t = column.targets()
        of_class = np.eye(t.max() + 1)[t]
        groups = [of_class[column.codes == code] for code in [*range(len(column.categories)), -1]]
        return {"codebook": np.array([(each.sum(axis=0) + 1) / (len(each) + t.max() + 1) for each in groups])}


class Bucket(CategoryEncoding):
    """One of some buckets, by the length of the category's name.

    Args:
        buckets: how many there are.
    """

    holds = "categories"

    def __init__(self, buckets: int = 2) -> None:
        self.buckets = buckets

    def fit(self, column):
        if len(column.categories) < 2:
            raise ParameterError("categories", f"the column '{column.name}' has nothing to tell apart")
        return {"codebook": np.array([*(len(each) % self.buckets + 1 for each in column.categories), 0])[:, None]}


@hookimpl
def mlpkit_components():
    names = {"count": Count, "shares": Shares, "bucket": Bucket}
    return [component("category_encoding", name, encoding) for name, encoding in names.items()]
'''


class Rows(mlpkit.CategoryEncoding):
    """The number of training rows of each category."""

    holds = "numbers"

    def fit(self, column):
        counts = [(column.codes == code).sum() for code in range(len(column.categories))]
        return {"codebook": np.array([*counts, 0.0])[:, None]}


SPEC = """\
mlpkit: 1
data:
  csv:
    file: t.csv
    target: y
    categorical: [town, colour, size]
    unknown: zeros
    categories: mine.count
    categories_by_column: {size: {mine.bucket: {buckets: 3}}, colour: mine.shares}
    validation: 0
    test: 0.5
layers:
  - Columns: {categories: [{Embedding: {size: 2}}]}
  - Affine: {units: auto}
  - SoftmaxWithLoss
training: {optimizer: sgd, batch_size: 4, epochs: 2}
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Write the plugin and a table, and return a function that loads the spec with a change."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    rows = [
        f"{['Ulm', 'Bonn', 'Rom'][i % 5 % 3]},{['red', 'blue'][i % 7 % 2]},{'sml'[i % 3] * (i % 3 + 1)}"
        for i in range(99)
    ]
    (tmp_path / "t.csv").write_text(
        "\n".join(["town,colour,size,y", *(f"{row},{'ba'[i % 2]}" for i, row in enumerate(rows))])
    )

    def loaded(old="", new=""):
        assert old in SPEC
        (tmp_path / "s.yaml").write_text(SPEC.replace(old, new))
        return mlpkit.load_spec("s.yaml", plugins=["mine.py"])

    return loaded


def test_it_is_fitted_on_the_training_rows(spec):
    dataset = spec().data()
    assert dataset.feature_names() is None
    described = dataset.describe()
    assert [tuple(column) for column in described.columns] == [
        ("town", "numbers", 1, 0),
        ("colour", "one_hot", 2, 0),
        ("size", "categories", 1, 4),
    ]
    assert dataset.feature_names() == ("town", "colour (0)", "colour (1)", "size")
    split = dataset.open(0)["train"]
    x, t = np.empty((len(split), 4)), np.empty(len(split), np.int64)
    split.take(np.arange(len(split)), (x, t))
    lines = Path("t.csv").read_text().splitlines()
    town, colour, size, y = np.array([lines[row - 1].split(",") for row in split.rows_in_file()]).T
    counts = np.array([(town == each).sum() for each in town])
    np.testing.assert_allclose(x[:, 0], (counts - counts.mean()) / counts.std())
    shares = [((y[colour == each] == "b").sum() + 1) / ((colour == each).sum() + 2) for each in colour]
    np.testing.assert_allclose(x[:, 2], shares)
    np.testing.assert_array_equal(x[:, 3], np.char.str_len(size) % 3 + 1)


def test_a_model_is_saved_loaded_and_exported(spec, tmp_path):
    trained = mlpkit.run(spec(), tmp_path / "r")
    model = mlpkit.load(tmp_path / "r", plugins=["mine.py"])
    rows = [{"town": "Rom", "colour": "red", "size": "s"}, {"town": "Oslo", "colour": "red", "size": "mm"}]
    with pytest.warns(UserWarning, match="Oslo"):
        assert len(model.predict(rows)) == 2
    dataset = spec().data()
    x = dataset.encode(dataset.read(tmp_path / "t.csv"))
    np.testing.assert_array_equal(model.predict_proba(tmp_path / "t.csv"), trained.network.predict(x))
    for ending in ("onnx", "c", "js"):
        mlpkit.export(tmp_path / "r", tmp_path / f"m.{ending}", plugins=["mine.py"])  # proved on the test rows


def test_a_frame_is_encoded_alike(spec, tmp_path):
    spec()
    frame = pd.read_csv("t.csv")
    target = frame.pop("y")
    keys = {"categories": "mine.count", "categories_by_column": {"colour": "mine.shares"}, "test": 0.5, "epochs": 1}
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    mlpkit.fit(frame, target, layers=layers, directory=tmp_path / "r", quiet=True, plugins=["mine.py"], **keys)
    model = mlpkit.load(tmp_path / "r", plugins=["mine.py"])
    assert [column.name for column in model.network.input_shape.columns] == ["town", "size", "colour"]
    assert len(model.predict(frame)) == len(frame)


def test_a_frame_teaches_it_by_the_training_rows_alone():
    frame = pd.DataFrame({"town": ["Ulm", "Ulm", "Rom", "Rom", "Rom", "Rom", None, "Ulm"]})
    frame["day"] = np.arange(8)
    options = {"categories": Rows(), "test": 0.5, "split": {"time": "day"}, "missing": "fill", "standardize": False}
    examples = {"train": (frame, np.array([*"abababab"]), np.array([1, 1, 0, 1, 1, 1, 1, 1]))}
    dataset = Frame(**Frame.parameters_for(examples, options))
    dataset.hold(examples)
    assert len(dataset.open(0)["train"]) == 3  # the first of the seven rows that weigh something
    np.testing.assert_array_equal(dataset.encode(pd.DataFrame({"town": ["Rom", None, "Ulm"]}))[:, 0], [1, 0, 2])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "colour: mine.shares",
            "colour: sign, town: sign",
            "s.yaml:9:27: the column 'town' has 3 categories, too many",
        ),
        ("categories: mine.count", "categories: sign", "s.yaml:8:17: the column 'town' has 3 categories, too many"),
        ("categories: mine.count", "categories: one_hott", "s.yaml:8:17: unknown category encoding 'one_hott'"),
        ("categories: mine.count", "categories: quantile", "'quantile' is an encoding, not a category encoding"),
        ("categories: mine.count", "numbers: index", "'index' is a category encoding, not an encoding"),
        ("buckets: 3", "bucket: 3", "unknown parameter 'bucket' of category encoding mine.bucket"),
    ],
)
def test_errors(spec, old, new, said):
    with pytest.raises(SpecError) as caught:
        mlpkit.build(spec(old, new))
    assert said in str(caught.value)

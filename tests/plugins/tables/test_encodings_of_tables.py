"""How a table's numbers and categories are encoded, as a spec says it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from mlpkit import Graph, ModelFileError, ParameterError
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.encodings.min_max import MinMax
from mlpkit_plugins.encodings.no_encoding import NoEncoding
from mlpkit_plugins.encodings.piecewise_linear import PiecewiseLinear
from mlpkit_plugins.encodings.robust_smooth_clip import RobustSmoothClip
from mlpkit_plugins.encodings.standardize import Standardize

ROWS = """\
age,town,size,sex,income,day,y
10,Ulm,small,f,1,2024-01-02,a
20,Bonn,large,m,2,2024-01-03,b
30,,small,,4,2024-01-04,a
,Rom,medium,f,8,2024-01-05,b
40,Ulm,large,m,16,2024-01-06,a
"""


@pytest.fixture
def table(tmp_path):
    """Return a function that makes a data set of the table."""
    (tmp_path / "t.csv").write_text(ROWS)

    def made(**options):
        given = {
            "validation": 0,
            "test": 0,
            "missing": "fill",
            "categorical": ("town", "sex", "size"),
            "ignore": ("day",),
        }
        return Csv(str(tmp_path / "t.csv"), "y", **given | options)

    return made


def encoded(dataset):
    (width,) = dataset.describe().input_shape
    split = dataset.open(0)["train"]
    x = np.empty((len(split), width))
    split.take(np.arange(len(split)), (x, np.empty(len(split), np.int64)))
    return dict(zip(dataset.feature_names(), x.T, strict=True))


EVERYTHING = {
    "numbers": RobustSmoothClip(),
    "numbers_by_column": {"income": PiecewiseLinear(bins=2), "day": MinMax()},
    "categories_by_column": {"town": "index", "size": "ordinal"},
    "sign_of_two": True,
    "encode_one_hot": True,
    "missing": "indicate",
    "ignore": (),
    "dates": ("day",),
    "date_parts": ("elapsed",),
}


def test_standardize_as_an_encoding_has_the_bits_of_the_parameter(table):
    for name, values in encoded(table()).items():
        np.testing.assert_array_equal(values, encoded(table(numbers=Standardize()))[name])
    for name, values in encoded(table(standardize=False)).items():
        np.testing.assert_array_equal(values, encoded(table(numbers=NoEncoding()))[name])


def test_forms_of_categories(table):
    found = encoded(table(categories="index", categories_by_column={"sex": "one_hot", "size": "ordinal"},
                          sign_of_two=True, numbers=NoEncoding()))  # fmt: skip
    np.testing.assert_array_equal(found["town"], [3, 1, 0, 2, 3])
    np.testing.assert_array_equal(found["sex"], [1, -1, 0, 1, -1])
    np.testing.assert_array_equal(found["size"], [2, 0, 2, 1, 0])  # in alphabetical order
    np.testing.assert_array_equal(found["age"], [10, 20, 30, 25, 40])


def test_most_one_hot(table):
    columns = table(most_one_hot=2).describe().columns
    held = {column.name: (column.holds, column.width, column.values) for column in columns}
    assert held["sex"] == ("one_hot", 2, 0)
    assert held["town"] == ("categories", 1, 4)


def test_columns_are_described_in_the_order_of_the_elements(table):
    dataset = table(**EVERYTHING)
    described = dataset.describe()
    assert [(c.name, c.holds, c.width) for c in described.columns] == [
        ("age", "numbers", 1),
        ("size", "numbers", 1),
        ("income", "numbers", 2),
        ("day (elapsed)", "dates", 1),
        ("sex", "one_hot", 1),
        ("town", "categories", 1),
        ("age", "one_hot", 1),
    ]
    assert described.input_shape == (len(dataset.feature_names()),)


def test_the_state_encodes_the_same_rows_the_same(table):
    dataset, loaded = table(**EVERYTHING), table(**EVERYTHING)
    expected = encoded(dataset)
    # as in a model file, whose JSON is sorted
    loaded.load_encoder_state(json.loads(json.dumps(dataset.encoder_state(), sort_keys=True)))
    for name, values in encoded(loaded).items():
        np.testing.assert_array_equal(values, expected[name])


def test_a_state_of_other_encodings_is_refused(table):
    state = table(**EVERYTHING)
    state.describe()
    with pytest.raises(ModelFileError, match="don't match the spec"):
        table().load_encoder_state(state.encoder_state())
    with pytest.raises(ModelFileError, match="don't match the spec"):
        table(categories="index").load_encoder_state(table_of_one_hot(table))


def table_of_one_hot(table):
    """Return the state of a table whose categories are one-hot."""
    dataset = table()
    dataset.describe()
    return dataset.encoder_state()


def test_the_graph_computes_the_same(table):
    dataset = table(**EVERYTHING)
    expected = np.stack(list(encoded(dataset).values()), axis=1)
    graph = Graph(np.dtype(np.float64), expected.shape[1:])
    graph.outputs["x"] = graph.encode(dataset)
    rows = dataset.raw_rows("train", np.arange(5))
    np.testing.assert_allclose(evaluate(graph, dataset.feeds(rows))["x"], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"numbers": MinMax(), "standardize": False},
            "standardize: numbers sets the encoding already; leave out standardize",
        ),
        (
            {"numbers_by_column": {"age": MinMax()}},
            "numbers_by_column: the other columns have no encoding; expected numbers, too; "
            "set numbers: standardize for them",
        ),
        ({"numbers": "min_max"}, "'min_max' is a name, which a data set built in Python can't look up"),
        (
            {"encode_one_hot": True},
            "encode_one_hot: it applies the encoding numbers, which isn't set; expected numbers, too; "
            "set numbers: standardize",
        ),
        (
            {"categories_by_column": {"age": "index"}},
            "categories_by_column: the column 'age' holds no categories; expected one of town, sex, size; "
            "name it in categorical, too",
        ),
        (
            {"categories_by_column": {"age": "index"}, "categorical": ()},
            "categories_by_column: the column 'age' holds no categories; name it in categorical, too",
        ),
        (
            {"categories": "indx"},
            "categories: 'indx' is a name, which a data set built in Python can't look up; "
            "expected an encoding, such as Index(), or one of ",
        ),
        ({"categories_by_column": {"sex": "indx"}}, "categories_by_column: 'indx' is a name, which a data set built"),
        ({"categories": "sign"}, "categories: "),
        ({"categories_by_column": {"town": "sign"}}, "categories_by_column: "),
        (
            {"categorical": ("twon",), "categories_by_column": {"town": "index"}},
            "categorical: there is no column 'twon'",
        ),
        ({"categories_by_column": {"twon": "index"}}, "categories_by_column: there is no column 'twon'"),
        (
            {"numbers": MinMax(), "numbers_by_column": {"town": MinMax(), "sex": MinMax(), "age": MinMax()}},
            "numbers_by_column: the column 'sex' holds no numbers; expected columns of numbers; leave it out",
        ),
        ({"numbers": MinMax(), "numbers_by_column": {"ag": MinMax()}}, "there is no column 'ag'"),
        (
            {"numbers": MinMax(), "numbers_by_column": {"day": MinMax()}},
            "numbers_by_column: the column 'day' is not among the inputs; leave it out here, or add it to the inputs",
        ),
    ],
)
def test_errors(table, options, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        table(**options).describe()


class Seeing(Standardize):
    """Notes the targets that it is fitted on."""

    def fit(self, columns):
        self.targets = columns.targets().tolist()
        return super().fit(columns)


@pytest.mark.parametrize(("classes", "numbers"), [(None, [1, 0, 1, 2, 2, 0]), (("c", "b", "a"), [1, 2, 1, 0, 0, 2])])
def test_an_encoding_sees_the_numbers_of_classes_in_their_order(tmp_path, classes, numbers):
    (tmp_path / "t.csv").write_text("x,y\n1,b\n2,a\n3,b\n4,c\n5,c\n6,a\n")
    encoding = Seeing()
    dataset = Csv(str(tmp_path / "t.csv"), "y", numbers=encoding, classes=classes, validation=0, test=0)
    dataset.open(0)
    assert encoding.targets == numbers


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"held": []}, "the encodings of the table's encoder don't match the spec inside"),
        ({"encodings": []}, "the encodings of the table's encoder don't match the spec inside"),
        ({"encodings": "abc"}, "the encodings of the table's encoder don't match the spec inside"),
        ({"constant": ["aged"]}, "the encoder of the table is "),
        ({"indicators": ["sex"]}, "the encoder of the table is "),
        ({"with_other": ["sex"]}, "the encoder of the table is "),
        ({"extents": [[0, 1]]}, "the encoder of the table is "),
        ({"classes": ["a"]}, "the encoder of the table is "),
        ({"of_categories": {"columns": ["sexes"], "learned": {"median": [0.0], "factor": [1.0]}}},
         "the encoder of the table encodes categories that it doesn't have"),
    ],
)  # fmt: skip
def test_a_state_that_was_changed_is_refused(table, changes, expected):
    dataset = table(**EVERYTHING)
    dataset.describe()
    with pytest.raises(ModelFileError, match=f"^{re.escape(expected)}"):
        table(**EVERYTHING).load_encoder_state(dataset.encoder_state() | changes)


def test_an_encoder_of_one_hot_columns_is_refused_where_they_are_not_encoded(table):
    dataset = table(numbers=RobustSmoothClip(), encode_one_hot=True)
    dataset.describe()
    with pytest.raises(ModelFileError, match="don't match the spec"):
        table(numbers=RobustSmoothClip()).load_encoder_state(dataset.encoder_state())
    state = dataset.encoder_state()
    state["encodings"][0]["columns"] = ["income", "age"]
    with pytest.raises(ModelFileError, match="the encoded columns of the table's encoder don't match the spec inside"):
        table(numbers=RobustSmoothClip(), encode_one_hot=True).load_encoder_state(state)

"""A table's encoder in operators: the same float32 as ``encode``, to the bit, from raw columns."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from encoder_graphs import encoded_in_graph, graph_of
from requirements import Optional

from mlpkit import DataError, MlpkitError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.encodings.min_max import MinMax
from mlpkit_plugins.encodings.piecewise_linear import PiecewiseLinear
from mlpkit_plugins.encodings.quantile import Quantile

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

pytestmark = pytest.mark.filterwarnings("ignore:.* were never trained on")

ROWS = 400
DAYS = ("2020-02-29", "1969-12-31", "1900-03-01", "2024-05-31", "1999-12-31", "2000-01-01")
SIZES = ("small", "middle", "large")
BINS = {"d": PiecewiseLinear(bins=3)}


def table():
    """Return columns with numbers, texts, dates, an order, yes and no, and missing values, as texts of a file."""
    rng = np.random.default_rng(0)
    gap = rng.random((4, ROWS)) < 0.1
    return {
        "age": ["" if gap[0, i] else f"{rng.normal(40, 13):.3f}" for i in range(ROWS)],
        "score": [("-999", "-999.0", "1000", f"{i}")[i % 4] for i in range(ROWS)],
        "price, in €": [f"{rng.lognormal(5, 3):.2f}" for _ in range(ROWS)],
        "wet": [("yes", "no")[i % 2] for i in range(ROWS)],
        "town": ["" if gap[1, i] else f"town {int(rng.exponential(3))}" for i in range(ROWS)],
        "size": ["" if gap[2, i] else SIZES[i % 3] for i in range(ROWS)],
        "when": ["" if gap[3, i] else f"{DAYS[i % 6]}T{i % 24:02}:{i % 60:02}:{7 * i % 60:02}" for i in range(ROWS)],
        "t": ["pq"[i * i % 3 % 2] for i in range(ROWS)],
    }


def write_csv(path, columns):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])


OPTIONS = {
    "categorical": ("town",),
    "ordinal": {"size": SIZES},
    "dates": ("when",),
    "date_parts": ("elapsed", "year", "month", "day", "yearday", "weekday", "hour"),
    "missing": "indicate",
    "missing_texts": ("", "NA"),
    "unknown": "zeros",
    "validation": 0,
    "test": 0.2,
}


@pytest.fixture(params=[Csv, Parquet])
def made(request, tmp_path):
    """Return a function that makes a data set of the table in one of the formats, once opened."""

    def make(**options):
        columns = table()
        if request.param is Csv:
            file = tmp_path / "data.csv"
            write_csv(file, columns)
        else:
            file = tmp_path / "data.parquet"
            typed = columns | {"age": [float(text) if text else None for text in columns["age"]]}
            typed["when"] = [np.datetime64(text) if text else None for text in columns["when"]]
            pq.write_table(pa.table(typed), file)
        dataset = request.param(str(file), "t", **OPTIONS | options)
        dataset.open(0)
        return dataset

    return make


def expect_the_same_bits(dataset, columns):
    expected = dataset.encode(dataset.from_columns(columns))
    found = encoded_in_graph(dataset, dataset.feeds(columns))
    assert found.dtype == expected.dtype == dataset.dtype
    assert found.tobytes() == expected.tobytes()


@pytest.mark.filterwarnings("ignore:.*never trained on:UserWarning")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"standardize": False},
        {"missing_texts": ("", "-999", "1e3", "NaN")},
        {"missing_numbers": {"score": (-999.0, 1000.0), "wet": (0.0,)}},
        {"missing": "fill"},
        {"rare": 40},
        {"ordinal": {}, "categorical": ("town", "size", "wet")},
        {"date_parts": ("elapsed",)},
        {"date_parts": ("month",), "ignore": ("age", "score", "price, in €", "wet")},
        {"dates": (), "inputs": ("town",)},
        {"dates": (), "ordinal": {}, "categorical": (), "inputs": ("age",)},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_as_encode(made, options, dtype):
    if "inputs" in options and "size" not in options["inputs"]:
        options = options | {"ordinal": {}}
    dataset = made(**options)
    dataset.dtype = dtype
    rows = dataset.raw_rows("test", np.arange(len(dataset.open(0)["test"])))
    expect_the_same_bits(dataset, rows)


def test_raw_rows_are_those_of_the_split(made):
    dataset = made()
    split = dataset.open(0)["test"]
    indices = np.arange(len(split))[::-2]
    x = np.empty((len(indices), *dataset.describe().input_shape), np.float32)
    split.take(indices, (x, np.empty(len(indices), np.int64)))

    rows = dataset.raw_rows("test", indices)

    np.testing.assert_array_equal(dataset.encode(dataset.from_columns(rows)), x)


def test_sources_are_the_rows_in_the_file(made):
    dataset = made()
    count = len(dataset.open(0)["test"])
    towns, expected = table()["town"], dataset.raw_rows("test", np.arange(count))["town"]

    sources = dataset.example_sources("test", np.arange(count)[::-1])

    file, rows = zip(*(source.rsplit(", row ", 1) for source in sources[::-1]), strict=True)
    assert set(file) == {dataset.file}
    first = 2 if dataset.file.endswith(".csv") else 1  # a CSV file's first row is its header
    assert [towns[int(row) - first] for row in rows] == list(expected)


def test_inputs_are_named_and_typed_as_a_program_has_them(made):
    feeds = graph_of(made()).feeds

    assert {name: (feed.dtype, feed.kind) for name, feed in feeds.items()} == {
        "age": ("float64", "number"),
        "score": ("float64", "number"),
        "price, in €": ("float64", "number"),
        "wet": ("float64", "number"),
        "size": ("str", "category"),
        "when": ("float64", "date"),
        "town": ("str", "category"),
    }
    assert feeds["size"].choices == SIZES
    assert feeds["age"].typical == pytest.approx((40, 13), abs=2)


def test_inputs_have_the_extent_of_their_training_rows(made):
    dataset = made()
    rows = dataset.raw_rows("train", np.arange(len(dataset.open(0)["train"])))
    ages = np.array([float(age) for age in rows["age"] if age])
    seconds = dataset.feeds(rows)["when"]

    feeds = graph_of(dataset).feeds

    assert feeds["age"].extent == (ages.min(), ages.max())
    assert feeds["when"].extent == pytest.approx((np.nanmin(seconds), np.nanmax(seconds)), abs=1)
    assert feeds["town"].extent is None


def test_what_stands_for_no_value_and_for_an_unknown_one(made):
    dataset = made(rare=40)
    raw = {
        "age": [30.0] * 4,
        "score": [0.0] * 4,
        "price, in €": [1.0] * 4,
        "wet": [1.0] * 4,
        "size": ["large"] * 4,
        "when": [0.0] * 4,
    }

    x = encoded_in_graph(dataset, raw | {"town": np.array(["other", "NA", "", "never seen"], object)})

    of_towns = [name.startswith("town=") for name in dataset.feature_names()]
    other, missing, empty, unknown = x[:, of_towns].tolist()
    assert sum(other) == 1
    assert other == unknown
    assert missing == empty == [0] * len(other)


def test_numbers_are_read_as_they_are_written(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("a;t\n" + "".join(f"{i}.234,5 €;{'pq'[i % 2]}\n" for i in range(1, 40)))
    dataset = Csv(str(file), "t", delimiter=";", decimal=",", thousands=".", symbols=("€",), test=0.2)
    dataset.open(0)

    rows = dataset.raw_rows("test", np.arange(3))

    assert all(text.endswith(".234,5 €") for text in rows["a"])
    assert ((dataset.feeds(rows)["a"] - 234.5) % 1000 == 0).all()
    expect_the_same_bits(dataset, rows)


def with_offsets(tmp_path, **options):
    file = tmp_path / "data.csv"
    file.write_text("a,t\n" + "".join(f"2024-01-{i:02}T12:00+02:00,{'pq'[i % 2]}\n" for i in range(1, 30)))
    dataset = Csv(str(file), "t", dates=("a",), test=0.2, **options)
    dataset.open(0)
    return dataset


@pytest.mark.parametrize("parts", [("elapsed",), ("hour", "day")])
def test_a_date_with_an_offset_is_told_in_utc_or_on_its_clock(tmp_path, parts):
    dataset = with_offsets(tmp_path, date_parts=parts)

    expect_the_same_bits(dataset, dataset.raw_rows("test", np.arange(2)))


def test_one_number_can_tell_no_offset_beside_time_elapsed(tmp_path):
    dataset = with_offsets(tmp_path, date_parts=("elapsed", "hour"))

    with pytest.raises(DataError, match=r"row 0, column 'a': an exported model takes the seconds of one clock"):
        dataset.feeds(dataset.raw_rows("test", np.arange(2)))


def test_a_column_without_a_name_is_no_input(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text(",t\n" + "".join(f"{i},{'pq'[i % 2]}\n" for i in range(30)))
    dataset = Csv(str(file), "t", inputs=("",))
    dataset.open(0)

    with pytest.raises(MlpkitError, match="an input of an exported model can't be called ''; rename its column"):
        graph_of(dataset)


@pytest.mark.parametrize("options", [{}, {"numbers": Quantile()}, {"numbers": MinMax(), "numbers_by_column": BINS}])
@pytest.mark.parametrize("missing", ["fill", "indicate"])
def test_what_never_varies_in_training_is_no_input(tmp_path, options, missing):
    columns = {
        "a": [f"{i % 9}" for i in range(60)],
        "b": ["7"] * 60,
        "c": [("", "7")[i % 3 % 2] for i in range(60)],
        "d": [f"{i * i % 7}" for i in range(60)],
        "town": ["Oslo"] * 60,
        "size": ["large"] * 60,
        "year": [f"{1970 + i % 12}-01-01" for i in range(60)],
        "day": ["2020-01-01"] * 60,
        "t": ["pq"[i % 2] for i in range(60)],
    }
    write_csv(tmp_path / "x.csv", columns)
    given = {"categorical": ("town", "size"), "dates": ("year", "day"), "unknown": "zeros", "missing": missing}
    by_column = {"categories_by_column": {"size": "index"}}
    dataset = Csv(str(tmp_path / "x.csv"), "t", validation=0, test=0, **given, **by_column, **options)

    expect_the_same_bits(dataset, {name: texts[:9] for name, texts in columns.items()})

    assert {*graph_of(dataset).feeds} == {"a", "d", "year"} | ({"c"} if missing == "indicate" else set())
    other = {"a": ["3"], "b": ["9"], "c": ["1"], "d": ["2"], "town": ["Rom"], "size": ["small"]}
    other |= {"year": ["1975-06-18"], "day": ["1999-05-05"]}
    expect_the_same_bits(dataset, other)


SHOWN_CLOCK = "seconds since 1970-01-01 00:00 on the clock that the date shows; NaN if it is missing"


@pytest.mark.parametrize(
    ("parts", "meaning", "days"),
    [
        (("elapsed",), "seconds since 1970-01-01 00:00 UTC; NaN if it is missing", (31, 39)),
        (("month", "elapsed"), SHOWN_CLOCK, (31, 39)),
        (("day",), SHOWN_CLOCK, None),
    ],
)
def test_inputs_tell_what_they_mean_and_which_numbers_are_usual(tmp_path, parts, meaning, days):
    rows = [f"{'xyz'[i % 3]},1970-02-{1 + i:02},{2 * i},{'pq'[i % 2]}" for i in range(9)]
    (tmp_path / "x.csv").write_text("\n".join(["kind,day,n,t", *rows]))
    given = {"categorical": ("kind",), "dates": ("day",), "date_parts": parts, "missing": "fill"}
    dataset = Csv(str(tmp_path / "x.csv"), "t", validation=0, test=0, split="shuffle", **given)
    dataset.describe()
    feeds = graph_of(dataset).feeds
    assert feeds["kind"].meaning == "as in the file, without blanks around it; empty if it is missing"
    assert (feeds["kind"].choices, feeds["kind"].typical) == (("x", "y", "z"), None)
    assert feeds["n"].meaning == "NaN if it is missing; 1 and 0 for yes and no"
    assert (feeds["n"].typical, feeds["n"].extent) == ((8, pytest.approx(2 * np.arange(9).std())), (0, 16))
    assert feeds["day"].meaning == meaning
    if days is None:
        assert (feeds["day"].typical, feeds["day"].extent) == (None, None)
        return
    assert feeds["day"].typical == pytest.approx((35 * 86_400, np.arange(9).std() * 86_400))
    assert feeds["day"].extent == (days[0] * 86_400, days[1] * 86_400)

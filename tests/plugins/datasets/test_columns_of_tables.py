"""What columns of tables may hold besides plain numbers and categories, in CSV and Parquet files alike."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from messages import message
from requirements import Optional

import mlpkit
from mlpkit import DataError, ModelFileError, ParameterError
from mlpkit_plugins.datasets.csv import Csv

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
pyarrow_csv = Optional("pyarrow.csv")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

NONE = {"validation": 0, "test": 0, "standardize": False}


@pytest.fixture(params=[Csv, Parquet])
def table_of(request, tmp_path):
    """Return a function that makes a data set of a table given as CSV, in one of the formats."""

    def made(text, target="t", *, name="data", **options):
        file = tmp_path / f"{name}.csv"
        file.write_text(text)
        if request.param is Parquet:
            as_text = pyarrow_csv.ConvertOptions(
                column_types=dict.fromkeys(text.split("\n")[0].split(","), pa.string()), null_values=[""],
                strings_can_be_null=True,
            )  # fmt: skip
            table = pyarrow_csv.read_csv(file, convert_options=as_text)
            file = tmp_path / f"{name}.parquet"
            pq.write_table(table, file)
        return request.param(str(file), target, **NONE | options)

    return made


def csv_of(tmp_path, text, target="t", *, name="data.csv", **options):
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / name).write_bytes(content)
    return Csv(str(tmp_path / name), target, **NONE | options)


def inputs(dataset, split="train"):
    part = dataset.open(0)[split]
    description = dataset.describe()
    x = np.empty((len(part), *description.input_shape))
    shape, dtype = description.target.array(np.dtype(float))
    part.take(np.arange(len(part)), (x, np.empty((len(part), *shape), dtype)))
    return x.tolist()


# Yes and no


@pytest.mark.parametrize(
    ("yes", "no"), [("yes", "no"), ("Yes", "No"), ("Y", "N"), ("t", "f"), ("on", "off"), ("TRUE", "FALSE")]
)
def test_yes_and_no_are_one_column(table_of, yes, no):
    assert inputs(table_of(f"a,t\n{yes},0\n{no},1\n{yes},0\n{no},1\n")) == [[1], [0], [1], [0]]


# Categories in an order


SIZES = "size,t\nlarge,0\nsmall,1\nmedium,0\n,1\n"


def test_ordered_categories_are_numbers(table_of):
    dataset = table_of(SIZES, ordinal={"size": ("small", "medium", "large")}, missing="fill")
    assert inputs(dataset) == [[2], [0], [1], [1]]
    assert dataset.feature_names() == ("size",)


def test_a_category_that_the_order_lacks(table_of):
    dataset = table_of(SIZES, ordinal={"size": ("small", "mediums", "large")}, missing="fill")
    assert "column 'size': 'medium' is not one of small, mediums, large; did you mean 'mediums'?" in message(
        dataset.describe, DataError
    )
    dataset = table_of(SIZES, ordinal={"size": ("small", "large")}, missing="fill")
    assert "add it to ordinal: {size: [...]}" in message(dataset.describe, DataError)


LEVELS = ("small", "medium", "large")


@pytest.mark.parametrize("missing", ["error", "fill"])
def test_a_category_that_the_order_lacks_can_count_as_the_mean(table_of, missing):
    dataset = table_of(
        "size,t\nlarge,0\nsmall,1\nmedum,0\nhuge,1\n", ordinal={"size": LEVELS}, missing=missing, unknown="zeros"
    )
    assert inputs(dataset) == [[2], [0], [1], [1]]
    (warning,) = dataset.warnings()[:1]
    assert warning.parameter == "ordinal"
    assert warning.message.endswith(
        "column 'size': 2 of 4 values aren't listed, such as 'medum' (did you mean 'medium'?); they count as the mean"
    )


@pytest.mark.parametrize("missing", ["error", "fill", "indicate", "drop"])
def test_prediction_warns_once_of_each_column_with_values_that_were_never_trained_on(table_of, tmp_path, missing):
    trained = table_of(
        "size,port,a,t\nlarge,Cork,1,0\nsmall,Southampton,2,1\nmedium,Cork,3,0\nlarge,Southampton,4,1\n",
        ordinal={"size": LEVELS}, categorical=("port",), missing=missing, unknown="zeros", standardize=True,
    )  # fmt: skip
    inputs(trained)
    columns = {"size": ["small", "huge", "large"], "port": ["Bergen", "Sothampton", "Cork"], "a": [2.5, 2.5, 2.5]}
    with pytest.warns(UserWarning, match="never trained on") as warned:
        raw = trained.from_columns(columns)
    assert [str(warning.message).partition(", ")[2] for warning in warned] == [
        "column 'port': 2 of 3 values were never trained on, such as 'Sothampton' (did you mean 'Southampton'?); "
        "they count as zeros",
        "column 'size': 1 of 3 values were never trained on: 'huge'; they count as the mean",
    ]
    encoded = trained.encode(raw)
    names = list(trained.feature_names())
    assert encoded[:, [names.index("port=Cork"), names.index("port=Southampton")]].tolist() == [[0, 0], [0, 0], [1, 0]]
    assert encoded[:, names.index("size")].tolist() == pytest.approx([-1.5075567, 0, 0.9045340])


# Dates


DAYS = "day,a,t\n2024-01-31,1,0\n2024-02-29 12:30,2,1\n1970-01-02,3,0\n,4,1\n"


def test_dates_give_their_parts(table_of):
    parts = ("elapsed", "year", "month", "day", "yearday", "weekday", "hour")
    dataset = table_of(DAYS, dates=("day",), date_parts=parts, missing="fill")
    found = inputs(dataset)
    assert dataset.feature_names() == (*(f"day ({part})" for part in parts), "a")
    assert found[0] == [19753, 2024, 1, 31, 31, 2, 0, 1]
    assert found[1] == [19782 + 12.5 / 24, 2024, 2, 29, 60, 3, 12.5, 2]
    assert found[2] == [1, 1970, 1, 2, 2, 4, 0, 3]
    np.testing.assert_allclose(found[3][:7], np.mean(np.array(found)[:3, :7], axis=0))


def test_dates_may_be_written_in_another_way(table_of):
    text = "day,t\n31.01.2024,0\n29.02.2024,1\n"
    assert inputs(table_of(text, dates={"day": "%d.%m.%Y"}, date_parts=("month",), predict="values")) == [[1], [2]]
    assert "'31.01.2024' is not an ISO date, such as 2024-05-31; write one, or set dates: {day: '%d.%m.%Y'}" in (
        message(table_of(text, dates=("day",)).describe, DataError)
    )


def test_a_column_of_dates_in_parquet(tmp_path):
    days = pa.array([0, 366], pa.date32())
    stamps = pa.array([0, 3_600_000_000_000], pa.timestamp("ns", tz="UTC"))
    pq.write_table(pa.table({"day": days, "at": stamps, "t": ["x", "y"] * 1}), tmp_path / "a.parquet")
    dataset = Parquet(
        str(tmp_path / "a.parquet"), "t", dates=("day", "at"), date_parts=("elapsed", "hour"), predict="classes", **NONE
    )
    with pytest.raises(DataError, match="2 of 2 classes occur in one row only"):
        dataset.describe()
    pq.write_table(
        pa.table({"day": pa.concat_arrays([days, days]), "at": pa.concat_arrays([stamps, stamps]), "t": list("xyxy")}),
        tmp_path / "a.parquet",
    )
    assert inputs(dataset)[:2] == [[0, 0, 0], [366, 1 / 24, 1]]  # the hour of the days is left out


def test_a_model_takes_dates_and_orders_from_rows_to_predict(table_of, tmp_path):
    text = "day,size,t\n2024-01-31,small,0\n2024-02-29,large,1\n2024-03-01,small,0\n2024-01-02,large,1\n"
    options = {"dates": ("day",), "ordinal": {"size": ("small", "large")}, "date_parts": ("month", "day")}
    dataset = table_of(text, **options)
    dataset.open(0)
    used = table_of("day,size,t\n", name="other", **options)
    used.load_encoder_state(dataset.encoder_state())
    new = table_of("size,day\nlarge,2025-12-24\n", name="new")
    raw = used.read(tmp_path / new.file)
    assert used.encode(raw).tolist() == [[12, 24, 1]]
    wrong = table_of("size,day\nhuge,2025-12-24\n", name="wrong")
    assert message(lambda: used.read(tmp_path / wrong.file), DataError).endswith(
        "column 'size': 'huge' is not one of small, large; put one there, or leave out the row"
    )
    lacking = table_of("size\nlarge\n", name="lacking")
    assert "no such column; it has size" in message(lambda: used.read(tmp_path / lacking.file), DataError)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dates": ("days",)}, "dates: there is no column 'days' in"),
        ({"ordinal": {"aa": ("x",)}}, "ordinal: there is no column 'aa' in"),
        (
            {"dates": ("day",), "categorical": ("day",)},
            "dates: the column 'day' is named in categorical and dates; name it once",
        ),
        ({"dates": ("t",)}, "dates: the column 't' is the target; name it once"),
        ({"ordinal": {"day": ("x", "x")}}, "ordinal: a category of 'day' is named twice; name it once"),
        (
            {"inputs": ("a",), "dates": ("day",)},
            "dates: the column 'day' is not among the inputs; leave it out here, or",
        ),
    ],
)
def test_columns_that_are_named_wrongly(table_of, options, expected):
    assert message(lambda: table_of(DAYS, **options).describe(), ParameterError).startswith(expected)


# Missing values


def test_missing_numbers_may_be_indicated(table_of):
    dataset = table_of("a,b,t\n1,5,0\n,6,1\n3,7,0\n4,8,1\n", missing="indicate")
    assert inputs(dataset) == [[1, 5, 0], [8 / 3, 6, 1], [3, 7, 0], [4, 8, 0]]
    assert dataset.feature_names() == ("a", "b", "a is missing")
    again = table_of("a,b,t\n1,5,0\n,6,1\n", missing="indicate")
    again.load_encoder_state(dataset.encoder_state())
    assert again.encode(np.array([[np.nan, np.nan]])).tolist() == [[np.float32(8 / 3), 6.5, 1]]
    with pytest.raises(ModelFileError):
        again.load_encoder_state(dataset.encoder_state() | {"indicators": ["c"]})


# Rare categories


TOWNS = "town,t\n" + "".join(
    f"{town},{i % 2}\n" for i, town in enumerate(["Ulm"] * 4 + ["Köln"] * 3 + ["Bonn", "Jena"])
)


def test_rare_categories_are_one(table_of, tmp_path):
    dataset = table_of(TOWNS, categorical=("town",), rare=3)
    assert dataset.feature_names() is None
    found = inputs(dataset)
    assert dataset.feature_names() == ("town=Köln", "town=Ulm", "town=other")
    assert found[0] == [0, 1, 0]
    assert found[-2:] == [[0, 0, 1], [0, 0, 1]]
    used = table_of("town,t\n", name="none", categorical=("town",), rare=3)
    used.load_encoder_state(dataset.encoder_state())
    new = table_of("town\nPlön\nUlm\n", name="new")
    assert used.encode(used.read(tmp_path / new.file)).tolist() == [[0, 0, 1], [0, 1, 0]]
    with pytest.raises(ModelFileError):
        used.load_encoder_state(dataset.encoder_state() | {"with_other": ["t"]})


def test_without_rare_categories_there_is_no_other(table_of):
    dataset = table_of(TOWNS, categorical=("town",))
    inputs(dataset)
    assert dataset.feature_names() == ("town=Bonn", "town=Jena", "town=Köln", "town=Ulm")
    assert "with_other" not in dataset.encoder_state()


# How CSV files are written


def test_thousands(tmp_path):
    text = 'a,b,t\n"1,234",1.5,0\n999,2,1\n"-1,234,567.5",3,0\n,4,1\n'
    assert inputs(csv_of(tmp_path, text, thousands=",", missing="fill"))[:3] == [[1234, 1.5], [999, 2], [-1234567.5, 3]]
    text = "a;t\n1.234,5;0\n1 234;1\n"
    assert inputs(
        csv_of(tmp_path, text.replace(" ", "."), delimiter=";", decimal=",", thousands=".", predict="values")
    ) == [
        [1234.5],
        [1234],
    ]
    with pytest.raises(DataError, match="'1,23' is not a finite number"):
        csv_of(tmp_path, 'a,t\n"1,234",0\n"1,23",1\n', thousands=",").describe()


@pytest.mark.parametrize(
    ("texts", "symbols", "numbers"),
    [
        (["$5", "-$1.50", "$ -2", "7"], ("$",), [5, -1.5, -2, 7]),
        (["12%", "12.5 %", "-3 %", "0%"], ("%",), [12, 12.5, -3, 0]),
        (["5 kg", "6.5kg", "7 k", "8"], ("k", "kg"), [5, 6.5, 7, 8]),
        (["1'234 CHF", "CHF 2'345", "3", "4"], ("CHF",), [1234, 2345, 3, 4]),
    ],
)
def test_symbols_beside_numbers_are_left_out(tmp_path, texts, symbols, numbers):
    text = "a,t\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    assert inputs(csv_of(tmp_path, text, symbols=symbols, thousands="'")) == [[number] for number in numbers]


def test_another_quote_comments_and_rows_to_skip(tmp_path):
    text = "exported on Monday\n\n# columns\n'a, b',t\n1,x\n# 2,y\n3,'y'\n#,\n5,x\n6,y\n"
    dataset = csv_of(tmp_path, text, quote="'", comment="#", skip_rows=1)
    assert inputs(dataset) == [[1], [3], [5], [6]]
    assert dataset.feature_names() == ("a, b",)
    wrong = csv_of(tmp_path, text.replace("5,x", "five,x"), quote="'", comment="#", skip_rows=1)
    assert "row 9, column 'a, b': 'five'" in message(wrong.describe, DataError)


def test_rows_are_skipped_before_a_file_without_a_header(tmp_path):
    assert inputs(csv_of(tmp_path, "junk\n1,x\n2,y\n3,x\n4,y\n", skip_rows=1, header=("a", "t"))) == [
        [1],
        [2],
        [3],
        [4],
    ]


def test_a_compressed_file(tmp_path):
    text = b"a,t\n1,x\n2,y\n3,x\n4,y\n"
    dataset = csv_of(tmp_path, gzip.compress(text), name="data.csv.gz")
    assert inputs(dataset) == [[1], [2], [3], [4]]
    assert csv_of(tmp_path, text).describe() == dataset.describe()
    cut = csv_of(tmp_path, gzip.compress(text)[:-12], name="cut.csv.gz")
    assert "the compressed content ends too early; the file is incomplete" in message(cut.describe, DataError)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"quote": ""}, "quote: '' can't be the quote; expected a single character"),
        (
            {"thousands": "."},
            "thousands: '.' is the decimal sign already; expected another character; set decimal as well",
        ),
        ({"symbols": ("5",)}, "symbols: a symbol is empty or a number; expected texts such as $, % or kg"),
        ({"symbols": ("kg", " ")}, "symbols: a symbol is empty or a number; expected texts such as $, % or kg"),
        ({"symbols": (" 5 ", "kg")}, "symbols: a symbol is empty or a number; expected texts such as $, % or kg"),
        ({"quote": " "}, "quote: ' ' can't be the quote; expected a single character"),
        ({"quote": "''"}, "quote: '''' can't be the quote; expected a single character"),
        ({"delimiter": '"'}, "delimiter: '\"' can't be the delimiter; expected a single character, not a quote"),
        (
            {"delimiter": "|", "quote": "|"},
            "delimiter: '|' can't be the delimiter; expected a single character, not a quote",
        ),
        ({"delimiter": "\r"}, "delimiter: '\\r' can't be the delimiter; expected a single character, not a quote"),
        ({"delimiter": ""}, "delimiter: '' can't be the delimiter; expected a single character, not a quote"),
        (
            {"decimal": ",", "thousands": ","},
            "thousands: ',' is the decimal sign already; expected another character; set decimal as well",
        ),
        ({"header": ("a", "t", "a")}, "header: two columns have the same name; expected names that differ"),
    ],
)
def test_parameters_that_can_t_be(tmp_path, options, expected):
    assert message(lambda: csv_of(tmp_path, "a,t\n", **options), ParameterError) == expected


# Columns of texts that no parameter names


def test_all_columns_of_words_come_in_one_error_to_be_pasted(tmp_path):
    text = "a,colour,soil,size: x,ok,price,t\n1,red,clay,big1,yes,$5,0\n2,blue,sand,small,no,$6,1\n"
    dataset = csv_of(tmp_path, text, categorical=("soil",))
    assert message(dataset.describe, ParameterError).endswith(
        "data.csv hold texts: 'colour' ('red'), 'size: x' ('big1'); expected numbers in each column that nothing else "
        "names; write categorical: [soil, colour, 'size: x'], or name those in ignore that you don't need"
    )
    categorical = ("soil", "colour", "size: x")
    followed = csv_of(tmp_path, text, categorical=categorical, symbols=("$",), predict="labels")
    assert followed.describe().input_shape == (1 + 2 + 2 + 2 + 1 + 1,)


@pytest.mark.parametrize(
    ("second", "error", "start"),
    [
        ("many", ParameterError, "categorical: 2 columns of data.csv hold texts: 'a' ('5 kg'), 'b' ('red'); "),
        ("6 kg", DataError, "data.csv, row 2, column 'a': '5 kg' is not a finite number; set symbols: ['kg'] "),
    ],
)
def test_a_column_holds_numbers_with_units_if_more_than_half_have_one(tmp_path, second, error, start):
    dataset = csv_of(tmp_path, f"a,b,t\n5 kg,red,0\n{second},blue,1\n")
    assert message(dataset.describe, error, tmp_path / "data.csv", name="data.csv").startswith(start)


def test_advice_about_dollars_works_in_a_spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,t\n$5,0\n$6,1\n")
    (tmp_path / "spec.yaml").write_text(
        "mlpkit: 1\ndata: {csv: {file: data.csv, target: t, predict: values, validation: 0, test: 0}}\n"
        "layers: [Affine: {units: auto}, MeanSquaredError]\ntraining: {optimizer: sgd, epochs: 1}\n"
    )
    said = message(lambda: mlpkit.build(mlpkit.load_spec("spec.yaml")), DataError)
    advice = re.search(r"set (symbols): (\[.*\])", said)
    mlpkit.build(mlpkit.load_spec("spec.yaml", overrides=[f"data.csv.{advice[1]}={advice[2]}"]))


def test_of_many_columns_of_words_some_are_shown_and_all_are_pasted(tmp_path):
    names = [f"c{i}" for i in range(12)]
    text = ",".join([*names, "t"]) + "\n" + ",".join(["x"] * 12 + ["0"]) + "\n" + ",".join(["y"] * 12 + ["1"]) + "\n"
    found = message(csv_of(tmp_path, text).describe, ParameterError)
    assert "'c9' ('x') and 2 more; expected" in found
    assert f"write categorical: [{', '.join(names)}]" in found


def test_columns_that_may_hold_anything_but_words_are_not_among_them(tmp_path):
    text = "a,b,part,low,day,ok,price,gap,t\n"
    text += "red,'it''s',1/2,inf,2024-01-02,yes,$5,,0\nblue,oak,3/4,inf,2024-01-03,no,$6,,1\n"
    assert "hold texts: 'a' ('red'), 'b' (\"'it''s'\"); expected" in message(
        csv_of(tmp_path, text).describe, ParameterError
    )
    names = ("true", "it's $5", "a-b c.d", " e", "9")
    text = ",".join([*(f'"{name}"' for name in names), "t"]) + "\nu,v,w,x,z,0\nu,v,w,x,z,1\n"
    assert "write categorical: ['true', 'it''s $$5', a-b c.d, e, '9']" in message(
        csv_of(tmp_path, text).describe, ParameterError
    )


# Numbers that stand for a missing value


@pytest.mark.parametrize(
    ("kind", "numbers"), [(Csv, []), (Parquet, [-9.0, 1.0, 3.0, -9.0]), (Parquet, ["-9", "1", "3", "-9.00"])]
)
def test_a_number_can_stand_for_a_missing_value_however_it_is_written(tmp_path, kind, numbers):
    columns = {"a": numbers, "t": ["x", "y", "x", "y"]}
    file = str(tmp_path / "data")
    if kind is Csv:
        (tmp_path / "data").write_text("a,t\n-9,x\n1,y\n3,x\n-9.00,y\n")
    else:
        pq.write_table(pa.table(columns), file)
    dataset = kind(file, "t", missing="fill", missing_texts=("", "-9.0"), **NONE)
    assert inputs(dataset) == [[2], [1], [3], [2]]
    raw = dataset.from_columns({"a": [-9, 5, "-9", None]})
    np.testing.assert_array_equal(raw, [[np.nan], [5], [np.nan], [np.nan]])


def test_numbers_that_mean_a_missing_value_in_one_column_only(table_of):
    text = "a,b,t\n-999,-999,1\n2,5,2\n4,7,-999\n4,7,3\n6,-999.0,4\n"
    dataset = table_of(text, predict="values", missing="fill", missing_numbers={"a": (-999,), "t": (-999,)})
    assert inputs(dataset) == [[4, -999], [2, 5], [4, 7], [6, -999]]
    columns = {"a": [-999, 2], "b": [-999, 5]}
    assert dataset.encode(dataset.from_columns(columns)).tolist() == [[4, -999], [2, 5]]
    raw = {column.name: column for column in dataset.raw_columns()}
    assert (raw["a"].codes["train"] == -1).tolist() == [True, False, False, False]
    assert not (raw["b"].codes["train"] == -1).any()
    missing = table_of(text, predict="values", missing_numbers={"a": (-999,)})
    assert "column 'a': the value is missing" in message(missing.describe, DataError)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"missing_numbers": {"aa": (1,)}}, "missing_numbers: there is no column 'aa'"),
        ({"missing_numbers": {"a": (1,)}, "categorical": ("a",)}, "missing_numbers: the column 'a' holds no numbers"),
        ({"missing_numbers": {"t": (1,)}}, "missing_numbers: the column 't' holds no numbers"),
    ],
)
def test_missing_numbers_of_columns_that_have_none(table_of, options, expected):
    with pytest.raises(ParameterError, match=expected):
        table_of("a,b,t\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n", **options).describe()

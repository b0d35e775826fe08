"""Columns that a model takes, and rows of requests."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from requirements import require_package

import mlpkit
from mlpkit.errors import DataError
from mlpkit.jobs.load_model import load_run

require_package("starlette")
from mlpkit.verbs.serve.openapi import row_example, row_schema
from mlpkit.verbs.serve.refusals import Refusal, answer_to
from mlpkit.verbs.serve.rows import Column, Rows, columns_taken, json_of, json_path, rows_of_json, together

NUMBER = {"type": "number", "minimum": -1e15, "maximum": 1e15}
AGE = Column("age", is_number=True, optional=False, categories=())
HEIGHT = Column("body height", is_number=True, optional=True, categories=())
COLOUR = Column("colour", is_number=False, optional=False, categories=("red", "3", "TRUE", 3, True))
NOTE = Column("note", is_number=False, optional=True, categories=())
COLUMNS = (AGE, HEIGHT, COLOUR, NOTE)
ROW = {"age": 4, "body height": None, "colour": "red", "note": "n"}


def test_columns_are_found_by_trying_values(runs):
    purposes = ("car", "kitchen", "travel, gifts")
    assert columns_taken(load_run(runs / "shapes_npz")) is None
    assert columns_taken(load_run(runs / "loans")) == (
        *(Column(name, is_number=True, optional=False, categories=()) for name in ("amount", "income", "years_in_job")),
        Column("purpose", is_number=False, optional=False, categories=purposes),
    )
    flowers = columns_taken(load_run(runs / "flowers"))
    assert [(each.name, each.is_number, each.optional) for each in flowers] == [
        ("petal_length", True, True),
        ("petal_width", True, True),
        ("stem_height", True, True),
        ("soil", False, True),
    ]


@pytest.mark.parametrize("unknown", ["error", "zeros"])
def test_a_column_of_categories_takes_the_numbers_and_truth_values_that_they_are_in_json(tmp_path, unknown):
    kinds = ("3", "TRUE", "-4", "03", "-", "red", "1.5")
    lines = [f"{kinds[i % 7]},{i / 4},2024-01-{1 + i % 28:02},{'uv'[i % 2]},{i % 3 > 1}" for i in range(70)]
    (tmp_path / "t.csv").write_text("\n".join(["kind,size,day,free,y", *lines]))
    ordinal = {"free": ["u", "v"]}
    columns = {"target": "y", "categorical": ["kind"], "dates": ["day"], "ordinal": ordinal, "unknown": unknown}
    training = {"optimizer": "sgd", "batch_size": 8, "iterations": 1}
    layers = [{"Affine": {"units": 1}}, "SigmoidWithLoss"]
    spec = {"mlpkit": 1, "data": {"csv": {"file": str(tmp_path / "t.csv"), "validation": 0, "test": 0, **columns}}}
    mlpkit.run(mlpkit.load_spec(spec | {"layers": layers, "training": training}), tmp_path / "run", quiet=True)
    found = columns_taken(load_run(tmp_path / "run"))
    taken = (*sorted(kinds), -4, 3, True) if unknown == "error" else ()
    assert found == (
        Column("kind", is_number=False, optional=False, categories=taken),
        Column("size", is_number=True, optional=False, categories=()),
        Column("day", is_number=False, optional=False, categories=()),
        Column("free", is_number=False, optional=False, categories=()),
    )
    row, values = {"size": 1.5, "day": "2024-02-03", "free": "u"}, [3, "red", True][: 3 if taken else 2]
    assert rows_of_json([row | {"kind": value} for value in values], found).content["kind"] == values


@pytest.mark.parametrize(
    ("column", "expected", "schema", "in_tensor", "example"),
    [
        (AGE, "a number, or true or false", [NUMBER, {"type": "boolean"}], NUMBER, 1),
        (
            HEIGHT,
            "a number, or true or false, or null for a missing value",
            *([NUMBER, {"type": "boolean"}, {"type": "null"}], NUMBER, 1),
        ),
        (COLOUR, "a text", [{"enum": ["red", "3", "TRUE", 3, True]}], {"enum": ["red", "3", "TRUE"]}, "red"),
        (
            NOTE,
            "a text, or null for a missing value",
            [{"type": "string", "pattern": r"\S"}, NUMBER, {"type": "null"}],
            *({"type": "string", "pattern": r"\S"}, "text"),
        ),
    ],
)
def test_a_column_is_described(column, expected, schema, in_tensor, example):
    assert (column.expected, column.schema["anyOf"], column.schema_in_tensor) == (expected, schema, in_tensor)
    assert column.example == example


def test_rows_are_described():
    model = SimpleNamespace(network=SimpleNamespace(input_shape=(2, 3)))
    array = SimpleNamespace(columns=None, model=model)
    inner = {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3}
    assert row_schema(array) == {"type": "array", "items": inner, "minItems": 2, "maxItems": 2}
    assert row_example(array) == [[0, 0, 0], [0, 0, 0]]
    table = SimpleNamespace(columns=COLUMNS)
    assert row_schema(table)["required"] == ["age", "body height", "colour", "note"]
    assert row_example(table) == {"age": 1, "body height": 1, "colour": "red", "note": "text"}


def test_columns_are_taken_out_of_rows_in_their_order():
    rows = rows_of_json([ROW | {"more": 1}, {"note": 7.5, "colour": 3, "body height": True, "age": -1e15}], COLUMNS)
    assert rows_of_json([ROW | {"age": 10**15}], COLUMNS).content["age"] == [10**15]
    assert [*rows.content.items()] == [
        ("age", [4, -1e15]),
        ("body height", [None, True]),
        ("colour", ["red", 3]),
        ("note", ["n", 7.5]),
    ]
    assert [rows.path(1, None), rows.path(0, "age"), json_path(2, 'a"b')] == ["$[1]", "$[0].age", '$[2]["a\\"b"]']
    assert rows_of_json([[1, 2], [3.5, 4]], None).content.tolist() == [[1, 2], [3.5, 4]]


NAMES = "age, body height, colour, note"
HAS = "row 1, counted from 0, has"


@pytest.mark.parametrize(
    ("row", "path", "text"),
    [
        ({"age": None}, ".age", f"{HAS} null in the column 'age'; expected a number, or true or false"),
        (
            {"age": 1.1e15},
            ".age",
            f"{HAS} 1100000000000000.0 in the column 'age'; expected a number from -1e+15 to 1e+15",
        ),
        (
            {"age": -1.1e15},
            ".age",
            f"{HAS} -1100000000000000.0 in the column 'age'; expected a number from -1e+15 to 1e+15",
        ),
        (
            {"body height": "tall"},
            '["body height"]',
            f"{HAS} \"tall\" in the column 'body height'; expected {HEIGHT.expected}",
        ),
        ({"colour": "rde"}, ".colour", f"{HAS} \"rde\" in the column 'colour'; did you mean 'red'?"),
        ({"colour": "xyz"}, ".colour", f"{HAS} \"xyz\" in the column 'colour'; expected one of red, 3, TRUE"),
        ({"colour": 4}, ".colour", f"{HAS} 4 in the column 'colour'; expected one of red, 3, TRUE"),
        ({"colour": 0}, ".colour", f"{HAS} 0 in the column 'colour'; expected one of red, 3, TRUE"),
        ({"colour": False}, ".colour", f"{HAS} false in the column 'colour'; expected one of red, 3, TRUE"),
        ({"note": " "}, ".note", f"{HAS} \" \" in the column 'note'; expected {NOTE.expected}"),
        ({"note": True}, ".note", f"{HAS} true in the column 'note'; expected {NOTE.expected}"),
        ({"note": ["x" * 200]}, ".note", f"{HAS} [\"{'x' * 98} in the column 'note'; expected {NOTE.expected}"),
    ],
)
def test_an_error_about_a_value_has_its_place(row, path, text):
    with pytest.raises(Refusal) as caught:
        rows_of_json([ROW, ROW | row], COLUMNS)
    assert (caught.value.status, caught.value.problem.path, str(caught.value)) == (422, f"$[1]{path}", text)


def without(name, **more):
    return {key: value for key, value in ROW.items() if key != name} | more


@pytest.mark.parametrize(
    ("document", "columns", "path", "text"),
    [
        ({}, COLUMNS, "$", "the body is not a list of rows; give one row as a list that holds it: [{...}]"),
        (3, None, "$", "the body is not a list of rows"),
        ([], None, "$", "the body is not a list of rows"),
        ([ROW, 3], COLUMNS, "$[1]", f"a row is not an object; expected an object with {NAMES}"),
        (
            [ROW, without("age", aeg=1)],
            COLUMNS,
            "$[1]",
            "row 1, counted from 0, has no column 'age'; did you mean 'aeg'?",
        ),
        ([ROW, without("age")], COLUMNS, "$[1]", "row 1, counted from 0, has no column 'age'"),
        (
            [without("body height"), ROW],
            *(COLUMNS, "$[0]", "row 0, counted from 0, has no column 'body height'; write null for a missing value"),
        ),
        ([[1, 2], [3]], None, "$", "the rows are not an array of numbers"),
        ([[]], None, "$", "the rows are not an array of numbers"),
        ([["a"]], None, "$", "the rows are not an array of numbers"),
        ([[True]], None, "$", "the rows are not an array of numbers"),
        ([[1e15, -2e15]], None, "$", "a number is too large; expected numbers from -1e+15 to 1e+15"),
    ],
)
def test_an_error_about_rows_has_their_place(document, columns, path, text):
    with pytest.raises(Refusal) as caught:
        rows_of_json(document, columns)
    problem = caught.value.problem
    assert (caught.value.status, problem.path, problem.line, problem.column) == (422, path, 0, 0)
    assert str(caught.value) == text


EXPECTED = "a list of objects, such as [{...}], with Content-Type application/json; or CSV, with text/csv"


@pytest.mark.parametrize(
    ("body", "place", "text"),
    [
        (b"[1,\n 2", (2, 3), "the body is not JSON: Expecting ',' delimiter"),
        (b"[Infinity]", (0, 0), "the body is not JSON: Infinity is not a JSON number; write null for a missing value"),
        (
            *(b"\xff", (0, 0)),
            "the body is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b"[" * 100_000, (0, 0), "the body is not JSON that can be read: it is nested too deeply"),
    ],
    ids=["delimiter", "constant", "encoding", "nested"],
)
def test_an_error_in_json_has_its_place(body, place, text):
    with pytest.raises(Refusal) as caught:
        json_of(body)
    problem = caught.value.problem
    assert (problem.line, problem.column, str(caught.value)) == (*place, f"{text}; expected {EXPECTED}")
    assert json_of(b"\xef\xbb\xbf[1]") == [1]


def test_only_single_rows_of_the_same_types_are_put_together():
    one, other = Rows({"a": [1], "b": ["x"]}), Rows({"a": [2], "b": ["y"]})
    assert one.signature == other.signature
    assert together([one, other]).content == {"a": [1, 2], "b": ["x", "y"]}
    assert (
        len({one.signature, Rows({"a": [1.5], "b": ["x"]}).signature, Rows({"a": [None], "b": ["x"]}).signature}) == 3
    )
    assert [Rows(each).signature for each in (b"a\n1\n", np.ones((2, 3)), {"a": [1, 2]})] == [None] * 3
    image, small = Rows(np.ones((1, 3))), Rows(np.ones((1, 3), np.float32))
    assert image.signature is not None
    assert image.signature not in (small.signature, Rows(np.ones((1, 2))).signature)
    assert together([image, Rows(np.zeros((1, 3)))]).content.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert together([one]) is one


def test_a_file_lasts_as_long_as_it_is_read_and_errors_name_the_body():
    with Rows(b"a\n1\n").source() as file:
        assert file.read_bytes() == b"a\n1\n"
    assert not file.parent.exists()
    with pytest.raises(DataError, match="the body"), Rows(b"x").source() as file:
        raise DataError(file, "it is wrong")


@pytest.mark.parametrize(
    ("rows", "row", "column", "found"),
    [
        (Rows(b""), 3, "age", ("the body", 3, "age")),
        (Rows(b""), 3, None, ("the body", 3, None)),
        (Rows({}, json_path), 3, "age", ("rows", None, "$[3].age")),
        (Rows({}, json_path), None, "age", ("rows", None, None)),
    ],
)
def test_an_error_about_rows_has_its_place_in_the_body(rows, row, column, found):
    answer = answer_to(DataError("rows", "it is wrong", row=row, column=column), rows.placed)
    (problem,) = json.loads(answer.body)["problems"]
    assert (answer.status_code, problem["file"], problem["line"], problem["path"]) == (422, *found)


@pytest.mark.parametrize(
    ("error", "status"), [(DataError("rows", "x"), 422), (MemoryError, 503), (ZeroDivisionError, 500)]
)
def test_an_error_has_a_status(error, status):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - it is the one given
        raise error
    assert answer_to(caught.value, lambda problem, _: problem).status_code == status

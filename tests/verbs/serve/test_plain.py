"""``POST /predict``: the same labels and bits as ``mlpkit predict``."""

from __future__ import annotations

import csv
import gzip
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from requirements import require_package
from served import CSV, serving

import mlpkit
from mlpkit.registry.registry import Registry
from mlpkit.specfile.shipped_specs import shipped_specs

require_package("starlette")
from starlette.requests import Request

from mlpkit.verbs.serve import plain
from mlpkit.verbs.serve.models import Version
from mlpkit.verbs.serve.refusals import Refusal
from mlpkit.verbs.serve.rows import Rows

EXAMPLES = "example_files"
LOAN = {"amount": 4.3, "income": 10.5, "years_in_job": 13, "purpose": "car"}
OTHER = (9, 2.5, 1, "kitchen")


def rows_of(name, count):
    from importlib.resources import files

    text = (files("mlpkit_plugins.datasets") / EXAMPLES / f"{name}.csv").read_text("utf-8")
    return [dict(row) for row in csv.DictReader(io.StringIO(text))][:count]


def typed(row, texts):
    return {name: value if name in texts else float(value) if value else None for name, value in row.items()}


def by_command(invoke, run, file, *options):
    done = invoke("predict", run, file, "--json", *options)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("loans", {"purpose", "paid_back"}),
        ("weather", set()),
        ("houses", {"district"}),
        ("flowers", {"soil", "species"}),
    ],
)
def test_rows_get_the_labels_and_bits_of_predict(name, texts, server, invoke, runs, tmp_path):
    rows = rows_of(name, 30)
    texts = texts | {column for column in rows[0] if column.startswith("storm")}
    file = tmp_path / "rows.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    expected = by_command(invoke, runs / name, file)
    objects = [typed(row, texts) for row in rows]
    path = f"/models/{name}/predict"
    assert server.post(path, objects).json["predictions"] == expected
    assert server.post(path, file.read_bytes(), CSV).json["predictions"] == expected
    one_by_one = [server.post(path, [row]).json["predictions"][0] for row in objects]
    assert [{**each, "row": row} for row, each in enumerate(one_by_one)] == expected


def test_arrays_get_the_classes_and_bits_of_predict(server, invoke, runs, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
    np.save(tmp_path / "x.npy", images)
    expected = by_command(invoke, runs / "shapes_npz", tmp_path / "x.npy")
    assert server.post("/models/shapes_npz/predict", images.tolist()).json["predictions"] == expected


def test_an_answer_explains_as_predict_does(server, invoke, runs, tmp_path):
    (tmp_path / "one.csv").write_text("amount,income,years_in_job,purpose\n4.3,10.5,13,car\n9,2.5,1,kitchen\n")
    expected = by_command(invoke, runs / "loans", tmp_path / "one.csv", "--explain")
    path = "/models/loans/predict?explain=true"
    rows = [LOAN, {"amount": 9, "income": 2.5, "years_in_job": 1, "purpose": "kitchen"}]
    assert server.post(path, rows).json["predictions"] == expected
    assert server.post(path, (tmp_path / "one.csv").read_bytes(), CSV).json["predictions"] == expected


def test_unusual_rows_are_warned_of(server):
    found = server.post("/models/loans/predict", [LOAN | {"amount": 1e6}]).json
    assert "above" in found["warnings"][0]
    assert server.post("/models/loans/predict", [LOAN]).json["warnings"] == []


def test_a_missing_value_is_null_where_training_had_some(server):
    (row,) = rows_of("flowers", 1)
    row = typed(row, {"soil", "species"}) | {"stem_height": None}
    assert server.post("/models/flowers/predict", [row]).json["predictions"][0]["class"]


WRONG = {
    "[{": (400, "unreadable-file", None, ""),
    "": (400, "unreadable-file", None, ""),
    "[1": (400, "unreadable-file", None, ""),
    "[NaN]": (400, "unreadable-file", None, "null for a missing value"),
    "[" * 100_000: (400, "unreadable-file", None, "nested"),
    "{}": (422, "wrong-type", "$", "[{...}]"),
    "[]": (422, "wrong-type", "$", ""),
    "[3]": (422, "wrong-type", "$[0]", "amount, income"),
    json.dumps([LOAN, {"amuont": 4.3, "income": 10.5, "years_in_job": 13, "purpose": "car"}]): (
        *(422, "missing-key", "$[1]"),
        "did you mean 'amuont'?",
    ),
    json.dumps([LOAN, LOAN | {"purpose": "kitchn"}]): (422, "wrong-value", "$[1].purpose", "did you mean 'kitchen'?"),
    json.dumps([LOAN | {"purpose": "xyz"}]): (422, "wrong-value", "$[0].purpose", "car, kitchen"),
    json.dumps([LOAN | {"purpose": ["car"]}]): (422, "wrong-type", "$[0].purpose", "a text"),
    json.dumps([LOAN | {"amount": "4.3"}]): (422, "wrong-type", "$[0].amount", "a number"),
    json.dumps([LOAN | {"amount": None}]): (422, "wrong-type", "$[0].amount", "a number"),
    json.dumps([LOAN | {"amount": 10**30}]): (422, "out-of-range", "$[0].amount", "1e+15"),
}


@pytest.mark.parametrize("body", WRONG, ids=lambda body: body[:40])
def test_what_is_wrong_is_told_with_its_place(body, server):
    status, code, path, text = WRONG[body]
    found, problem = server.problem("/models/loans/predict", body.encode())
    assert (found, problem["code"], problem["path"]) == (status, code, path)
    assert text in " ".join(filter(None, [problem["message"], problem["expected"], problem["help"]]))


def test_wrong_csv_is_told_with_its_row_and_column(server):
    body = b"amount,income,years_in_job,purpose\n4.3,10.5,13,car\n4.3,much,13,car\n"
    status, problem = server.problem("/models/loans/predict", body, CSV)
    assert (status, problem["file"], problem["line"], problem["path"]) == (422, "the body", 3, "income")
    assert server.problem("/models/loans/predict", b" ", CSV)[0] == 400
    assert server.problem("/models/shapes_npz/predict", b"a,b\n1,2\n", CSV)[0] == 422


@pytest.mark.parametrize("query", ["explan=true", "explain=maybe", "explain=true&explain=true", "all_classes=true"])
def test_a_wrong_query_is_a_problem(query, server):
    status, problem = server.problem(f"/models/loans/predict?{query}", [LOAN])
    assert status == 422
    assert problem["path"] in ("explan", "explain", "all_classes")


def test_other_formats_are_refused(server):
    assert server.problem("/models/loans/predict", b"<rows/>", {"Content-Type": "text/xml"})[0] == 415
    zipped = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert server.problem("/models/loans/predict", b"xyz", zipped)[0] == 415
    bomb = gzip.compress(b"amount,income,years_in_job,purpose\n" + b"4.3,10.5,13,car\n" * 10**6)
    assert server.problem("/models/loans/predict", bomb, CSV)[0] == 415


def test_a_model_trained_on_parquet_reads_no_csv(tmp_path, environment):
    spec = mlpkit.load_spec(shipped_specs()["machines_parquet"], overrides={"training.iterations": 5})
    mlpkit.run(spec, directory=tmp_path / "run", quiet=True)
    with serving("run", cwd=tmp_path, env=environment) as server:
        status, problem = server.problem("/predict", b"site,hours\nx,1\n", CSV)
    assert (status, problem["message"]) == (422, "the model's data set reads no CSV")
    assert problem["expected"] == "application/json"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", False),
        ("explain=true", True),
        ("explain=1", True),
        ("explain=false", False),
        ("explain=0", False),
        ("explan=true", ("unknown-key", "explan", "there is no query parameter 'explan'; expected explain")),
        (
            "explain=maybe",
            ("wrong-value", "explain", "the query parameter explain is 'maybe'; expected true or false, once"),
        ),
        (
            "explain=true&explain=0",
            ("wrong-value", "explain", "the query parameter explain is 'true, 0'; expected true or false, once"),
        ),
    ],
)
def test_a_query_asks_for_explanations_once(query, found):
    request = Request({"type": "http", "query_string": query.encode()})
    if isinstance(found, bool):
        assert plain.explains(request) is found
        return
    with pytest.raises(Refusal) as caught:
        plain.explains(request)
    problem = caught.value.problem
    assert (caught.value.status, problem.code, problem.path, str(caught.value)) == (422, *found)


@pytest.mark.parametrize(
    ("columns", "dataset", "kind", "body", "found"),
    [
        ((), {"endings": (".csv", ".tsv")}, "Text/CSV; header=present", b"a\n1\n", b"a\n1\n"),
        ((), {}, "text/csv", b"a\n1\n", b"a\n1\n"),
        ((), {"endings": (".parquet",)}, "text/csv", b"a\n1\n", 422),
        (None, {"endings": (".csv",)}, "text/csv", b"a\n1\n", 422),
        ((), {}, "text/csv", b" \n", 400),
        (None, {}, "application/JSON; charset=utf-8", b"[[1.5, 2]]", [[1.5, 2.0]]),
        (None, {}, "application/json", b"[[NaN]]", 400),
        (None, {}, "text/json", b"[[1.5, 2]]", 415),
        (None, {}, "", b"[[1.5, 2]]", 415),
    ],
)
def test_a_body_is_read_by_its_content_type(columns, dataset, kind, body, found):
    loaded = SimpleNamespace(columns=columns, model=SimpleNamespace(dataset=SimpleNamespace(**dataset)))
    if not isinstance(found, int):
        content = plain.rows_of(body, kind, loaded).content
        assert (content if isinstance(content, bytes) else content.tolist()) == found
        return
    with pytest.raises(Refusal) as caught:
        plain.rows_of(body, kind, loaded)
    assert caught.value.status == found


def test_rows_are_explained_one_by_one(runs):
    loaded = Version("loans", "1", runs / "loans", Registry.discover()).loaded
    body = b"amount,income,years_in_job,purpose\n4.3,10.5,13,car\n9,2.5,1,kitchen\n"
    columns = {name: [*values] for name, *values in zip(LOAN, LOAN.values(), OTHER, strict=True)}
    for rows in (Rows(body), Rows(columns)):
        parts = plain._single_rows(loaded, rows)
        assert [[*part["purpose"]] for part in parts] == [["car"], ["kitchen"]]
        assert [[float(value) for value in part["amount"]] for part in parts] == [[4.3], [9.0]]
    images = np.arange(3 * 64).reshape(3, 8, 8)
    parts = plain._single_rows(loaded, Rows(images))
    assert [part.tolist() for part in parts] == [[image.tolist()] for image in images]

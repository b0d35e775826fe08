"""``mlpkit predict`` reads standard input, and writes files; ``mlpkit evaluate --data`` takes other data."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from requirements import Optional, require_package

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")

HEADER = ["a", "colour", "note", "kind", "rain", "fog", "price"]
ROWS = [
    [str(n % 17), ("red", "blue")[n % 2], f"row, {n}", "xyz"[n % 3], str(n % 2), str(n // 30), f"{n}.5"]
    for n in range(60)
]


def text_of(rows, header=HEADER):
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


@pytest.fixture
def train(invoke, cwd):
    """Return a function that trains on a table, and returns the run folder."""
    (cwd / "table.csv").write_text(text_of(ROWS))
    (cwd / "new.csv").write_text(text_of(ROWS[:3]))

    def train_on(target="kind", predict="classes", units=3, loss="SoftmaxWithLoss", file="csv: {file: table.csv"):
        options = f"inputs: [a, colour], categorical: [colour], target: {target}, predict: {predict}"
        sets = (f"data={{{file}, {options}}}}}", f"layers=[Affine: {{units: {units}}}, {loss}]")
        metrics = "training.metrics=[accuracy]" if predict == "classes" else "training.metrics=[]"
        arguments = [part for key in (*sets, metrics, "training.batch_size=10") for part in ("--set", key)]
        done = invoke("run", "tiny.yaml", "--quiet", "--out", "trained", *arguments)
        assert done.code == 0, done.err
        return "trained"

    return train_on


def test_a_file_is_read_from_standard_input_as_from_its_name(train, invoke, cwd):
    run = train()
    named = invoke("predict", run, "new.csv")
    piped = invoke("predict", run, "-", input=(cwd / "new.csv").read_bytes())
    assert (piped.code, piped.err, piped.out) == (0, "", named.out)


def test_arrays_are_known_by_their_first_bytes(invoke, cwd):
    assert invoke("run", "tiny.yaml", "--quiet").code == 0
    x = np.zeros((2, 16), np.uint8)
    np.save(cwd / "x.npy", x)
    np.savez(cwd / "x.npz", x)
    for name in ("x.npy", "x.npz"):
        piped = invoke("predict", "runs/tiny", "-", input=(cwd / name).read_bytes())
        assert (piped.code, piped.out) == (0, invoke("predict", "runs/tiny", name).out)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "error: standard input, row 1: the file is empty; expected a header, and a row for each example\n"),
        (b"a\n1\n", "error: standard input, row 1, column 'colour': the file has no such column; it has a\n"),
        (
            b"a,colour\n1,red\nx,red\n",
            "error: standard input, row 3, column 'a': 'x' is not a finite number; put a number there, or leave out "
            "the row\n",
        ),
    ],
)
def test_what_is_wrong_in_standard_input_is_said_of_standard_input(train, invoke, content, message):
    done = invoke("predict", train(), "-", input=content)
    assert (done.code, done.out, done.err) == (1, "", message)


def read(path):
    """Return a file of predictions as a list of dicts of texts and numbers."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_format_holds_the_same_predictions(train, invoke, cwd):
    require_package("pyarrow")
    run = train()
    documents = [json.loads(line) for line in invoke("predict", run, "new.csv", "--json").out.splitlines()]
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        done = invoke("predict", run, "new.csv", "--out", name)
        assert (done.code, done.err, done.out) == (0, "", f"3 predictions in {name}\n")
        for row, document in zip(read(cwd / name), documents, strict=True):
            names = ["predicted", "probability", "probability_x", "probability_y", "probability_z"]
            assert list(row) == names
            assert row["predicted"] == document["class"]
            assert float(row["probability"]) == pytest.approx(document["probability"], rel=1e-6)
            found = [float(row[name]) for name in names[2:]]
            assert found == pytest.approx(document["probabilities"], rel=1e-6)
    assert json.loads(invoke("predict", run, "new.csv", "--out", "out.csv", "--json").out) == {
        "rows": 3,
        "out": "out.csv",
    }


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_inputs_are_kept_as_they_stand_in_the_file(train, invoke, cwd, name):
    if name == "out.parquet":
        require_package("pyarrow")
    run = train()
    assert invoke("predict", run, "new.csv", "--keep-inputs", "--out", name).code == 0
    found = read(cwd / name)
    assert [[row[column] for column in HEADER] for row in found] == ROWS[:3]
    assert list(found[0])[: len(HEADER) + 1] == [*HEADER, "predicted"]
    piped = invoke("predict", run, "-", "--keep-inputs", "--out", f"piped-{name}", input=(cwd / "new.csv").read_bytes())
    assert piped.code == 0
    assert read(cwd / f"piped-{name}") == found


def test_values_of_a_parquet_file_keep_their_types(train, invoke, cwd):
    columns = {name: [row[index] for row in ROWS] for index, name in enumerate(HEADER)}
    columns |= {"a": list(map(int, columns["a"])), "price": list(map(float, columns["price"]))}
    columns["note"] = [None, *columns["note"][1:]]
    pq.write_table(pa.table(columns), cwd / "table.parquet")
    run = train(file="parquet: {file: table.parquet")
    assert invoke("predict", run, "table.parquet", "--keep-inputs", "--out", "out.parquet").code == 0
    found = pq.read_table(cwd / "out.parquet")
    assert found.select(HEADER).to_pydict() == columns
    assert found.schema.field("a").type == pa.int64()
    assert invoke("predict", run, "table.parquet", "--keep-inputs", "--out", "out.jsonl").code == 0
    assert read(cwd / "out.jsonl")[0]["note"] is None
    assert invoke("predict", run, "table.parquet", "--keep-inputs", "--out", "out.csv").code == 0
    assert read(cwd / "out.csv")[0]["note"] == ""


@pytest.mark.parametrize(
    ("target", "predict", "loss", "expected"),
    [
        (
            "[rain, fog]",
            "labels",
            "SigmoidWithLoss",
            ["predicted_rain", "predicted_fog", "probability_rain", "probability_fog"],
        ),
        ("[price, rain]", "values", "MeanSquaredError", ["predicted_price", "predicted_rain"]),
    ],
)
def test_labels_and_values_go_by_the_names_of_their_targets(train, invoke, cwd, target, predict, loss, expected):
    assert invoke("predict", train(target, predict, 2, loss), "new.csv", "--out", "out.csv").code == 0
    rows = read(cwd / "out.csv")
    assert list(rows[0]) == expected
    if predict == "labels":
        assert all(row["predicted_fog"] == str(int(float(row["probability_fog"]) >= 0.5)) for row in rows)


def test_a_prediction_without_a_name_and_images_with_theirs(invoke, cwd):
    np.save(cwd / "x.npy", np.arange(40.0).reshape(20, 2))
    np.save(cwd / "t.npy", np.arange(20.0))
    data = "data={npy: {inputs: x.npy, targets: t.npy, predict: values, standardize: true}}"
    sets = (data, "layers=[Affine: {units: 1}, MeanSquaredError]", "training.batch_size=10", "training.metrics=[]")
    assert invoke("run", "tiny.yaml", "--quiet", *(part for key in sets for part in ("--set", key))).code == 0
    assert invoke("predict", "runs/tiny", "x.npy", "--out", "out.csv").code == 0
    assert list(read(cwd / "out.csv")[0]) == ["predicted"]
    done = invoke("predict", "runs/tiny", "x.npy", "--keep-inputs", "--out", "out.csv")
    assert (done.code, done.err) == (2, "error: npy has no columns to keep; leave out --keep-inputs\n")


def test_what_can_not_be_written_is_refused_before_anything_is_predicted(train, invoke, cwd):
    run = train()
    for arguments, message in (
        (
            ("new.csv", "--out", "out.txt"),
            "predictions can't be written to 'out.txt'; expected a name that ends in .csv, ",
        ),
        (("new.csv", "--out", "new.csv"), "the predictions would replace their inputs, 'new.csv'; choose another name"),
        (("new.csv", "--keep-inputs"), "--keep-inputs goes with --out"),
    ):
        done = invoke("predict", run, *arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"error: {message}")
    (cwd / "again.csv").write_text("a,colour,predicted\n1,red,x\n")
    done = invoke("predict", run, "again.csv", "--keep-inputs", "--out", "out.csv")
    assert (done.code, done.err[:55]) == (2, "error: the inputs already have a column 'predicted', wh")
    assert not (cwd / "out.csv").exists()
    done = invoke("predict", run, "new.csv", "--out", "nowhere/out.csv")
    assert (done.code, done.err[:35]) == (1, "error: nowhere/out.csv: can't be wr")


def test_a_file_is_written_whole_also_with_many_rows(train, invoke, cwd):
    run = train()
    (cwd / "many.csv").write_text(text_of([ROWS[n % 60] for n in range(2500)]))
    assert invoke("predict", run, "many.csv", "--keep-inputs", "--out", "out.csv").code == 0
    rows = read(cwd / "out.csv")
    assert [row["note"] for row in rows] == [ROWS[n % 60][2] for n in range(2500)]
    assert all(row["predicted"] == rows[n % 60]["predicted"] for n, row in enumerate(rows))


def test_other_data_is_evaluated_as_the_runs_own(train, invoke, cwd):
    run = train()
    (cwd / "test.csv").write_text(text_of(ROWS[30:]))
    found = json.loads(invoke("evaluate", run, "--data", "test.csv", "--json").out)
    assert list(found) == ["data"]
    predicted = [json.loads(line)["class"] for line in invoke("predict", run, "test.csv", "--json").out.splitlines()]
    right = [name == row[3] for name, row in zip(predicted, ROWS[30:], strict=True)]
    assert found["data"]["accuracy"] == pytest.approx(sum(right) / 30)
    lines = invoke("evaluate", run, "--data", "-", input=(cwd / "test.csv").read_bytes()).out.splitlines()
    assert [line.split()[0] for line in lines] == ["split", "data"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("--data", "test.csv", "--split", "test"),
            2,
            "--split names parts of the run's own data; leave it out, or --data",
        ),
        (("--data", "tset.csv"), 2, "there is no file 'tset.csv'; did you mean 'test.csv'?"),
        (
            ("--data", "inputs.csv"),
            1,
            "inputs.csv, row 1, column 'kind': the file has no such column; it has a, colour",
        ),
        (("--data", "test.csv"), 1, "test.csv, row 2, column 'kind': the class 'w' occurs in no training row"),
    ],
)
def test_data_that_can_not_be_evaluated_is_named(train, invoke, cwd, arguments, code, message):
    run = train()
    (cwd / "test.csv").write_text("a,colour,kind\n1,red,w\n")
    (cwd / "inputs.csv").write_text("a,colour\n1,red\n")
    done = invoke("evaluate", run, *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"error: {message}")

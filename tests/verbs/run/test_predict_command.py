"""``mlpkit predict``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from mlpkit.groups.prediction_file import documents
from mlpkit.jobs.explanations import Explanation
from mlpkit.jobs.predict import Predictions
from mlpkit.verbs.run.predict_command import _explained_lines, _lines


@pytest.fixture
def run(invoke):
    assert invoke("run", "tiny.yaml", "--quiet", "--set", "training.iterations=300").code == 0
    return "runs/tiny"


def test_a_line_a_row_names_class_and_probability(run, digits, invoke):
    done = invoke("predict", run, digits / "t10k-images-idx3-ubyte")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["row", "class", "probability"]
    assert [int(line[0]) for line in lines[1:]] == list(range(60))
    assert all(0.1 <= float(line[2]) <= 1 for line in lines[1:])
    labels = list((digits / "t10k-labels-idx1-ubyte").read_bytes()[8:])
    right = sum(int(line[1]) == label for line, label in zip(lines[1:], labels, strict=True))
    accuracy = json.loads(invoke("evaluate", run, "--split", "test", "--json").out)["test"]["accuracy"]
    assert right / 60 == pytest.approx(accuracy)


def test_json_is_a_line_a_row_with_all_probabilities(run, cwd, invoke):
    np.save(cwd / "x.npy", np.zeros((2, 16), np.uint8))
    done = invoke("predict", run, "x.npy", "--json")
    documents = [json.loads(line) for line in done.out.splitlines()]
    assert [document["row"] for document in documents] == [0, 1]
    for document in documents:
        assert sum(document["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert document["probability"] == max(document["probabilities"])
        assert document["class"] == str(int(np.argmax(document["probabilities"])))
        assert document["classes"] == [str(digit) for digit in range(10)]


def test_a_file_that_does_not_fit_is_an_error(run, cwd, invoke):
    np.save(cwd / "x.npy", np.zeros((2, 3), np.uint8))
    for file in ("x.npy", "acme.py"):
        done = invoke("predict", run, file)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"error: {file}: ")
    done = invoke("predict", run, "tiny.yml")
    assert (done.code, done.out, done.err) == (2, "", "error: there is no file 'tiny.yml'; did you mean 'tiny.yaml'?\n")


def test_values_are_written_if_no_classes_are_predicted():
    predictions = Predictions(np.array([[1.5, -2.0], [0.25, 1e-9]]), None, None)
    assert _lines(predictions) == ["row  values", "  0  1.5 -2", "  1  0.25 1e-09"]
    assert next(documents(predictions)) == {"row": 0, "values": [1.5, -2.0]}


def test_classes_go_by_their_names():
    predictions = Predictions(np.array([[0.25, 0.75]]), np.array([1]), ("cat", "dog"))
    assert _lines(predictions) == ["row  class  probability", "  0  dog         0.7500"]
    assert next(documents(predictions))["class"] == "dog"
    assert next(documents(predictions)) == {
        "row": 0,
        "class": "dog",
        "probability": 0.75,
        "classes": ("cat", "dog"),
        "probabilities": [0.25, 0.75],
    }


TABLE = "\n".join(
    ["a,b,kind,rain,wind,price,size", *(f"{n},{n % 7},{'xyz'[n % 3]},{n % 2},{n // 30},{n},{-n}" for n in range(60))]
)


@pytest.fixture
def train_table(invoke, cwd):
    """Return a function that trains on some targets of a table, and returns the run folder."""
    (cwd / "table.csv").write_text(TABLE)
    (cwd / "new.csv").write_text("b,a\n1,2\n3,4\n")

    def train(loss, target, predict, units):
        data = f"data={{csv: {{file: table.csv, inputs: [a, b], target: {target}, predict: {predict}}}}}"
        layers = f"layers=[Affine: {{units: {units}}}, {loss}]"
        options = ("--set", data, "--set", layers, "--set", "training.batch_size=10", "--set", "training.metrics=[]")
        assert invoke("run", "tiny.yaml", "--quiet", "--out", "trained", *options).code == 0
        return "trained"

    return train


@pytest.mark.parametrize(
    ("loss", "predict", "names"),
    [("SigmoidWithLoss", "labels", ["rain", "wind"]), ("MeanSquaredError", "values", ["price", "size"])],
)
def test_labels_and_values_stand_below_the_names_of_their_targets(train_table, invoke, loss, predict, names):
    run = train_table(loss, f"[{', '.join(names)}]", predict, 2)
    lines = [line.split() for line in invoke("predict", run, "new.csv").out.splitlines()]
    documents = [json.loads(line) for line in invoke("predict", run, "new.csv", "--json").out.splitlines()]
    assert lines[0] == ["row", *names]
    for row, (line, found) in enumerate(zip(lines[1:], documents, strict=True)):
        assert (line[0], found["row"], list(found["values"])) == (str(row), row, names)
        assert [float(cell) for cell in line[1:]] == pytest.approx(list(found["values"].values()), rel=1e-5)


def test_probabilities_come_with_the_classes_in_their_order(train_table, invoke):
    run = train_table("SoftmaxWithLoss", "kind", "classes", 3)
    for line in invoke("predict", run, "new.csv", "--json").out.splitlines():
        found = json.loads(line)
        assert found["classes"] == ["x", "y", "z"]
        assert dict(zip(found["classes"], found["probabilities"], strict=True))[found["class"]] == found["probability"]


def test_labels_of_arrays_go_by_their_numbers_and_values_stay_lists(invoke, cwd):
    np.save(cwd / "x.npy", np.arange(40.0).reshape(20, 2))
    np.save(cwd / "t.npy", np.arange(40).reshape(20, 2) % 2)
    for predict, loss, expected in (("labels", "SigmoidWithLoss", dict), ("values", "MeanSquaredError", list)):
        data = f"data={{npy: {{inputs: x.npy, targets: t.npy, predict: {predict}, standardize: true}}}}"
        layers = f"layers=[Affine: {{units: 2}}, {loss}]"
        options = ("--set", data, "--set", layers, "--set", "training.batch_size=10", "--set", "training.metrics=[]")
        assert invoke("run", "tiny.yaml", "--quiet", "--out", predict, *options).code == 0
        found = json.loads(invoke("predict", predict, "x.npy", "--json").out.splitlines()[0])
        assert (type(found["values"]), len(found["values"])) == (expected, 2)
    assert invoke("predict", "labels", "x.npy").out.split()[:3] == ["row", "0", "1"]


def test_images_of_a_folder_have_their_names_beside_them(invoke, cwd):
    for number in range(40):
        file = cwd / "pets" / ("cat", "dog")[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 2), 6 * number, np.uint8)).save(file)
    options = ("--set", "data={image_folder: {folder: pets}}", "--set", "layers.Affine2.units=2")
    assert invoke("run", "tiny.yaml", "--quiet", *options, "--set", "training.batch_size=10").code == 0
    (cwd / "new/more").mkdir(parents=True)
    for name in ("b.png", "a.png", "more/\033[2J.png"):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(cwd / "new" / name)
    lines = invoke("predict", "runs/tiny", "new").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["row", "name"],
        ["0", "a.png"],
        ["1", "b.png"],
        ["2", r"more/\x1b[2J.png"],
    ]
    documents = [json.loads(line) for line in invoke("predict", "runs/tiny", "new", "--json").out.splitlines()]
    assert [(found["row"], found["name"]) for found in documents] == [
        (0, "a.png"),
        (1, "b.png"),
        (2, "more/\033[2J.png"),
    ]
    assert invoke("predict", "runs/tiny", "new/a.png").out.split()[:5] == ["row", "name", "class", "probability", "0"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_no_finite_numbers_are_refused_with_their_row(run, cwd, invoke, value):
    x = np.zeros((5, 16))
    x[3, 2] = value
    np.save(cwd / "x.npy", x)
    done = invoke("predict", run, "x.npy")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: x.npy: row 3, counted from 0, gives the network {value}; expected finite numbers\n"


def test_inputs_too_large_for_the_network_are_refused_with_their_row(run, cwd, invoke):
    x = np.zeros((5, 16))
    x[3:] = 3e38
    np.save(cwd / "x.npy", x)
    done = invoke("predict", run, "x.npy")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: x.npy: row 3, counted from 0, is so far from what the network was trained on")
    np.save(cwd / "x.npy", x * 10)
    assert invoke("predict", run, "x.npy").err.endswith("gives the network inf; expected finite numbers\n")


def test_predict_and_evaluate_say_once_what_was_never_trained_on(invoke, cwd):
    (cwd / "table.csv").write_text(TABLE)
    (cwd / "new.csv").write_text('kind,size,rain\nz,1,0\nx,2,1\ny2,3,1\n"xx",4,0\n')
    data = "data={csv: {file: table.csv, inputs: [kind, size], categorical: [kind], target: rain, unknown: zeros}}"
    layers = "layers=[Affine: {units: 2}, SoftmaxWithLoss]"
    options = ("--set", data, "--set", layers, "--set", "training.batch_size=10")
    assert invoke("run", "tiny.yaml", "--quiet", "--out", "trained", *options).code == 0
    expected = (
        "warning: new.csv, column 'kind': 2 of 4 values were never trained on, such as 'xx' (did you mean 'x'?); "
        "they count as zeros\n"
    )
    for verb in (["predict", "trained", "new.csv"], ["evaluate", "trained", "--data", "new.csv"]):
        done = invoke(*verb)
        assert (done.code, done.err) == (0, expected)
    assert invoke("predict", "trained", "table.csv").err == ""


@pytest.fixture
def loans(invoke, cwd):
    assert invoke("init", "loans", "--out", "loans.yaml").code == 0
    assert invoke("run", "loans.yaml", "--quiet", "--set", "training.iterations=50").code == 0
    (cwd / "new.csv").write_text("amount,income,years_in_job,purpose\n4.3,10.5,13,car\n19.7,35.9,0,kitchen\n")
    return "runs/loans"


def test_explanations_are_a_block_of_lines_for_each_row(loans, cwd, invoke):
    plain = invoke("predict", loans, "new.csv", "--json").out.splitlines()
    assert not (cwd / loans / "background.safetensors").exists()

    done = invoke("predict", loans, "new.csv", "--explain")

    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    document = json.loads(plain[0])
    assert lines[0].startswith(f"row 0: {document['class']} {document['probability']:.4f}, ")
    assert {line.split(" = ")[0] for line in lines[1:5]} == {"  amount", "  income", "  years_in_job", "  purpose"}
    mean = float(lines[0].split()[-3])
    assert mean + sum(float(line.split()[-1]) for line in lines[1:5]) == pytest.approx(
        document["probability"], abs=3e-4
    )
    assert all(len(line) <= 80 for line in lines)
    assert (cwd / loans / "background.safetensors").exists()


def test_explanations_as_documents_and_as_columns_add_up(loans, cwd, invoke):
    documents = [
        json.loads(line) for line in invoke("predict", loans, "new.csv", "--explain", "--json").out.splitlines()
    ]
    done = invoke("predict", loans, "new.csv", "--explain", "--all-classes", "--out", "out.jsonl", "--json")
    assert (done.code, json.loads(done.out)) == (0, {"rows": 2, "out": "out.jsonl"})
    rows = [json.loads(line) for line in (cwd / "out.jsonl").read_text().splitlines()]

    for document, row in zip(documents, rows, strict=True):
        [found] = document["explanations"]
        assert found["of"] == document["class"]
        assert found["mean"] + sum(found["adds"].values()) == pytest.approx(document["probability"])
        assert set(found["errors"]) == {"amount", "income", "years_in_job", "purpose"}
        for name in ("no", "yes"):
            adds = [value for key, value in row.items() if key.startswith(f"adds_{name}_")]
            assert len(adds) == 4
            assert row[f"mean_{name}"] + sum(adds) == pytest.approx(row[f"probability_{name}"], abs=1e-6)
            assert f"error_{name}_income" in row


def test_all_classes_goes_with_explain(loans, invoke):
    done = invoke("predict", loans, "new.csv", "--all-classes")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: --all-classes goes with --explain: it explains the probability of every class\n"


def test_explanations_with_signs_and_errors():
    values, errors = np.array([[0.25, -0.5], [0.0, 0.125]]), np.array([[0.0, 0.0625], [0.0, 0.0]])
    inputs = {"age": [41, 7], "rain": ["a", "b"]}
    found = Explanation(values, errors, np.array([0.5, 2.0]), ("age", "rain"), ("price",), inputs)
    assert _explained_lines(found, None) == [
        "row 0: price 0.2500, 0.5000 on average",
        "  rain = a  -0.5000  ± 0.0625",
        "  age = 41  +0.2500",
        "row 1: price 2.1250, 2.0000 on average",
        "  rain = b  +0.1250",
        "  age = 7   +0.0000",
    ]
    named = _explained_lines(found, ["x.png", "y.png"])
    assert [named[0], named[3]] == [
        "row 0, x.png: price 0.2500, 0.5000 on average",
        "row 1, y.png: price 2.1250, 2.0000 on average",
    ]

"""``mlpkit data NEW --against RUN``."""

from __future__ import annotations

import json
import random
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from requirements import require_package

from mlpkit.jobs.drift import drift
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.data.drift_shown import lines_of_drift

SPEC = """\
mlpkit: 1
data: {{csv: {{file: data.csv, target: {target}, inputs: [size, colour, day], categorical: [colour],
  dates: [day], missing: {missing}, unknown: {unknown}, {split}}}}}
layers: [Affine: {{units: auto}}, {loss}]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 50, epochs: 1}}
{more}
"""


def rows(count, seed, **changed):
    """Return rows of the table as CSV, without the header."""
    rng = random.Random(seed)
    table = []
    for i in range(count):
        size = rng.gauss(50, 10)
        row = {"id": f"id{seed}-{i}", "size": f"{size:.3f}", "colour": rng.choice(["red", "blue"])}
        row |= {
            "day": f"2024-{rng.randint(1, 12):02}-01",
            "kind": "big" if size > 50 else "small",
            "price": f"{size * 2:.2f}",
        }
        table.append(",".join((row | {key: change(row) for key, change in changed.items()}).values()) + "\n")
    return "".join(table)


SPLIT = "validation: 0, test: 0.3, split: shuffle"
HEADER = "id,size,colour,day,kind,price\n"


@pytest.fixture
def train(cwd, invoke):
    """Return a function that trains a network on the table."""

    def trained(target="kind", loss="SoftmaxWithLoss", unknown="zeros", split=SPLIT, missing="fill", more=""):
        (cwd / "data.csv").write_text(HEADER + rows(600, 0))
        given = {"target": target, "loss": loss, "unknown": unknown, "split": split, "missing": missing, "more": more}
        (cwd / "spec.yaml").write_text(SPEC.format(**given))
        done = invoke("run", "spec.yaml", "--quiet", "--no-report", "--out", "run")
        assert done.code == 0, done.err
        assert not (cwd / "run" / "statistics.json").exists()  # nothing is written until it's asked for
        return cwd / "run"

    return trained


def write(cwd, count=200, seed=1, name="new.csv", **changed):
    (cwd / name).write_text(HEADER + rows(count, seed, **changed))


def found(invoke, *options, code=0):
    done = invoke("data", "new.csv", "--against", "run", "--json", *options)
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


def test_rows_like_those_of_training_have_not_drifted(train, invoke, cwd):
    train()
    write(cwd)
    report = found(invoke)
    assert (report["new"], report["run"], report["rows"], report["training_rows"]) == ("new.csv", "run", 200, 420)
    assert (report["level"], report["least"], report["drifted"], report["notes"]) == (0.01, 0.0, [], [])
    roles = {column["name"]: column["role"] for column in report["columns"]}
    of_model = {"class predicted": "model", "largest probability": "model"}
    assert roles == {"size": "input", "colour": "input", "day": "input", "kind": "target", **of_model}
    assert set(report["columns"][0]) == {"name", "role", "drifted", "p_value", "moved", "bins", "then", "now"}


def test_a_drift_is_shown_first_and_ends_with_1(train, invoke, cwd):
    train()
    write(
        cwd,
        size=lambda row: f"{float(row['size']) / 2:.3f}",
        colour=lambda row: "mauve" if "7" in row["id"] else row["colour"],
    )
    done = invoke("data", "new.csv", "--against", "run")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith("new.csv, 200 rows, against run, 420 rows: 4 of 6 columns drifted at level 0.01")
    assert lines[3:5][0] == "  drifted"
    assert {line.split()[0] for line in lines[4:8]} == {"size", "colour", "class", "largest"}
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "  colour: 19.0% unseen in training: mauve 38"
    assert found(invoke, code=1)["drifted"][0] == lines[4].split()[0]


def test_the_threshold_can_be_set(train, invoke, cwd):
    train()
    write(cwd, colour=lambda row: "red" if "3" in row["id"] else row["colour"])
    report = found(invoke)
    (p_value,) = [column["p_value"] for column in report["columns"] if column["name"] == "colour"]
    assert 0.01 < p_value < 0.9
    assert found(invoke, "--level", p_value * 1.01, code=1)["drifted"] == ["colour"]
    assert found(invoke, "--level", p_value * 1.01, "--least", 0.5)["drifted"] == []


def test_the_target_may_be_missing_and_rows_come_from_standard_input(train, invoke, cwd):
    train()
    write(cwd)
    text = "".join(line.rsplit(",", 2)[0] + "\n" for line in (cwd / "new.csv").read_text().splitlines())
    done = invoke("data", "-", "--against", "run", "--json", input=text)
    assert done.code == 0
    report = json.loads(done.out)
    assert report["new"] == "-"
    assert "kind" not in {column["name"] for column in report["columns"]}


def test_without_the_data_the_folder_s_statistics_are_enough(train, invoke, cwd):
    run = train()
    write(cwd, size=lambda row: "")
    with_data = found(invoke, code=1)
    (cwd / "data.csv").unlink()
    assert found(invoke, code=1) == with_data
    text = (run / "statistics.json").read_text()
    assert "id0-1" not in text  # no rows
    kept = json.loads(text)
    for content, problem in {
        json.dumps(kept | {"columns": [*kept["columns"], {}]}): "is damaged: a column isn't as mlpkit writes it",
        json.dumps(kept | {"columns": []}): "is damaged: a column isn't as mlpkit writes it",
        "{": "is damaged: ",
        "[]": "is damaged: ",
        json.dumps(kept | {"model": "another"}): "is of another model",
    }.items():
        (run / "statistics.json").write_text(content)
        done = invoke("data", "new.csv", "--against", "run")
        assert (done.code, done.out) == (2, "")
        assert f"run: its statistics.json {problem}" in done.err
        assert "and its data can't be read: run: there is no file 'data.csv'" in done.err
    (cwd / "data.csv").write_text(HEADER + rows(600, 0))
    assert found(invoke, code=1) == with_data
    assert json.loads((run / "statistics.json").read_text()) == kept
    (run / "statistics.json").unlink()
    (cwd / "data.csv").unlink()
    assert "error: run: has no statistics.json, and " in invoke("data", "new.csv", "--against", "run").err


def test_changed_data_is_noted_and_not_kept(train, invoke, cwd):
    run = train()
    write(cwd)
    (cwd / "data.csv").write_text(HEADER + rows(600, 5))
    assert "the data is not what the network was trained on" in found(invoke)["notes"][0]
    assert not (run / "statistics.json").exists()


def test_rows_with_a_missing_value_that_training_never_had_have_no_prediction(train, invoke, cwd):
    train(missing="error")
    write(cwd, size=lambda row: "" if row["id"] in ("id1-0", "id1-7", "id1-30") else row["size"])
    report = found(invoke)
    assert report["notes"] == [
        "some rows have no prediction: 3 of 200 rows have missing values, which no training row had: row 0 (size), "
        "row 7 (size), row 30 (size), counted from 0; fill in size, leave these rows out, or train with missing "
        "set to fill"
    ]
    now = {column["name"]: column["now"] for column in report["columns"]}
    assert (sum(now["size"]["counts"]), now["size"]["missing"]) == (197, 3)
    assert [sum(now[name]["counts"]) for name in ("colour", "class predicted", "largest probability")] == [
        200,
        197,
        197,
    ]


def test_an_ensemble_of_folds_is_trained_on_the_validation_rows_too(train, invoke, cwd):
    train(split="validation: 0.2, test: 0.3", more="ensemble: {folds: 2}")
    write(cwd)
    report = found(invoke)
    assert (report["rows"], report["training_rows"], report["notes"]) == (200, 420, [])


def test_a_category_that_the_model_refuses_leaves_its_predictions_out(train, invoke, cwd):
    train(unknown="error")
    write(cwd, colour=lambda row: "mauve")
    report = found(invoke, code=1)
    assert report["drifted"] == ["colour"]
    assert "predictions can't be compared: new.csv, row 2, column 'colour': the category 'mauve'" in report["notes"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [(("size", "length"), "column 'size': the file has no such column"), ((",5", ",five"), "column 'size': 'five")],
)
def test_rows_that_are_no_such_rows_are_an_error(train, invoke, cwd, change, message):
    train()
    write(cwd)
    (cwd / "new.csv").write_text((cwd / "new.csv").read_text().replace(*change))
    done = invoke("data", "new.csv", "--against", "run")
    assert (done.code, done.out) == (1, "")
    assert message in done.err


def test_without_held_out_rows_predictions_are_left_out_each_time(train, invoke, cwd):
    train(split="validation: 0, test: 0")
    write(cwd)
    for _ in range(2):
        report = found(invoke)
        assert report["notes"] == ["predictions can't be compared: the run has no test or validation split"]
        assert "model" not in {column["role"] for column in report["columns"]}


@pytest.mark.parametrize(("width", "prefix"), [(40, ""), (60, ""), (80, "a long name of ")])
def test_lines_fit_a_terminal(width, prefix, train, invoke, cwd):
    train()
    write(cwd, colour=lambda row: "a colour with a very long name" if "3" in row["id"] else "")
    with chdir(cwd):
        report = drift(load_run(Path("run")), Path("run"), Path("new.csv"), "a/long/name.csv", 0.01, 0.0)
    columns = [each._replace(then=each.then._replace(name=prefix + each.then.name)) for each in report.columns]
    lines = lines_of_drift(replace(report, columns=tuple(columns)), width, every=False)
    assert max(map(len, lines)) <= width
    table = [line for line in lines if line.startswith("    ")]
    assert len(table) == len(report.columns) * (1 if width > 40 else 2)


def test_few_rows_and_predicted_values(train, invoke, cwd):
    train("price, predict: values", "MeanSquaredError")
    write(cwd, 12)
    report = found(invoke)
    assert report["notes"] == ["12 rows are too few for a test; give at least 20"]
    table = [line.split() for line in invoke("data", "new.csv", "--against", "run").out.splitlines()]
    assert ["-", "-"] in [cells[1:3] for cells in table if cells[:1] == ["size"]], table
    assert not any("0.0%" in cells for cells in table)
    assert "price predicted" in {column["name"] for column in report["columns"]}
    write(cwd, 20)
    assert found(invoke)["notes"] == []


ARRAYS = """\
mlpkit: 1
data: {{npz: {{file: data.npz, validation: 0.2, test: 0.2}}}}
layers: [{flatten}Affine: {{units: 2}}, SoftmaxWithLoss]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 50, epochs: 1}}
"""


@pytest.mark.parametrize("shape", [(3,), (4, 4)])
def test_arrays_are_compared_by_element_and_images_by_mean_and_spread(shape, invoke, cwd):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, *shape)).astype(np.float32)
    np.savez(cwd / "data.npz", x=x, t=(x.reshape(500, -1)[:, 0] > 0).astype(np.int64))
    (cwd / "spec.yaml").write_text(ARRAYS.format(flatten="" if len(shape) == 1 else "Flatten, "))
    assert invoke("run", "spec.yaml", "--quiet", "--no-report", "--out", "run").code == 0
    for factor, code in ((1, 0), (1.6, 1)):
        np.save(cwd / "new.npy", factor * rng.normal(size=(200, *shape)).astype(np.float32))
        done = invoke("data", "new.npy", "--against", "run", "--json")
        assert done.code == code, done.out
        inputs = {column["name"] for column in json.loads(done.out)["columns"] if column["role"] == "input"}
        names = (
            {"input 0", "input 1", "input 2"} if len(shape) == 1 else {"mean of a row", "standard deviation of a row"}
        )
        assert inputs == names


def test_a_page_shows_the_columns_that_drifted(train, invoke, cwd):
    require_package("vl_convert")
    train()
    refused = invoke("data", "missing.csv", "--against", "run", "--html", "nowhere/drift.html")  # before rows are read
    assert refused.err.startswith("error: nowhere/drift.html: can't be written: No such file or directory; ")
    write(cwd, size=lambda row: f"{float(row['size']) / 2:.3f}")
    assert invoke("data", "new.csv", "--against", "run", "--html", "drift.html").code == 1
    page = (cwd / "drift.html").read_text()
    assert "<title>new.csv against run</title>" in page
    assert page.count("<figure>") == 3
    assert page.split("</table>")[0].count("<tr") == 7


@pytest.mark.parametrize("options", [("--encoded",), ("--set", "seed=1")])
def test_options_of_specs_are_refused(options, invoke, cwd):
    done = invoke("data", "new.csv", "--against", "run", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: --encoded and --set are about a spec, and can't be given with --against\n"


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        (("--level", "0.0"), "0<x<1"),
        (("--level", "1.0"), "0<x<1"),
        (("--least", "1.01"), "0<=x<=1"),
        (("--least", "-0.01"), "0<=x<=1"),
        (("--rows", "-1"), "x>=0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, bounds, invoke):
    done = invoke("data", "new.csv", "--against", "run", *options)
    assert (done.code, done.out) == (2, "")
    assert f"{options[0]}: {options[1]} is not in the range {bounds}" in done.err.replace("'", "")


@pytest.mark.parametrize("options", [("--html", "page.html"), ("--level", "0.01"), ("--least", "0")])
def test_options_of_new_rows_need_a_run(options, invoke, cwd):
    done = invoke("data", "spec.yaml", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: --level, --least and --html are about new rows: give --against RUN, too\n"

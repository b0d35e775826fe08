"""``mlpkit init --data``: from a person's own table to predictions in three commands, none of which is edited."""

from __future__ import annotations

import gzip
import json
import random
import shlex
import shutil

import numpy as np
import pytest

import mlpkit

HEADER = "PassengerId,Age,Sex,Class,Fare,Cabin,Embarked,alive,Survived"


@pytest.fixture
def titanic(cwd):
    """Write a table that looks like a famous one."""
    rng = random.Random(0)
    rows = [HEADER]
    for number in range(1, 401):
        age, sex, place = rng.gauss(30, 12), rng.choice(["male", "female"]), rng.choice([1, 2, 3])
        survived = int(rng.random() < (0.95 if sex == "female" or age < 12 else 0.08))
        shown = f"{age:.0f}" if number % 9 else ""
        cabin = f"{rng.choice('ABC')}{number}" if place == 1 else ""
        fare, port = f"{rng.gauss(100 / place, 5):.2f}", rng.choice("SCQ")
        rows.append(f"{number},{shown},{sex},{place},{fare},{cabin},{port},{['no', 'yes'][survived]},{survived}")
    (cwd / "titanic.csv").write_text("\n".join(rows) + "\n")
    return cwd


def commands(out):
    """Return the commands that the output says come next."""
    return [shlex.split(line)[1:] for line in out.partition("next:\n")[2].splitlines()]


def test_the_commands_that_come_next_work_as_they_stand(titanic, invoke):
    done = invoke("init", "--data", "titanic.csv", "--target", "Survived")
    assert (done.code, done.err) == (0, "")
    run, predict = commands(done.out)
    assert run == ["run", "titanic.mlpkit.yaml"]
    assert predict == ["predict", "runs/titanic", "new.csv"]
    shutil.copy("titanic.csv", "new.csv")
    assert invoke("check", "titanic.mlpkit.yaml").code == 0
    assert invoke(*run, "--quiet").code == 0
    assert json.loads((titanic / "runs/titanic/metrics.json").read_text())["test"]["accuracy"] > 0.85
    done = invoke(*predict)
    assert done.code == 0
    assert len(done.out.splitlines()) == 401


@pytest.mark.parametrize(("options", "rows"), [([], "new.csv.gz"), (["--test", "later on.csv"], "'later on.csv'")])
def test_the_commands_name_plugins_the_next_free_folder_and_the_rows_for_testing(titanic, invoke, options, rows):
    (titanic / "my own").mkdir()
    (titanic / "my own/acme.py").write_text("")
    (titanic / "later on.csv").write_bytes((titanic / "titanic.csv").read_bytes())
    with gzip.open("titanic.csv.gz", "wb") as file:
        file.write((titanic / "titanic.csv").read_bytes())
    for name in ("it_s", "it_s-2", "it_s-4"):
        (titanic / "runs" / name).mkdir(parents=True)
    named = ("--data", "titanic.csv.gz", "--target", "Survived", "--plugin", "my own/acme.py", "--out", "it s.yaml")
    done = invoke("init", *named, *options)
    assert done.code == 0
    assert done.out.partition("next:\n")[2] == (
        "  mlpkit run 'it s.yaml' --plugin 'my own/acme.py'\n"
        f"  mlpkit predict runs/it_s-3 {rows} --plugin 'my own/acme.py'\n"
    )


def test_what_it_decided_is_printed(titanic, invoke):
    assert (
        invoke("init", "--data", "titanic.csv", "--target", "Survived").out
        == """\
titanic.mlpkit.yaml:
  rows        400 of titanic.csv
  target      Survived, 2 classes: 0 44%, 1 56%
  numbers     3: Age, Class, Fare
  categories  2: Sex (2), Embarked (3)
  left out    PassengerId: an id: every row has a different number
  left out    Cabin: nearly every row has a different text, such as 'C1'
  left out    alive: a copy of the target: it equals 'Survived' in nearly every row
  missing     11% of Age: means in place of numbers, zeros for categories
  network     1 hidden layer of 256 units, softmax
  training    adamw, 200 epochs at most, in minibatches of 16, with early stopping
next:
  mlpkit run titanic.mlpkit.yaml
  mlpkit predict runs/titanic new.csv
"""
    )


def test_the_spec_says_why(titanic, invoke):
    assert invoke("init", "--data", "titanic.csv", "--target", "Survived", "--out", "my.yaml").code == 0
    assert (
        (titanic / "my.yaml")
        .read_text()
        .startswith(
            """\
# Predicts Survived from the other columns of titanic.csv.
mlpkit: 1
data:
  csv:
    file: titanic.csv
    target: Survived
    predict: classes  # 2 classes: 0 44%, 1 56%
    ignore:
      - PassengerId  # an id: every row has a different number
      - Cabin  # nearly every row has a different text, such as 'C1'
      - alive  # a copy of the target: it equals 'Survived' in nearly every row
    categorical: [Sex, Embarked]
    unknown: zeros  # a category unseen in training becomes zeros
    missing: fill  # 11% of Age
    validation: 0.2
    test: 0.2
"""
        )
    )


@pytest.fixture
def weather(cwd):
    """Write a table in which numbers stand for missing values."""
    rng = random.Random(0)
    rows = ["temp,humidity,days,id2,dry"]
    for number in range(300):
        temp, humidity = rng.gauss(15, 8), rng.uniform(0, 100)
        dry = temp > 15 + rng.gauss(0, 3)
        shown = "-999" if number % 11 == 0 else "-999.0" if number % 29 == 0 else f"{temp:.1f}"
        days = -1 if number % 3 else number % 37
        rows.append(f"{shown},{humidity:.2f},{days},{number % 41 - 1},{['no', 'yes'][dry]}")
    (cwd / "weather.csv").write_text("\n".join(rows) + "\n")
    return cwd


def test_numbers_that_stand_for_a_missing_value_are_found(weather, invoke):
    done = invoke("init", "--data", "weather.csv", "--target", "dry")
    assert (done.code, done.err) == (0, "")
    column = [float(row.partition(",")[0]) for row in (weather / "weather.csv").read_text().splitlines()[1:]]
    others = [value for value in column if value != -999]
    about = f"-999 in {300 - len(others)} rows, all others from {min(others):g} to {max(others):g}"
    decision = "counted as missing; if it is a real value, remove it from missing_numbers"
    assert f"sentinel temp has {about}: {decision}" in " ".join(done.out.split())
    spec = (weather / "weather.mlpkit.yaml").read_text()
    assert (
        f"""\
    missing_numbers:  # counted as missing; remove the columns in which they are real values
      temp: [-999]  # {about}
      days: [-1]  # -1 in 200 rows, all others from 0 to 36
    missing: indicate  # 13% of temp, 67% of days
"""
        in spec
    )
    assert invoke("run", "weather.mlpkit.yaml", "--quiet").code == 0
    assert json.loads((weather / "runs/weather/metrics.json").read_text())["test"]["accuracy"] > 0.75
    (weather / "new.csv").write_text("temp,humidity,days,id2\n-999.00,50,3,4\n,50,3,4\n20,50,3,4\n")
    rows = [json.loads(line) for line in invoke("predict", "runs/weather", "new.csv", "--json").out.splitlines()]
    assert rows[0]["probabilities"] == rows[1]["probabilities"] != rows[2]["probabilities"]
    assert "has -999" not in invoke("data", "weather.mlpkit.yaml").out


def test_files_of_their_own_for_validation_and_test(titanic, invoke):
    header, *rows = (titanic / "titanic.csv").read_text().splitlines()
    for name, part in (("a", rows[:300]), ("b", rows[300:350]), ("c d", rows[350:])):
        (titanic / f"{name}.csv").write_text("\n".join([header, *part]) + "\n")
    done = invoke("init", "--data", "a.csv", "--target", "Survived", "--validation", "b.csv", "--test", "c d.csv")
    assert done.code == 0
    run, predict = commands(done.out)
    assert predict == ["predict", "runs/a", "c d.csv"]
    assert "csv: 300 train, 50 validation, 50 test" in invoke("check", "a.mlpkit.yaml").out
    assert invoke(*run, "--quiet", "--set", "training.epochs=1").code == 0
    assert len(invoke(*predict).out.splitlines()) == 51


def test_the_advice_for_counts_works(cwd, invoke):
    rows = [f"{i * 7 % 11},{visits}" for i, visits in enumerate([0, 0, 1, 2] * 49 + [9, 15, 23, 48])]
    (cwd / "t.csv").write_text("\n".join(["age,visits", *rows]))
    done = invoke("init", "--data", "t.csv", "--target", "visits")
    assert (done.code, done.err) == (0, "")
    text = (cwd / "t.mlpkit.yaml").read_text().replace("- MeanSquaredError", "- Poisson")
    (cwd / "t.mlpkit.yaml").write_text(text.replace("predict: values", "scale_target: none\n    predict: values"))
    assert invoke("run", "t.mlpkit.yaml", "--quiet", "--set", "training.epochs=1").code == 0


def test_each_target_that_is_named_is_predicted(titanic, invoke):
    done = invoke("init", "--data", "titanic.csv", "--target", "Fare", "--target", "Class", "--drop", "alive")
    assert (done.code, done.err) == (0, "")
    run, _ = commands(done.out)
    assert invoke(*run, "--quiet", "--set", "training.epochs=1").code == 0
    header, first, *_ = invoke("predict", "runs/titanic", "titanic.csv").out.splitlines()
    assert (header.split(), len(first.split())) == (["row", "Fare", "Class"], 3)


def test_a_column_that_tells_the_target_is_named_by_init_and_at_the_end_of_a_run(titanic, invoke):
    text = (titanic / "titanic.csv").read_text().splitlines()
    told = [f"{row},{100 * int(row[-1]) + i % 50}" for i, row in enumerate(text[1:])]
    (titanic / "titanic.csv").write_text("\n".join([f"{text[0]},boat", *told]))
    done = invoke("init", "--data", "titanic.csv", "--target", "Survived")
    sentence = "boat predicts the target by itself: is it known when you predict?"
    assert f"  leak        {sentence}\n" in done.out
    run, _ = commands(done.out)
    done = invoke(*run, "--set", "training.epochs=1")
    assert (done.code, done.err.count(f"note: {sentence}\n")) == (0, 1)
    done = invoke(
        *run,
        "--set",
        "training.epochs=1",
        "--set",
        "data.csv.inputs=[Age, Sex]",
        "--set",
        "data.csv.ignore=[]",
        "--set",
        "data.csv.categorical=[Sex]",
    )
    assert (done.code, "note" in done.err) == (0, False)


def test_a_new_row_that_lacks_a_value_is_predicted_and_training_is_the_same(titanic, invoke):
    text = (titanic / "titanic.csv").read_text().splitlines()
    (titanic / "titanic.csv").write_text("\n".join(row for row in text if ",," not in row))
    run, _ = commands(invoke("init", "--data", "titanic.csv", "--target", "Survived").out)
    epochs = ("--quiet", "--set", "training.epochs=2")
    assert invoke(*run, *epochs).code == 0
    assert invoke(*run, *epochs, "--set", "data.csv.missing=error").code == 0
    first, second = (mlpkit.load(f"runs/{name}").network.parameters for name in ("titanic", "titanic-2"))
    assert all(values.tobytes() == second[name].tobytes() for name, values in first.items())
    (titanic / "new.csv").write_text("Age,Sex,Class,Fare,Embarked\n,male,2,50,S\n")
    assert invoke("predict", "runs/titanic", "new.csv").code == 0
    assert invoke("predict", "runs/titanic-2", "new.csv").code != 0


def test_the_second_run_gets_a_folder_of_its_own(titanic, invoke):
    (titanic / "runs/titanic").mkdir(parents=True)
    _, predict = commands(invoke("init", "--data", "titanic.csv", "--target", "Survived").out)
    assert predict == ["predict", "runs/titanic-2", "new.csv"]


def test_an_example_that_comes_with_mlpkit(invoke):
    done = invoke("init", "--data", "example:houses.csv", "--target", "price")
    assert done.code == 0
    run, predict = commands(done.out)
    assert run == ["run", "houses.mlpkit.yaml"]
    assert predict == ["predict", "runs/houses", "new.csv"]
    predict[-1] = "example:houses.csv"
    assert invoke(*run, "--quiet", "--set", "training.epochs=1", "--set", "training.evaluate_every=null").code == 0
    done = invoke(*predict)
    assert (done.code, len(done.out.splitlines())) == (0, 301)
    assert invoke(*predict, "--out", "out.csv", "--keep-inputs").code == 0
    assert invoke("evaluate", "runs/houses", "--data", "example:houses.csv").code == 0
    done = invoke("predict", "runs/houses", "example:house.csv")
    assert done.code == 2
    assert done.err.endswith("example_files/house.csv'; did you mean 'houses.csv'?\n")


def test_what_only_the_whole_table_shows_is_said_with_the_spec_in_place(titanic, invoke, monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.tables.column_guess.MOST_CELLS", 1000)
    lines = (titanic / "titanic.csv").read_text().splitlines(keepends=True)
    number, age, sex, _, *others = lines[304].split(",")
    lines[304] = ",".join([number, age, sex, "?", *others])
    (titanic / "titanic.csv").write_text("".join(lines))
    done = invoke("init", "--data", "titanic.csv", "--target", "Survived")
    assert done.code == 1
    assert "of its 400 rows" in done.out
    assert done.err == (
        "error: titanic.csv, row 305, column 'Class': '?' is not a finite number; add it to missing_texts if it means "
        "a missing value\n"
        "  note: the spec is saved in titanic.mlpkit.yaml; mlpkit check titanic.mlpkit.yaml looks again\n"
    )
    text = (titanic / "titanic.mlpkit.yaml").read_text()
    (titanic / "titanic.mlpkit.yaml").write_text(
        text.replace("    missing:", "    missing_texts: ['', '?']\n    missing:")
    )
    assert invoke("check", "titanic.mlpkit.yaml").code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "titanic.csv"], "error: --target: no column was named to predict; expected one of PassengerId, "),
        (
            ["--data", "titanic.csv", "--target", "survived"],
            "error: --target: there is no column 'survived'; expected one of PassengerId, Age, Sex, Class, Fare, "
            "Cabin, Embarked, alive, Survived; did you mean 'Survived'?\n",
        ),
        (["--data", "titnic.csv"], "error: --data: there is no file 'titnic.csv'; did you mean 'titanic.csv'?\n"),
        (["--data", "titanic.csv", "mnist_3layer"], "error: NAME copies a shipped spec, and --data writes a new one; "),
        (["--target", "Survived"], "error: --target needs --data, the file to write a spec for\n"),
        (["mnist_3layer", "--drop", "a"], "error: --drop needs --data, the file to write a spec for\n"),
        (
            ["--data", "titanic.csv", "--target", "Survived", "--drop", "Agee"],
            "error: --drop: there is no column 'Agee'; expected one of PassengerId, Age, Sex, Class, Fare, Cabin, "
            "Embarked, alive, Survived; did you mean 'Age'?\n",
        ),
        (
            ["--data", "titanic.csv", "--target", "Survived", "--id", "Survived"],
            "error: --id: the column 'Survived' is the target; name it once\n",
        ),
        (
            ["--data", "titanic.csv", "--target", "Sex", "--target", "Survived", "--predict", "classes"],
            "error: --target: classes come from one column, not from 2; name one of them, or write --predict labels",
        ),
        (
            ["--data", "x.npz", "--target", "t", "--target", "x", "--id", "k"],
            "error: several --target and --id: this is for tables, but npz reads 'x.npz'\n",
        ),
        (["mnist_3layer", "--test", "a.csv"], "error: --test needs --data, the file to write a spec for\n"),
        (["--data", "acme.py", "--target", "x"], "error: no data set reads 'acme.py' to propose a spec; "),
    ],
)
def test_wrong_usage(titanic, arguments, expected, invoke):
    np.savez("x.npz", x=np.arange(80.0).reshape(40, 2), t=np.arange(40) % 2)
    done = invoke("init", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(expected)
    assert not (titanic / "titanic.mlpkit.yaml").exists()

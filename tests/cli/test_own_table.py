"""A person's own CSV file, from the first mistake to predictions."""

from __future__ import annotations

import json

import pytest
from requirements import Optional

import mlpkit

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")

SPEC = """\
mlpkit: 1
name: fruit
data:
  csv:
    file: fruit.csv
    target: kind
    categorical: [colour]
    validation: 0.2
    test: 0.2
layers:
  - Affine: {units: 8}
  - Relu
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 20
  epochs: 40
  metrics: [accuracy]
"""


@pytest.fixture
def fruit(cwd):
    rows = [(100 + i % 40, "red" if i % 3 else "green", "apple") for i in range(100)]
    rows += [(10 + i % 30, "red" if i % 5 else "black", "cherry") for i in range(100)]
    (cwd / "fruit.csv").write_text("weight,colour,kind\n" + "".join(f"{w},{c},{k}\n" for w, c, k in rows))
    (cwd / "fruit.yaml").write_text(SPEC)
    return cwd


def test_from_a_table_to_predictions(fruit, invoke):
    done = invoke("check", "fruit.yaml")
    assert (done.code, done.err) == (0, "")
    assert "input 4, target 2 classes" in done.out
    assert invoke("run", "fruit.yaml", "--quiet").code == 0
    assert json.loads((fruit / "runs/fruit/metrics.json").read_text())["test"]["accuracy"] == 1
    (fruit / "new.csv").write_text("colour,weight\ngreen,120\nblack,20\n")
    done = invoke("predict", "runs/fruit", "new.csv", "--json")
    assert [json.loads(line)["class"] for line in done.out.splitlines()] == ["apple", "cherry"]
    (fruit / "new.csv").write_text("colour,weight\ngreen,120\nblack,heavy\n")
    done = invoke("predict", "runs/fruit", "new.csv")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: new.csv, row 3, column 'weight': 'heavy' is not a finite number; ")


def test_evaluation_applies_what_was_learned_from_the_data_trained_on(fruit, invoke):
    assert invoke("run", "fruit.yaml", "--quiet").code == 0
    before = invoke("evaluate", "runs/fruit", "--json").out
    assert json.loads(before) == json.loads((fruit / "runs/fruit/metrics.json").read_text())
    heavier = [line.split(",") for line in (fruit / "fruit.csv").read_text().splitlines()[1:]]
    rows = "".join(f"{int(w) + 500},{c},{k}\n" for w, c, k in heavier)
    (fruit / "fruit.csv").write_text("weight,colour,kind\n" + rows)
    after = json.loads(invoke("evaluate", "runs/fruit", "--json").out)
    assert after["train"]["accuracy"] < 0.7  # with a newly computed mean, cherries would still be cherries


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "target: kind",
            "target: kinds",
            """\
fruit.yaml:6:13: there is no column 'kinds' in row 1 of fruit.csv
    6 |     target: kinds
      |             ^^^^^
  expected: one of weight, colour, kind
  help: did you mean 'kind'?

1 error in fruit.yaml
""",
        ),
        (
            "[colour]",
            "[color]",
            """\
fruit.yaml:7:18: there is no column 'color' in row 1 of fruit.csv
    7 |     categorical: [color]
      |                  ^^^^^^^
  expected: one of weight, colour, kind
  help: did you mean 'colour'?

1 error in fruit.yaml
""",
        ),
        (
            "fruit.csv",
            "friut.csv",
            """\
fruit.yaml:5:11: there is no file 'friut.csv'
    5 |     file: friut.csv
      |           ^^^^^^^^^
  help: did you mean 'fruit.csv'?

1 error in fruit.yaml
""",
        ),
    ],
)
def test_a_mistake_in_the_spec_is_shown_where_it_stands(fruit, invoke, old, new, expected):
    (fruit / "fruit.yaml").write_text(SPEC.replace(old, new))
    for verb in ("check", "run"):
        done = invoke(verb, "fruit.yaml")
        assert (done.code, done.out, done.err) == (2, "", expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "fruit.csv, row 1: the file is empty; expected a header, and a row for each example"),
        (
            "weight,colour,kind\n1,red,apple\n2 g,red,apple\n",
            "fruit.csv, row 3, column 'weight': '2 g' is not a finite number; "
            "name the column in categorical if it holds categories, or in ignore to leave it out",
        ),
        (
            "weight,colour,kind\n1,red,apple\n2,red,apple\n3,red,appel\n",
            "fruit.csv, row 4, column 'kind': 1 of 2 classes occur in one row only: 'appel'; did you mean 'apple'?",
        ),
    ],
)
def test_a_mistake_in_the_data_is_named_by_file_row_and_column(fruit, invoke, content, expected):
    (fruit / "fruit.csv").write_text(content)
    for verb in ("check", "data", "run"):
        done = invoke(verb, "fruit.yaml")
        assert (done.code, done.out, done.err) == (1, "", f"error: {expected}\n")


# The same in Parquet


@pytest.mark.parametrize("verb", ["evaluate", "repro", "resume"])
def test_a_run_whose_table_is_gone_asks_for_it_and_not_for_another_spec(fruit, invoke, verb):
    assert invoke("run", "fruit.yaml", "--quiet", "--set", "training.checkpoint.every=1").code == 0
    (fruit / "fruit.csv").rename("fruits.csv")
    if verb == "resume":
        (fruit / "runs/fruit/metrics.json").unlink()
    done = invoke(verb, "runs/fruit")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: runs/fruit: there is no file 'fruit.csv'; restore the data that it was trained on; "
        "file names are relative to the folder in which mlpkit is started\n"
    )


@pytest.fixture
def fruit_parquet(fruit):
    """Turn the table into a Parquet file."""
    lines = [line.split(",") for line in (fruit / "fruit.csv").read_text().splitlines()[1:]]
    weights, colours, kinds = (list(column) for column in zip(*lines, strict=True))
    write_parquet(fruit, list(map(int, weights)), colours, kinds)
    (fruit / "fruit.yaml").write_text(SPEC.replace("csv", "parquet"))
    return fruit


def write_parquet(folder, weights, colours, kinds, name="fruit.parquet"):
    pq.write_table(pa.table({"weight": weights, "colour": colours, "kind": kinds}), folder / name)


def test_from_a_parquet_file_to_predictions(fruit_parquet, invoke):
    assert invoke("run", "fruit.yaml", "--quiet").code == 0
    assert json.loads((fruit_parquet / "runs/fruit/metrics.json").read_text())["test"]["accuracy"] == 1
    pq.write_table(pa.table({"colour": ["green", "black"], "weight": [120.0, 20.0]}), fruit_parquet / "new.parquet")
    done = invoke("predict", "runs/fruit", "new.parquet", "--json")
    assert [json.loads(line)["class"] for line in done.out.splitlines()] == ["apple", "cherry"]
    done = invoke("predict", "runs/fruit", "fruit.csv")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: fruit.csv: the file is damaged: Parquet magic bytes not found in footer.")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            (["1", "2 g"], ["red", "red"], ["apple", "apple"]),
            "fruit.parquet, row 2, column 'weight': '2 g' is not a finite number; "
            "name the column in categorical if it holds categories, or in ignore to leave it out",
        ),
        (
            ([1, 2, 3], ["red", "red", "red"], ["apple", "apple", "appel"]),
            "fruit.parquet, row 3, column 'kind': 1 of 2 classes occur in one row only: 'appel'; did you mean 'apple'?",
        ),
        (
            ([1, None], ["red", "red"], ["apple", "cherry"]),
            "fruit.parquet, row 2, column 'weight': the value is missing; "
            "set missing: fill to put the mean in its place, or missing: drop to leave out such rows",
        ),
        (None, "fruit.parquet: the file is damaged: Parquet file size is 0 bytes"),
    ],
)
def test_a_mistake_in_a_parquet_file_is_named_by_file_row_and_column(fruit_parquet, invoke, columns, expected):
    if columns is None:
        (fruit_parquet / "fruit.parquet").write_bytes(b"")
    else:
        write_parquet(fruit_parquet, *columns)
    for verb in ("check", "data", "run"):
        done = invoke(verb, "fruit.yaml")
        assert (done.code, done.out, done.err) == (1, "", f"error: {expected}\n")


def test_a_misspelt_column_of_a_parquet_file_is_shown_where_it_stands(fruit_parquet, invoke):
    done = invoke("check", "fruit.yaml", "--set", "data.parquet.target=kinds")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("--set:1:21: there is no column 'kinds' in fruit.parquet\n")
    assert "  expected: one of weight, colour, kind\n  help: did you mean 'kind'?\n" in done.err


# Targets that the loss can't take


@pytest.fixture(params=["csv", "parquet"])
def prices(request, cwd):
    """Write a table with a target of texts and one of numbers, and return what a spec says of it, and its name."""
    rows = {"a": list(range(100)), "kind": ["x", "y"] * 50, "price": [i % 50 * 1.5 for i in range(100)]}
    if request.param == "csv":
        lines = [",".join(map(str, row)) for row in zip(*rows.values(), strict=True)]
        (cwd / "data.csv").write_text("\n".join(["a,kind,price", *lines]))
    else:
        pq.write_table(pa.table(rows), cwd / "data.parquet")
    return request.param


def spec_of(prices, target, loss, *, units=1):
    return f"""\
mlpkit: 1
data:
  {prices}:
    file: data.{prices}
    {target}
    inputs: [a]
    validation: 0
    test: 0
layers:
  - Affine: {{units: {units}}}
  - {loss}
training:
  optimizer: {{sgd: {{learning_rate: 0.1}}}}
  batch_size: 20
  epochs: 1
"""


WARNING = """\
prices.yaml:5:13: warning: the column 'price' of data.%s holds 50 different numbers in 100 rows, each read as a class
    5 |     target: price
      |             ^^^^^
  help: set predict: values to predict numbers

"""


@pytest.mark.parametrize(
    ("target", "loss", "told", "remedy"),
    [
        (
            "target: kind",
            "MeanSquaredError",
            "compares real values, but the data gives 2 classes\n   11 |   - MeanSquaredError\n"
            "      |     ^^^^^^^^^^^^^^^^\n  expected: data whose target is real values",
            "the column 'kind' holds texts, which are classes: end the layers with a loss on classes, such as "
            "SoftmaxWithLoss, or name another in target",
        ),
        (
            "target: price",
            "MeanSquaredError",
            "compares real values, but the data gives 50 classes\n   11 |   - MeanSquaredError\n"
            "      |     ^^^^^^^^^^^^^^^^\n  expected: data whose target is real values",
            "set predict: values if the column 'price' holds numbers to predict; if it holds classes, end the layers "
            "with a loss on classes, such as SoftmaxWithLoss",
        ),
        (
            "{target: price, predict: values}",
            "SoftmaxWithLoss",
            "compares logits with classes, but the data gives real values of shape (1,)\n   11 |   - SoftmaxWithLoss\n"
            "      |     ^^^^^^^^^^^^^^^\n  expected: data whose target is one of several classes",
            "end the layers with a loss on real values, such as MeanSquaredError; or set predict: classes if the "
            "column 'price' holds classes",
        ),
    ],
)
def test_a_loss_that_does_not_fit_the_target_comes_with_advice(cwd, invoke, prices, target, loss, told, remedy):
    spec = spec_of(prices, target.strip("{}").replace(", ", "\n    "), loss)
    line = 11 + spec.count("predict")
    (cwd / "prices.yaml").write_text(spec)
    warning = WARNING % prices if "price" in target and "predict" not in target else ""
    for verb in ("check", "run"):
        done = invoke(verb, "prices.yaml")
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"{warning}prices.yaml:{line}:5: {loss}1 {told.replace('   11 |', f'   {line} |')}\n  help: {remedy}\n"
            f"  note: the target comes from the data ({prices}) at prices.yaml:2:1\n\n1 error in prices.yaml\n"
        )


def test_many_numbers_as_classes_are_warned_of_wherever_the_data_is_used(cwd, invoke, prices):
    (cwd / "prices.yaml").write_text(spec_of(prices, "target: price", "SoftmaxWithLoss", units=50))
    for verb in (("check",), ("data",), ("run", "--quiet"), ("check", "--json"), ("run", "--json")):
        done = invoke(verb[0], "prices.yaml", *verb[1:])
        assert (done.code, done.err) == (0, WARNING % prices)
    (warning,) = json.loads(invoke("check", "prices.yaml", "--json").out)["warnings"]
    assert (warning["line"], warning["column"]) == (5, 13)
    with pytest.warns(UserWarning, match=r"^prices.yaml:5:13: the column 'price' of data"):
        mlpkit.run(mlpkit.load_spec("prices.yaml"))
    (cwd / "prices.yaml").write_text(spec_of(prices, "target: price", "SoftmaxWithLoss", units=2))
    done = invoke("check", "prices.yaml", "--json")
    assert done.err.startswith(f"{WARNING % prices}prices.yaml:11:5: SoftmaxWithLoss1 gets 2 logits for 50 classes\n")
    assert [warning["line"] for warning in json.loads(done.out)["warnings"]] == [5]


@pytest.mark.parametrize("predict", ["values", "labels"])
def test_a_target_of_texts_for_numbers_is_an_error_at_the_target(cwd, invoke, prices, predict):
    spec = spec_of(prices, f"target: kind\n    predict: {predict}", "MeanSquaredError")
    (cwd / "prices.yaml").write_text(spec)
    done = invoke("check", "prices.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"prices.yaml:5:13: the column 'kind' of data.{prices} holds texts, such as 'x'\n"
        "    5 |     target: kind\n      |             ^^^^\n  expected: numbers, as predict asks for\n"
        "  help: set predict: classes if they are classes, or name a column of numbers\n\n1 error in prices.yaml\n"
    )


# Files that aren't what they seem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data", "'data' is a folder\n    5 |     file: data\n      |           ^^^^\n  expected: a file"),
        (
            "data/friut.csv",
            "there is no file 'data/friut.csv'\n    5 |     file: data/friut.csv\n      |           ^^^^^^^^^^^^^^\n"
            "  help: did you mean 'fruit.csv'?",
        ),
        (
            "fruit.csv.gz",
            "there is no file 'fruit.csv.gz'\n    5 |     file: fruit.csv.gz\n      |           ^^^^^^^^^^^^\n"
            "  help: did you mean 'fruit.csv'?",
        ),
    ],
)
def test_a_path_that_leads_to_no_file_is_shown_where_it_stands(fruit, invoke, name, expected):
    (fruit / "data").mkdir()
    (fruit / "data/fruit.csv").write_text("")
    (fruit / "fruit.yaml").write_text(SPEC.replace("fruit.csv", name))
    done = invoke("check", "fruit.yaml")
    assert (done.code, done.out, done.err) == (2, "", f"fruit.yaml:5:11: {expected}\n\n1 error in fruit.yaml\n")


def test_byte_order_marks_and_ends_of_lines_of_any_system_change_nothing(fruit, invoke):
    content = (fruit / "fruit.csv").read_text()
    expected = invoke("data", "fruit.yaml").out
    for end in ("\n", "\r\n", "\r"):
        for encoding in ("utf-8", "utf-8-sig"):
            (fruit / "fruit.csv").write_bytes(content.replace("\n", end).encode(encoding))
            assert invoke("data", "fruit.yaml").out == expected

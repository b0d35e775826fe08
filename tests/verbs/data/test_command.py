"""``mlpkit data``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlpkit.verbs.data.data import StatisticsOfColumns

TABLE = """\
mlpkit: 1
data: {{csv: {{file: data.csv, {options}, validation: 0.25, test: 0, split: shuffle, standardize: false}}}}
layers: [{{Affine: {{units: 2}}}}, {loss}]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 2, epochs: 1}}
"""


@pytest.fixture
def table(cwd):
    """Return a function that writes a spec of the table data.csv."""
    rows = [(1, "red", "no", 0, 1), (2, "blue", "yes", 1, 1), (3, "red", "no", 1, 0), (4, "red", "yes", 0, 0)]
    content = "size,colour,good,p,q\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    (cwd / "data.csv").write_text(content)

    def write(options, loss):
        (cwd / "table.yaml").write_text(TABLE.format(options=options, loss=loss))

    return write


SHAPES = """\
mlpkit: 1
data: {image_folder: {folder: "example:shapes"}}
layers: [Flatten, {Affine: {units: 3}}, SoftmaxWithLoss]
training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 1}
"""
CLASSES = "target: good, categorical: [colour], inputs: [size, colour]"


def test_classes_ranges_and_examples(table, invoke):
    table(CLASSES, "SoftmaxWithLoss")
    done = invoke("data", "table.yaml", "--encoded", "--rows", "2")
    assert done.code == 0
    assert done.err.startswith("table.yaml:2:103: warning: the validation results will mean little, with 1 example")
    assert (
        done.out
        == """\
table.yaml: csv
  input 3 (float32), target 2 classes

  class        train  validation
  examples         3           1
  no        1 ( 33%)    1 (100%)
  yes       2 ( 67%)    0 (  0%)

  input         least  greatest    mean     std
  size         1.0000    4.0000  2.3333  1.2472
  colour=blue  0.0000    1.0000  0.3333  0.4714
  colour=red   0.0000    1.0000  0.6667  0.4714

  example  target  inputs
        0  no      1.0000 0.0000 1.0000
        1  yes     2.0000 1.0000 0.0000
"""
    )


def test_a_table_is_shown_as_it_stands_in_the_file(table, invoke):
    table(CLASSES, "SoftmaxWithLoss")
    done = invoke("data", "table.yaml")
    assert done.code == 0
    assert (
        done.out
        == """\
table.yaml: csv
  input 3 (float32), target 2 classes

  class        train  validation
  examples         3           1
  no        1 ( 33%)    1 (100%)
  yes       2 ( 67%)    0 (  0%)

  column    type     missing  distinct  histogram  range
  target
    good    text           -         2  ██         no 2, yes 2
  inputs
    size    integer        -         4  █ █  █ █   1 to 4
    colour  text           -         2  █▃         red 3, blue 1
  left out
    p       integer        -         2  █      █   0 to 1
    q       integer        -         2  █      █   0 to 1
"""
    )


SPOILED = "id,constant,empty,copy,size,good\n"


@pytest.fixture
def spoiled(cwd):
    """Write a table with columns that no network should be given, and rows that the test data shares."""
    rows = [f"{i},7,,{'yes' if i % 3 else 'no'},{(i * 7919) % 101},{'y' if i % 3 else 'n'}\n" for i in range(1, 61)]
    rows += [f"{i},{row.partition(',')[2]}" for i, row in zip((70, 80, 90), rows, strict=False)]
    (cwd / "data.csv").write_text(SPOILED + "".join(rows[:60]))
    (cwd / "other.csv").write_text(SPOILED + "".join(rows[60:]))
    options = "target: good, categorical: [copy], ignore: [empty, id], test: other.csv"
    spec = TABLE.format(options=options, loss="SoftmaxWithLoss").replace("0.25, test: 0, ", "0, ")
    (cwd / "table.yaml").write_text(spec)


def test_what_no_network_should_be_given_is_pointed_out(spoiled, invoke):
    done = invoke("data", "table.yaml")
    assert done.code == 0
    told = done.out.rpartition("\n\n")[2].splitlines()
    assert told == [
        "  constant has only one value",
        "  copy predicts good by itself: is it known when you predict?",
        "  3 rows of 3 in test appear in train too",
    ]
    found = json.loads(invoke("data", "table.yaml", "--json").out)
    assert found["repeated_rows"] == {"test": 3}
    assert [column["name"] for column in found["columns"] if column["remarks"]] == ["constant", "copy"]
    (empty,) = [column for column in found["columns"] if column["name"] == "empty"]
    assert (empty["role"], empty["type"], empty["missing"], empty["distinct"]) == ("left out", "empty", 63, 0)


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_the_table_of_columns_fits_the_terminal(columns, spoiled, terminal):
    screen = terminal("data", "table.yaml", columns=columns, rows=60)
    assert screen.wait_for_end() == 0
    lines = screen.lines()
    headings = [number for number, line in enumerate(lines) if line.split()[:1] == ["column"]]
    assert len(headings) == (2 if columns == 50 else 1)
    titles = [title for number in headings for title in lines[number].split()[1:]]
    assert titles == ["type", "missing", "distinct", "histogram", "range"]
    names = [line.split()[0] for line in lines[headings[0] :] if line.startswith("    ")]
    assert names == ["good", "constant", "copy", "size", "id", "empty"] * len(headings)


def test_a_wide_table_shows_the_unusual_columns_first(cwd, invoke):
    names = [f"x{i}" for i in range(300)]
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 300)).round(3).astype(str)
    rows[:, 200] = "1"
    rows[4, 250] = ""
    lines = [",".join([*row, str(i % 2)]) for i, row in enumerate(rows.tolist())]
    (cwd / "data.csv").write_text("\n".join([",".join([*names, "good"]), *lines]) + "\n")
    (cwd / "table.yaml").write_text(TABLE.format(options="target: good, missing: fill", loss="SoftmaxWithLoss"))
    out = invoke("data", "table.yaml").out
    shown = [line.split()[0] for line in out.splitlines() if line.startswith("    x")]
    assert shown == [*names[:38], "x200", "x250"]
    assert "    and 260 more; --all shows them\n" in out
    everything = invoke("data", "table.yaml", "--all").out
    assert [line.split()[0] for line in everything.splitlines() if line.startswith("    x")] == names


def test_bars_are_drawn_in_ascii_where_nothing_else_can_be_printed(table, mlpkit):
    table(CLASSES, "SoftmaxWithLoss")
    out = mlpkit("data", "table.yaml", env={"PYTHONIOENCODING": "ascii"}).out
    assert "# #  # #   1 to 4" in out


def test_a_name_of_two_lines_stands_on_one(cwd, invoke):
    rows = "".join(f"{i % 2},{i},7\n" for i in range(30))
    (cwd / "data.csv").write_text('good,"si\nze","con\nstant"\n' + rows)
    (cwd / "table.yaml").write_text(TABLE.format(options="target: good", loss="SoftmaxWithLoss"))
    lines = invoke("data", "table.yaml").out.splitlines()
    assert "si\\nze" in [line.split()[0] for line in lines if line]
    assert "  con\\nstant has only one value" in lines


def test_json_has_all_of_it(table, invoke):
    table(CLASSES, "SoftmaxWithLoss")
    found = json.loads(invoke("data", "table.yaml", "--json", "--rows", "1").out)
    (warning,) = found.pop("warnings")
    assert warning["message"].startswith("the validation results will mean little, with 1 example")
    _, size, *_, q = sorted(found.pop("columns"), key=lambda column: column["name"] != "good")
    assert [*size.values()] == ["size", "input", "integer", 0, 4, 1, 4, [], [1, 0, 1, 0, 0, 1, 0, 1], []]
    facts = ["name", "role", "type", "missing", "distinct", "least", "greatest", "common", "histogram", "remarks"]
    assert [*size] == facts
    assert (q["role"], q["histogram"]) == ("left out", [2, 0, 0, 0, 0, 0, 0, 2])
    thirds = {key: pytest.approx(value) for key, value in {"mean": 7 / 3, "std": (14 / 9) ** 0.5}.items()}
    assert found.pop("inputs")["size"] == {"least": 1, "greatest": 4, **thirds}
    counts = {"train": {"no": 1, "yes": 2}, "validation": {"no": 1, "yes": 0}}
    assert found == {
        "spec": "table.yaml",
        "data": "csv",
        "input_shape": [3],
        "dtype": "float32",
        "target": {"type": "Classes", "count": 2, "one_hot": False},
        "splits": {name: {"examples": sum(each.values()), "counts": each} for name, each in counts.items()},
        "values": None,
        "arrays": [],
        "repeated_rows": {},
        "examples": [{"inputs": [1, 0, 1], "target": 0}],
    }


def test_labels_and_values(table, invoke):
    table("target: [p, q], inputs: [size], predict: labels", "SigmoidWithLoss")
    lines = invoke("data", "table.yaml", "--encoded").out.splitlines()
    assert [line.split()[:2] for line in lines[3:7]] == [["label", "train"], ["examples", "3"], ["p", "1"], ["q", "2"]]
    assert [line.split()[1:-1] for line in lines[-3:]] == [["q"], ["p,", "q"], ["-"]]
    table("target: [p, q], inputs: [size], predict: values", "MeanSquaredError")
    found = json.loads(invoke("data", "table.yaml", "--json").out)
    assert found["values"]["q"] == pytest.approx({"least": 0, "greatest": 1, "mean": 2 / 3, "std": 2**0.5 / 3})
    assert "counts" not in found["splits"]["train"]


def test_images_have_statistics_too(invoke):
    done = invoke("data", "tiny.yaml", "--json", "--rows", "0")
    found = json.loads(done.out)
    assert found["splits"]["test"]["examples"] == 60
    assert sum(found["splits"]["test"]["counts"].values()) == 60
    assert len(found["inputs"]) == 16


def test_images_and_rows_without_names_have_statistics_as_a_whole(invoke, cwd):
    (cwd / "shapes.yaml").write_text(SHAPES)
    for flatten in ("true", "false"):
        done = invoke("data", "shapes.yaml", "--encoded", "--set", f"data.image_folder.flatten={flatten}")
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        begin = next(number for number, line in enumerate(lines) if line.split()[:2] == ["input", "least"])
        assert lines[begin + 1].split()[:3] == ["all", "0.0000", "0.9765"]
        assert lines[begin + 2] == ""
        assert [line.split()[0] for line in lines[5:8]] == ["cross", "disc", "square"]


ARRAYS = """\
mlpkit: 1
data: {npz: {file: own.npz, validation: 0, test: 0.2, split: in_order}}
layers: [Flatten, {Affine: {units: auto}}, SoftmaxWithLoss]
training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 1}
"""


def test_arrays_are_shown_as_they_stand_in_their_file(invoke, cwd):
    x = np.arange(200, dtype=np.int16).reshape(50, 2, 2) - 20
    x[40:43] = x[:3]
    np.savez("own.npz", x=x, t=np.arange(50) % 2)
    (cwd / "own.yaml").write_text(ARRAYS)
    done = invoke("data", "own.yaml")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
own.yaml: npz
  input 2 x 2 (float32), target 2 classes

  class         train      test
  examples         40        10
  0         20 ( 50%)  5 ( 50%)
  1         20 ( 50%)  5 ( 50%)

  array                       type   shape  range
  input: own.npz, array 'x'   int16  2 x 2  -20 to 179
  target: own.npz, array 't'  int64         0 to 1
"""
    )
    found = json.loads(invoke("data", "own.yaml", "--json").out)
    assert found["arrays"][0] == {
        "name": "own.npz, array 'x'",
        "role": "input",
        "dtype": "int16",
        "shape": [2, 2],
        "least": -20,
        "greatest": 179,
    }
    assert "  example  target" in invoke("data", "own.yaml", "--encoded").out


def test_missing_elements_of_arrays_are_an_error(invoke, cwd):
    x = np.arange(200.0).reshape(50, 2, 2)
    x[3, 1, 0] = np.nan
    np.savez("own.npz", x=x, t=np.arange(50) % 2)
    (cwd / "own.yaml").write_text(ARRAYS)
    done = invoke("data", "own.yaml")
    assert (done.code, "own.npz, array 'x': example 3, element [1, 0] is nan" in done.err) == (1, True)


def test_values_in_arrays_have_statistics(invoke, cwd):
    np.savez("own.npz", x=np.arange(50.0), t=np.arange(50.0))
    text = ARRAYS.replace("split: in_order", "predict: values").replace("SoftmaxWithLoss", "MeanSquaredError")
    (cwd / "own.yaml").write_text(text)
    assert "  target   least  greatest" in invoke("data", "own.yaml").out


def test_an_array_of_one_number_and_a_copy_of_a_row_are_told_in_the_singular(invoke, cwd):
    rows = [f"{i},{i * 7 % 11},{'yn'[i % 2]}\n" for i in range(1, 61)]
    (cwd / "data.csv").write_text("a,b,good\n" + "".join(rows))
    (cwd / "other.csv").write_text("a,b,good\n" + rows[3] + "99,99,y\n")
    spec = TABLE.format(options="target: good, test: other.csv", loss="SoftmaxWithLoss")
    (cwd / "table.yaml").write_text(spec.replace("0.25, test: 0, ", "0, "))
    assert "\n  1 row of 2 in test appears in train too\n" in invoke("data", "table.yaml").out
    np.savez("own.npz", x=np.full((50, 2), 0.1), t=np.arange(50) % 2)
    (cwd / "own.yaml").write_text(ARRAYS)
    assert "  input: own.npz, array 'x'   float64  2      0.1\n" in invoke("data", "own.yaml").out


def test_digits_and_pictures_show_their_pixels(invoke, cwd):
    digits = invoke("data", "tiny.yaml").out
    assert "  input: images   uint8  4 x 4  0 to 255\n  target: labels  uint8         0 to 9\n" in digits
    (cwd / "shapes.yaml").write_text(SHAPES)
    assert "  input: pixels  uint8  1 x 8 x 8  0 to 249\n" in invoke("data", "shapes.yaml").out


def roles(invoke):
    columns = json.loads(invoke("data", "table.yaml", "--json").out)["columns"]
    return {column["name"]: column["role"] for column in columns}


def write_patients(path, options, splits):
    rows = [f"{i},{i % 7},{'abc'[i % 3]},2024-01-{i % 28 + 1:02},{i * 7}" for i in range(60)]
    path.with_name("data.csv").write_text("\n".join(["patient,x,good,day,note", *rows]) + "\n")
    text = TABLE.format(options=options, loss="SoftmaxWithLoss").replace("units: 2", "units: 3")
    path.write_text(text.replace("validation: 0.25, test: 0, split: shuffle", splits))


def test_columns_that_decide_the_split_have_a_place_of_their_own(invoke, cwd):
    splits = "validation: 0.25, test: 0, split: {group: patient}"
    write_patients(cwd / "table.yaml", "target: good, dates: [day], ignore: [note]", splits)
    expected = {"patient": "split", "x": "input", "good": "target", "day": "input", "note": "left out"}
    assert roles(invoke) == expected
    done = invoke("data", "table.yaml")
    assert "patient differs in every row" not in done.out
    lines = [line.strip() for line in done.out.splitlines()]
    titles = [line for line in lines if line in ("target", "inputs", "decides the split", "left out")]
    assert titles == ["target", "inputs", "decides the split", "left out"]
    assert lines[lines.index("decides the split") + 1].split()[0] == "patient"


def test_a_column_decides_no_split_that_has_a_file(invoke, cwd):
    splits = "validation: 0, test: data.csv, split: {group: patient}"
    write_patients(cwd / "table.yaml", "target: good, dates: [day], ignore: [note]", splits)
    assert roles(invoke)["patient"] == "left out"


def test_a_mean_that_is_rounding_alone_is_shown_as_zero(cwd, invoke):
    rows = "".join(f"{i * 0.1},{i * 0.37},{i % 2}\n" for i in range(99))
    (cwd / "data.csv").write_text("a,b,good\n" + rows)
    (cwd / "table.yaml").write_text(
        TABLE.format(options="target: good", loss="SoftmaxWithLoss").replace(", standardize: false", "")
    )
    lines = invoke("data", "table.yaml", "--encoded").out.splitlines()
    assert [line.split()[3] for line in lines if line.split()[:1] in (["a"], ["b"])] == ["0.0000", "0.0000"]


def test_mistakes_are_shown_as_by_check(table, invoke):
    table(CLASSES.replace("good", "god"), "SoftmaxWithLoss")
    done = invoke("data", "table.yaml")
    assert (done.code, done.out) == (2, "")
    assert "did you mean 'good'?" in done.err
    assert invoke("data", "nowhere.yaml").code == 2


def test_statistics_of_parts_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(1e6, 1, (1000, 3))
    found = StatisticsOfColumns(3)
    for part in np.split(rows, [1, 10, 500]):
        found.update(part)
    expected = np.stack([rows.min(axis=0), rows.max(axis=0), rows.mean(axis=0), rows.std(axis=0)], axis=1)
    np.testing.assert_allclose(found.result(), expected, rtol=1e-9)


def test_rows_of_few_values_that_splits_share_are_no_copies(cwd, invoke):
    rows = [f"{'mf'[i % 2]},{i * 7 % 3},{'yn'[i * i % 5 % 2]}" for i in range(400)]
    (cwd / "few.csv").write_text("\n".join(["sex,class,lived", *rows]))
    assert invoke("init", "--data", "few.csv", "--target", "lived", "--out", "few.yaml").code == 0
    assert json.loads(invoke("data", "few.yaml", "--json").out)["repeated_rows"] == {}

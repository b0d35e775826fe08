"""What differs between runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from page_text import page_text

import mlpkit
from mlpkit.verbs.runs.compare import Comparison, compare, lines_of, write_comparison


def test_the_same_run_twice_differs_in_nothing(train):
    train("a")
    train("b")
    found = compare([Path("a"), Path("b")])
    assert found.runs == ["a", "b"]
    assert found.spec == found.versions == found.results == found.curves == found.metrics == {}


def test_what_differs_has_a_value_a_run(train, work):
    first = train("a")
    second = train("b", seed=7, layers__Affine1__units=9, training__optimizer={"adam": {"learning_rate": 0.01}})
    lock = json.loads((work / "b/lock.json").read_text())
    lock["environment"]["numpy"] = "9.9"
    (work / "b/lock.json").write_text(json.dumps(lock))
    found = compare([Path("a"), Path("b")])
    assert found.spec["seed"] == [3, 7]
    assert found.spec["layers.Affine1.Affine.units"] == [16, 9]
    assert found.spec["training.optimizer"] == ["sgd", "adam"]
    assert found.spec["training.optimizer.learning_rate"] == [0.05, 0.01]
    assert "training.batch_size" not in found.spec
    assert list(found.versions) == ["environment.numpy"]
    assert found.versions["environment.numpy"][1] == "9.9"
    assert found.metrics["test.loss"] == [run.metrics["test"]["loss"] for run in (first, second)]
    assert found.curves["train_loss"] == [run.history[-1]["train_loss"] for run in (first, second)]
    assert found.curves["learning_rate"] == [0.05, 0.01]
    assert set(found.results) == {"history.jsonl", "metrics.json", "model.safetensors"}


def test_layers_go_by_their_names(train):
    train("a")
    train("b", layers=[{"Affine": {"units": 10, "name": "Affine2"}}, "SoftmaxWithLoss"])
    spec = compare([Path("a"), Path("b")]).spec
    assert spec["layers.Relu1"] == ["Relu", None]
    assert not any(key.startswith("layers.Affine2") for key in spec)


def test_a_run_that_was_stopped_has_no_metrics(train, work):
    train("a")
    train("b")
    (work / "b/metrics.json").unlink()
    found = compare([Path("a"), Path("b")])
    assert found.metrics["test.loss"][1] is None
    assert found.results["metrics.json"][1] is None


def test_a_folder_that_is_not_a_run_is_refused(train, work):
    train("a")
    with pytest.raises(mlpkit.RunFolderError, match="digits: is not a run folder"):
        compare([Path("a"), Path("digits")])


def test_on_a_narrow_terminal_long_keys_are_cut_and_headings_are_not():
    group = {"rows": 9, "metrics": {"loss": {"value": 0.5, "low": 0.25, "high": 0.75}}}
    by = {"split": "validation", "whole": group, "columns": {"a_column_with_a_long_name": {"x": group}}}
    spec = {"layers.Residual1.Affine1.Affine.units": [10, 20]}
    found = Comparison(["a", "b"], spec, {}, {}, {}, {}, by=[by, by])
    assert [line.rstrip() for line in lines_of(found, 64)] == [
        "                                a                b",
        "spec",
        "  layers.…Affine1.Affine.units  10               20",
        "versions: the same",
        "curves, last values: the same",
        "metrics: no run is finished",
        "results, SHA-256: the same",
        "by a_column_with_a_long_name, rows of validation",
        "  all rows: loss                0.5000 ± 0.2500  0.5000 ± 0.2500",
        "  x: loss                       0.5000 ± 0.2500  0.5000 ± 0.2500",
        "",
    ]


@pytest.mark.parametrize(
    ("width", "beside", "shown"),
    [
        (20, False, "a_…tters"),
        (50, False, "a_nam…f_20_letters"),
        (57, False, "a_name_of_20_letters"),
        (58, True, "a_n…_letters"),
        (72, True, "a_name…f_20_letters"),
        (74, True, "a_name_of_20_letters"),
    ],
)
def test_two_runs_are_side_by_side_if_there_is_room_for_a_key_and_twelve_letters_each(width, beside, shown):
    spec = {"layers.Residual1.Affine1.Affine.units": ["a_name_of_20_letters", None]}
    found = Comparison(["first", "second"], spec, {}, {}, {}, {}, finished=2)
    cells = [line.split()[1:] for line in lines_of(found, width) if "units" in line]
    assert cells == ([[shown, "-"]] if beside else [[shown], ["-"]])


@pytest.fixture
def towns(cwd):
    """Two runs of a spec with test rows, in which only two towns are, and one of a spec without test rows."""
    for file, count, towns in (("train", 30, "abc"), ("validation", 12, "abc"), ("test", 14, "ba")):
        rows = [f"{i * 7 % 11},{towns[i % 5 % len(towns)]},{i * 5 % 13}" for i in range(count)]
        Path(f"{file}.csv").write_text("\n".join(["x,town,y", *rows]))
    table = {"file": "train.csv", "validation": "validation.csv", "target": "y", "predict": "values"}
    training = {"optimizer": {"sgd": {"learning_rate": 0.01}}, "iterations": 3, "metrics": ["r2"]}
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    for name, seed, test in (("a/seed-0", 0, "test.csv"), ("a/seed-1", 1, "test.csv"), ("b", 0, 0)):
        data = {"csv": {**table, "test": test, "ignore": ["town"]}}
        spec = {"mlpkit": 1, "name": "towns", "seed": seed, "data": data, "layers": layers, "training": training}
        mlpkit.run(mlpkit.load_spec(spec), name, quiet=True)
    return [Path("a"), Path("b")]


def test_groups_of_rows_are_those_of_one_run_or_means_over_several(towns, invoke, monkeypatch):
    first, second, alone = (
        json.loads(invoke("evaluate", run, "--by", "town", "--split", split, "--json").out)[split]["by"]
        for run, split in (("a/seed-0", "test"), ("a/seed-1", "test"), ("b", "validation"))
    )
    found = compare(towns, by=["town"])
    several, one = found.by
    assert one == {"split": "validation", **alone}
    assert (several["split"], [*several["columns"]["town"]], [*one["columns"]["town"]]) == ("test", [*"ba"], [*"abc"])
    for group in "ab":
        each = (run["columns"]["town"][group]["metrics"]["loss"]["value"] for run in (first, second))
        assert several["columns"]["town"][group]["metrics"]["loss"]["value"] == pytest.approx(sum(each) / 2)

    monkeypatch.setattr("mlpkit.verbs.runs.compare.curves_of_sets", lambda _: "")  # to draw them takes long
    write_comparison(towns, Path("page.html"), by=["town"])
    page = Path("page.html").read_text("utf-8").partition("<main")[2]
    lines = [line.rstrip() for line in lines_of(found, None)]
    title = "by town, rows of test and validation"
    printed = [line.split("  ") for line in lines[lines.index(title) + 1 :]][: 2 * (1 + 3)]
    cells = [[cell.strip() for cell in row if cell] for row in printed]
    groups = ("all rows", *"bac")
    assert [row[0] for row in cells] == [f"{group}: {name}" for group in groups for name in ("loss", "r2")]
    assert [row[1] == "-" for row in cells] == 6 * [False] + 2 * [True]
    section = page_text("<main" + page[page.index(f"<caption>{title}</caption>") :].partition("</table>")[0])
    shown = [line.split(" | ") for line in section.splitlines()[1:]]
    assert shown == [["'group'", "a", "b"], *([f"'{key}'", *figures] for key, *figures in cells)]
    assert 'class="sortable"' in page.partition(f"<caption>{title}")[0].rpartition("<table")[2]

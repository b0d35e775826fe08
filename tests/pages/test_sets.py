"""Results and curves of several sides, each a run or several that differ in their seeds."""

import json
import re
from pathlib import Path

import pytest

from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.results import RunOnPage, RunSet, results_table


def run(name, losses, *, seed=0, rate=0.1, metrics=None):
    """Return a run with an evaluation every ten iterations."""
    rates = rate if isinstance(rate, list) else [rate] * len(losses)
    history = [
        {"iteration": 10 * (i + 1), "epoch": i / 2, "learning_rate": rates[i], "train_loss": loss}
        for i, loss in enumerate(losses)
        if loss is not None
    ]
    return RunOnPage(Path(name), {"seed": seed}, {}, history, metrics or {})


def side(name, *runs):
    return RunSet(name, runs)


def charts_of(part):
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def points_of(layer):
    return [(point["series"], point["iteration"], point["value"]) for point in layer["data"]["values"]]


def paragraphs(part):
    return re.findall("<p>(.*?)</p>", part)


def cells(part):
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", part)]
    return [row for row in rows if row]


def test_runs_alone_are_curves_without_means():
    part = curves_of_sets([side("runs/a", run("runs/a", [3, 2])), side("runs/b", run("runs/b", [5, 4]))])
    (chart,) = charts_of(part)
    assert points_of(chart) == [("a", 10, 3), ("a", 20, 2), ("b", 10, 5), ("b", 20, 4)]
    assert not any("strokeOpacity" in layer["encoding"] for layer in chart["layer"])
    assert paragraphs(part) == ["Learning rate: 0.1 throughout."]
    assert "Last points: Train loss" in part
    assert cells(part) == [["a", "20", "2"], ["b", "20", "4"]]


def test_a_chart_of_sides_has_their_colours_and_dashes_and_digits_enough_to_compare():
    first = side("a", run("a0", [1, 0.001]), run("a1", [1, 0.1234567]))
    chart = charts_of(curves_of_sets([side("none yet", run("c", [])), first, side("b", run("b", [1, 0.5]))]))[0]
    assert points_of(chart)[1] == ("a", 20, 0.0622284)
    lines = next(layer["encoding"] for layer in chart["layer"] if "strokeDash" in layer["encoding"])
    assert lines["color"]["scale"]["domain"] == ["none yet", "a", "b"]
    assert lines["color"]["legend"]["values"] == ["a", "b"]
    assert lines["y"]["scale"]["type"] == "log"  # for the run that fell to a thousandth
    chart = charts_of(curves_of_sets([side("a", run("a", [1, 0.5]))]))[0]
    assert not any("strokeDash" in layer["encoding"] for layer in chart["layer"])
    assert chart["layer"][0]["encoding"]["y"]["scale"].get("zero") is not False


def test_several_runs_are_thin_lines_behind_their_mean_where_all_have_a_value():
    runs = run("x/0", [3, 2, 1.5, 1]), run("x/1", [5, None, 2.5])
    part = curves_of_sets([side("x", *runs), side("y", run("y", [9]))])
    (chart,) = charts_of(part)
    assert points_of(chart) == [("x", 10, 4), ("x", 30, 2), ("y", 10, 9)]
    thin = next(layer for layer in chart["layer"] if "strokeOpacity" in layer["encoding"])
    assert [(point["line"], point["iteration"], point["value"]) for point in thin["data"]["values"]] == [
        *(("x/0", 10, 3), ("x/0", 20, 2), ("x/0", 30, 1.5), ("x/0", 40, 1)),
        *(("x/1", 10, 5), ("x/1", 30, 2.5)),
    ]
    assert paragraphs(part)[0] == "Thick: the mean of the runs. Thin: each run."


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ((0.1, 0.1), ["Learning rate: 0.1 throughout."]),
        ((0.1, 0.0123456789), ["Learning rate, throughout: a 0.1; b/c 0.0123457."]),
        ((0.1, [0.1, 0.05]), []),
    ],
)
def test_learning_rates_are_drawn_if_one_changes(rates, said):
    names = ("r/a", "r/b/c")
    found = [side(name, run(name, [2, 1], rate=rate)) for name, rate in zip(names, rates, strict=True)]
    part = curves_of_sets(found)
    assert paragraphs(part) == said
    charts = charts_of(part)
    assert [chart["description"] for chart in charts] == ["Train loss", *([] if said else ["Learning rate"])]
    if not said:
        assert points_of(charts[1]) == [("a", 10, 0.1), ("a", 20, 0.1), ("b/c", 10, 0.1), ("b/c", 20, 0.05)]


@pytest.mark.parametrize(("together", "most"), [(240, 60), (120, 30), (40, 20)])
def test_two_curves_in_each_of_two_charts_share_the_points_of_a_page(together, most, monkeypatch):
    monkeypatch.setattr("mlpkit.pages.curves.MOST_POINTS_TOGETHER", together)
    sides = [side(name, run(name, [1 / (i + 1) for i in range(300)], rate=[0.1, *[0.2] * 299])) for name in "ab"]
    for chart in charts_of(curves_of_sets(sides)):
        drawn = [iteration for name, iteration, _ in points_of(chart) if name == "a"]
        assert most / 2 < len(drawn) <= most
        assert (drawn[0], drawn[-1]) == (10, 3000)


def test_a_folder_and_one_inside_it_keep_their_names():
    part = curves_of_sets([side("r", run("r", [1], rate=0.1)), side("r/x", run("r/x", [1], rate=0.2))])
    assert paragraphs(part) == ["Learning rate, throughout: r 0.1; r/x 0.2."]


def test_sides_without_evaluations():
    assert paragraphs(curves_of_sets([side("a", run("a", []))])) == ["No evaluation yet."]


RESULTS = {"test": {"accuracy": 0.5, "loss": 0.25, "table": [[1]]}, "train": {"loss": 0.125}}


def test_results_of_runs_have_the_seed_and_the_splits_in_their_order():
    sides = [
        side("a", run("a", [1, 2], seed=7, metrics=RESULTS)),
        side("b", run("b", [1, 2, 3], metrics={"validation": {"loss": 4.0}, "test": {"loss": 0.75}})),
        side("c", run("c", [])),
    ]
    part = results_table(sides, "At the end")
    titles = re.findall(r"<th [^>]*>(.*?)</th>", part)
    assert titles == ["run", "seed", "steps", "test loss", "test accuracy", "validation loss", "train loss"]
    assert cells(part) == [
        ["a", "7", "20", "0.2500", "0.5000", "", "0.1250"],
        ["b", "0", "30", "0.7500", "", "4.0000", ""],
        ["c", "0", "0", "", "", "", ""],
    ]


def test_results_of_several_runs_are_means_and_how_many_are_finished():
    runs = [run(str(i), [1] * i, seed=i, metrics={"test": {"loss": 0.5 + i}}) for i in (1, 2, 3)]
    part = results_table([side("a", *runs, run("4", [1], seed=4)), side("b", run("b", [1], metrics=RESULTS))], "Ends")
    assert re.findall(r"<th [^>]*>(.*?)</th>", part)[:3] == ["run", "finished", "steps"]
    assert cells(part)[0] == [
        "a",
        "3 of 4",
        "30",
        "2.5000 ± 2.4841",
        "",
        "",
    ]  # t of 2 degrees, 4.3027, over the root of 3
    assert cells(part)[1][:4] == ["b", "1 of 1", "10", "0.2500"]
    assert re.findall('data-value="([^"]*)"', part)[:6] == ["a", "3", "30", "2.5", "", ""]


def test_runs_that_differ_in_their_seeds_alone_have_the_same_settings():
    def found(lock=None, **spec):
        return RunOnPage(Path("a"), spec, lock or {}, [], {})

    one = found(name="a", about="x", seed=1, seeds=2, dtype="float32")
    assert one.settings == found(name="b", seed=3, dtype="float32").settings
    assert one.settings != found(name="a", seed=1, dtype="float64").settings
    assert one.settings != found({"data_checksum": "1"}, dtype="float32").settings
    assert [found(**spec).seed for spec in ({}, {"seed": 5}, {"seed": 5, "ensemble": {"members": 3, "member": 2}})] == [
        0,
        5,
        7,
    ]


def test_of_runs_with_one_seed_the_first_counts_and_columns_are_ordered_by_split_and_by_how_many_have_them():
    metrics = [{"test": {"loss": 1.0, "f1": 0.5}, "other": {"f1": 0.125}}, {"test": {"loss": 3.0}, "train": {"a.b": 2}}]
    part = results_table([side("a", *(run(str(i), [1], metrics=each) for i, each in enumerate(metrics)))], "Ends")
    titles = re.findall(r"<th [^>]*>(.*?)</th>", part)
    assert titles == ["run", "finished", "steps", "test loss", "test f1", "train a.b", "other f1"]
    assert cells(part) == [["a", "2 of 2", "10", "1.0000", "0.5000", "2.0000", "0.1250"]]

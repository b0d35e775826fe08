"""Charts of several panels, and paths in a plane: their numbers, and that they can be drawn."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from mlpkit.pages import charts, parts
from mlpkit.pages.charts.parallel import NOT_SET
from mlpkit.pages.charts.planes import COLOURS, FAINT

COUNTS = {"layer 1": [3, 0, 1], "layer 2": [0, 4, 0]}
SPIRAL = [{"x": x, "y": y, "series": "Adam", "step": i} for i, (x, y) in enumerate([(2, 0), (0, 1), (-1, 0), (2, 0)])]


def test_histograms_stand_beside_each_other_each_over_the_same_bins():
    drawn, names = charts.histograms(COUNTS, [-1.0, 0.0, 1.0, 2.0])["layer"]

    bars = drawn["data"]["values"]
    assert [(bar["name"], bar["from"], bar["to"], bar["count"]) for bar in bars] == [
        ("layer 1", -1.0, 0.0, 3),
        ("layer 1", 1.0, 2.0, 1),
        ("layer 2", 0.0, 1.0, 4),
    ]
    for i, bar in zip([0, 0, 1], bars, strict=True):
        assert i < bar["left"] < bar["right"] < i + 1
        assert bar["right"] - bar["left"] == pytest.approx(bars[0]["right"] - bars[0]["left"])
    assert [(name["name"], name["middle"]) for name in names["data"]["values"]] == [("layer 1", 0.5), ("layer 2", 1.5)]


def test_the_ends_of_each_histogram_are_labelled_and_tall_bars_cut():
    picture = charts.figure("Two", charts.histograms(COUNTS, [-1.0, 0.0, 1.0, 2.0], most=2))

    texts = re.findall(r"<text [^>]*>([^<]+)</text>", picture)
    assert texts.count("\N{MINUS SIGN}1") == 2
    assert {"layer 1", "layer 2"} <= set(texts)
    assert not {"3", "4"} & set(texts)


def test_a_path_keeps_the_order_of_its_points_over_faint_lines():
    circle = [{"x": 1, "y": 0, "series": "f = 1"}, {"x": 0, "y": 1, "series": "f = 1"}]

    below, above = charts.paths(SPIRAL, "x", "y", lines=circle)["layer"]

    assert [(point["x"], point["y"], point["order"]) for point in above["data"]["values"]] == [
        (2, 0, 0),
        (0, 1, 1),
        (-1, 0, 2),
        (2, 0, 3),
    ]
    assert above["encoding"]["order"]["field"] == "order"
    assert [point["series"] for point in below["data"]["values"]] == ["f = 1", "f = 1"]
    assert below["mark"]["strokeWidth"] < above["mark"]["strokeWidth"]
    assert len(charts.paths(SPIRAL, "x", "y")["layer"]) == 1
    picture = charts.figure("A path", charts.paths(SPIRAL, "x", "y", lines=circle))
    assert len(re.findall(r'aria-label="x: [^"]*series: Adam', picture)) == 1 + len(SPIRAL)  # the line, and its points


def test_curves_have_the_axis_that_is_asked_for():
    points = [{"epoch": i, "accuracy": 0.2 * i, "series": "train"} for i in range(3)]

    text = json.dumps(charts.curves(points, "epoch", "accuracy", domain=(0, 1)))

    assert '"domain": [0, 1]' in text
    assert '"domain": [0, 1]' not in json.dumps(charts.curves(points, "epoch", "accuracy"))


def test_a_curve_has_its_colour_in_all_charts_and_thin_lines_share_it():
    points = [{"epoch": i, "loss": 1.0 - i, "series": "b"} for i in range(3)]
    thin = [{**point, "line": f"run {i}"} for i in range(2) for point in points]

    behind, lines, _ = charts.curves(points, "epoch", "loss", thin=thin, names=["a", "b"])["layer"]

    colour = lines["encoding"]["color"]
    assert (colour["scale"]["domain"], colour["legend"]["values"]) == (["a", "b"], ["b"])
    assert behind["encoding"]["color"] == colour
    assert behind["encoding"]["detail"]["field"] == "line"
    picture = charts.figure("Loss", charts.curves(points, "epoch", "loss", thin=thin, names=["a", "b"]))
    assert picture.count('stroke-width="0.75"') == 2


def test_thin_lines_are_as_clear_as_is_asked_for():
    points = [{"epoch": i, "loss": 1.0 - i, "series": "b", "line": "c"} for i in range(3)]

    behind, *_ = charts.curves(points, "epoch", "loss", thin=points, thin_opacity=0.75)["layer"]

    assert behind["encoding"]["strokeOpacity"] == {"value": 0.75}


def test_points_have_the_colours_of_their_kinds():
    values = [{"x": 0, "y": 1, "series": "front"}, {"x": 1, "y": 1, "series": "other"}]

    picture = charts.figure("Front", charts.points(values, "x", "y", series=["other", "front"]))

    assert re.findall(r'aria-label="x: (\d); y: 1; series: (\w+)"[^>]*fill="([^"]+)"', picture) == [
        ("0", "front", COLOURS[1]),
        ("1", "other", COLOURS[0]),
    ]
    assert "color" in charts.points(values, "x", "y")["mark"]


def test_lines_cross_parallel_axes_at_their_places():
    axes = [charts.ParallelAxis("rate", [(0, "low"), (1, "high")]), charts.ParallelAxis("units", [(0.5, "30")])]
    lines = [
        charts.ParallelLine("a", [0.25, 0.5], 0.0, {"result": "0.9"}),
        charts.ParallelLine("b", [1.0, None], 1.0, {"result": "0.8"}),
        charts.ParallelLine("c", [0.0], None, {"result": "pruned"}),
    ]

    chart = charts.parallel(axes, lines, marked="a")

    drawn = [layer for layer in chart["layer"] if layer["mark"]["type"] == "line"]
    assert [[(p["line"], p["row"], p["place"]) for p in layer["data"]["values"]] for layer in drawn] == [
        [("c", 0, 0.0)],
        [("b", 0, 1.0), ("b", 1, NOT_SET)],
        [("a", 0, 0.25), ("a", 1, 0.5)],
    ]
    picture = charts.figure("Lines", chart)
    for colour in (FAINT, COLOURS[1]):  # of the dotted line, the marked one, and their points
        assert f'stroke="{colour}"' in picture
        assert f'fill="{colour}"' in picture
    texts = re.findall(r"<text [^>]*>([^<]+)</text>", picture)
    assert {*texts} == {"rate", "low", "high", "units", "30", "not set"}
    assert "not set" not in json.dumps(charts.parallel(axes, lines[:1]))


def test_parts_stand_beside_each_other_and_formulas_keep_their_lines():
    assert parts.beside("<p>a</p>", "<p>b</p>", least=11).count("<p>") == 2
    assert "--least: 11rem" in parts.beside("<p>a</p>", least=11)
    assert parts.formula("y = x²\nx < 1") == '<p class="formula">y = x²\nx &lt; 1</p>'


HOSTILE = ("toString", "constructor", "__proto__", "back\\slash", "line\nbreak", '"', "a.b[0]", "", "datum", "<b>")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_can_be_that_of_a_curve_a_bar_or_a_cell(name, capfd):
    points = [{"x": i, "y": i + 1, "series": series} for i in range(3) for series in (name, "other")]
    drawn = (
        charts.curves(points, "x", "y", titles=("", name), thin=[{**point, "line": name} for point in points]),
        charts.bars([{"name": name, "value": 1}, {"name": "other", "value": 2}], "name", "value", titles=(name, name)),
        charts.heatmap(
            [{"x": name, "y": "other", "n": 3}, {"x": "other", "y": name, "n": 3}], "x", "y", "n", titles=("", "")
        ),
        charts.points(points, "x", "y", series=[name, "other"], titles=(name, name)),
    )

    for chart in drawn:
        picture = charts.figure(name, chart)

        texts = {unescape(text).strip("\u200b") for text in re.findall(r"<text [^>]*>([^<]*)</text>", picture)}
        assert {name, name.replace("\\", "\N{SET MINUS}").replace("\n", " ")} & {*texts, ""}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("title", ["", "column"])
def test_bars_have_a_title_for_their_names_if_it_is_given(title):
    chart = charts.bars([{"name": "x", "value": 1}], "name", "value", titles=(title, "share"))
    assert [chart["encoding"][axis]["title"] for axis in "yx"] == [title or None, "share"]


def test_bars_of_a_group_have_the_colours_of_their_series():
    chart = charts.grouped_bars(["red", "blue"], {"then": [0.25, 0.75], "now": [0.5, 0.5]}, "share")

    bars = {(bar["name"], bar["series"]): bar["share"] for bar in chart["data"]["values"]}
    assert bars == {("red", "then"): 0.25, ("red", "now"): 0.5, ("blue", "then"): 0.75, ("blue", "now"): 0.5}
    picture = charts.figure("Then and now", chart)
    assert all(picture.count(f'fill="{colour}"') >= 2 for colour in COLOURS[:2])


TABLE = [{"x.1": 1, "y": 2.5, "series": "a"}, {"x.1": 3, "y": float("nan"), "series": "b"}]
QUANTILES = [{"x": x, **{key: i + x for i, key in enumerate(("q05", "q25", "q50", "q75", "q95"))}} for x in (1, 2)]
AXES = [charts.ParallelAxis("rate", [(0, "low"), (1, "high")]), charts.ParallelAxis("units", [(0.5, "30")])]
LINES = [
    charts.ParallelLine("a", [0.25, None], 0.5, {"loss": "2"}),
    charts.ParallelLine("b", [0.75], None, {"loss": "3"}),
    charts.ParallelLine("c", [0.0, 1.0], 0.0, {"loss": "4"}),
]
ALL_OF_CURVES = {
    "titles": ("step", "loss"),
    "domain": (0.5, 9),
    "zero": False,
    "marked": {"x.1": 1, "y": 2.5},
    "diagonal": True,
    "thin": [{**point, "line": "1"} for point in TABLE],
    "names": ["a", "b", "c", "d", "e"],
    "dashed": True,
}
SPECIFICATIONS = {
    "curves": charts.curves(TABLE, "x.1", "y"),
    "curves, with everything": charts.curves(TABLE, "x.1", "y", **ALL_OF_CURVES),
    "curves, logarithmic": charts.curves(TABLE, "x.1", "y", logarithmic=True),
    "bands": charts.bands(QUANTILES, "x", titles=("step", "spread")),
    "bands of names": charts.bands(QUANTILES, "x", titles=("town", ""), middle="q25", zero=False, named=True),
    "histogram": charts.histogram([2, 0, 3], [0, 0.5, 1, 4], titles=("size", "rows")),
    "histograms": charts.histograms(COUNTS, [-1.0, 0.0, 1.0, 2.0], most=2),
    "bars": charts.bars(TABLE, "series", "y", titles=("name", "gain")),
    "grouped bars": charts.grouped_bars(["red", "blue"], {"then": [1, 3], "now": [2, 4]}, "share"),
    "heatmap of two rows": charts.heatmap(TABLE, "x.1", "series", "y", titles=("across", "down")),
    "heatmap of three rows": charts.heatmap(
        [*TABLE, {"x.1": 1, "y": 4, "series": "c"}], "x.1", "series", "y", titles=("", "")
    ),
    "points": charts.points(TABLE[:1], "x.1", "y", titles=("true", "predicted"), diagonal=True),
    "points of series": charts.points([], "x.1", "y", series=["a", "b"], diagonal=True),
    "paths": charts.paths(TABLE, "x.1", "y", lines=TABLE),
    "one path": charts.paths(TABLE[:1], "x.1", "y"),
    "parallel": charts.parallel(AXES, LINES, marked="c"),
}


def test_charts_are_these_in_the_language_of_vega_lite(golden):
    plain = {name: charts.specification(name, chart) for name, chart in SPECIFICATIONS.items()}
    common = {key: plain["bars"][key] for key in ("config", "autosize", "width")}
    lines = [f"all: {json.dumps(common)}"]
    for name, chart in plain.items():
        assert {**chart, **common} == chart
        parts = [*chart.pop("layer", []), {key: value for key, value in chart.items() if key not in common}]
        lines += ["", f"{name}:", *map(json.dumps, parts)]
    golden(Path(__file__).with_name("charts.txt"), "\n".join(lines) + "\n")


@pytest.mark.parametrize(("points", "shown"), [(40, True), (41, False)])
def test_up_to_forty_points_of_a_curve_are_marked(points, shown):
    rows = [{"x": i, "y": 1, "series": series} for i in range(points) for series in "ab"]
    assert charts.curves(rows, "x", "y")["layer"][0]["mark"]["point"] is shown
    quantiles = [QUANTILES[0]] * points
    assert charts.bands(quantiles, "x", titles=("", ""))["layer"][2]["mark"]["point"] is shown


def test_as_many_names_are_beside_each_other_in_a_legend_as_fit_on_a_phone():
    def columns(*names):
        rows = [{"x": 1, "y": 1, "series": name} for name in names]
        return charts.curves(rows, "x", "y")["layer"][0]["encoding"]["color"]["legend"]["columns"]

    assert [columns("a" * length) for length in (1, 4, 16, 17, 36, 37, 80)] == [8, 5, 2, 1, 1, 1, 1]


def test_a_chart_in_a_page_is_as_wide_as_is_asked_for_and_has_its_numbers_below():
    chart = charts.bars(TABLE, "series", "y")
    free, narrow = charts.figure("A & B", chart), charts.figure("A & B", chart, "<p>1</p>", widest=20.5)
    assert [re.search(r'<svg [^>]*?width="(\d+)"', picture)[1] for picture in (free, narrow)] == ["560", "328"]
    assert free.startswith('<figure><figcaption>A &amp; B</figcaption><div class="chart"><script')
    assert '<div class="chart" style="max-width: 20.5rem"><script type="application/json">{"width":' in narrow
    assert '<div role="img" aria-label="A &amp; B"><svg ' in narrow
    assert narrow.endswith("</svg></div></div><details><summary>Numbers</summary>\n<p>1</p>\n</details></figure>")
    assert free.endswith("</svg></div></div></figure>")

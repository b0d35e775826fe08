"""Pages opened from disk in a real browser."""

import re
import sys

import numpy as np
import pytest
from accessibility import violations
from headless_browser import SCREENS

from mlpkit.errors import UsageError
from mlpkit.pages import charts, parts
from mlpkit.pages.page import page

LOSSES = [{"iteration": i, "loss": 1 / (1 + i), "series": split} for split in ("train", "validation") for i in range(5)]
NUMBERS = parts.table(["iteration", "loss"], [["0", "1"], ["4", "0.2"]])
CELLS = [{"true": t, "predicted": p, "count": 3 * (t == p)} for t in "ab" for p in "ab"]
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
ROWS = [["Affine1", "39,250"], ["<Relu1>", "0"], ["Affine2", "510"], ["Loss", ""]]
EVERYTHING = [
    parts.section(
        "Curves",
        '<div class="charts">',
        charts.figure("Loss", charts.curves(LOSSES, "iteration", "loss"), NUMBERS),
        charts.figure("Loss, logarithmic", charts.curves(LOSSES, "iteration", "loss", logarithmic=True)),
        "</div>",
    ),
    parts.section(
        "Charts",
        charts.figure("Bars", charts.bars([{"column": "age", "drop": 0.3}], "column", "drop")),
        charts.figure(
            "Bands",
            charts.bands(
                [{"iteration": i, **{q: i * n for n, q in enumerate(QUANTILES)}} for i in range(3)],
                "iteration",
                titles=("iteration", "gradient"),
            ),
        ),
        charts.figure("Histogram", charts.histogram([1, 4], [0.0, 1.0, 2.0])),
        charts.figure("Points", charts.points([{"x": 1, "y": 2}, {"x": 2, "y": 2}], "x", "y", diagonal=True)),
        charts.figure("Confusion", charts.heatmap(CELLS, "predicted", "true", "count", titles=("predicted", "true"))),
    ),
    parts.section(
        "Parts",
        parts.heading("Below"),
        parts.paragraph("a < b & c"),
        parts.preformatted("layers:\n  - Relu"),
        parts.folded("More", parts.paragraph("hidden")),
        parts.table(
            ["name", "parameters"],
            ROWS,
            texts=[0],
            sortable=True,
            marked=1,
            values=[["Affine1", 39250], ["Relu1", 0], ["Affine2", 510], ["Loss", None]],
        ),
        parts.pictures([np.eye(4, dtype=np.uint8) * 255, np.zeros((4, 4, 3), np.uint8)], ["a diagonal", "black"]),
    ),
]
DRAWN = "document.querySelectorAll('.chart .chart svg').length"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "everything.html"
    file.write_text(page("All <parts>", EVERYTHING), "utf-8")
    return file


@pytest.mark.parametrize("screen", SCREENS)
def test_a_page_draws_its_charts_and_is_accessible(browser, everything, screen):
    browser.complaints.clear()
    browser.requests.clear()
    browser.size(**SCREENS[screen])

    browser.open(everything.as_uri())
    browser.wait_for(f"{DRAWN} === 7")

    assert browser.complaints == []
    assert browser.requests == [everything.as_uri()]
    assert violations(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_chart_shows_the_numbers_that_it_was_given(browser, everything):
    browser.size(**SCREENS["desk, light"])
    browser.open(everything.as_uri())
    browser.wait_for(f"{DRAWN} === 7")

    curve = browser.evaluate(
        "[...document.querySelectorAll('.chart .chart')[0].querySelectorAll('.mark-symbol path')]"
        ".map((point) => point.getAttribute('aria-label')).filter(Boolean)"
    )

    assert len(curve) == len(LOSSES)
    assert curve[1] == "iteration: 1; loss: 0.5; series: train"


def test_dots_and_brackets_in_names_are_parts_of_names(browser, tmp_path):
    """The metric of a plugin is called ``acme.dice``, and a folder ``rate-0.1``."""
    rows = [{"iteration": i, "acme.dice": i / 4, "series": name} for name in ("rate-0.1", "['x']") for i in range(2)]
    file = tmp_path / "page.html"
    file.write_text(page("Names", [charts.figure("Dice", charts.curves(rows, "iteration", "acme.dice"))]), "utf-8")
    browser.complaints.clear()
    browser.open(file.as_uri())
    browser.wait_for(f"{DRAWN} === 1")

    shown = browser.evaluate(
        "[...document.querySelectorAll('.chart .chart .mark-symbol path')]"
        ".map((point) => point.getAttribute('aria-label')).filter(Boolean)"
    )

    assert browser.complaints == []
    assert shown[1::2] == [f"iteration: 1; acme.dice: 0.25; series: {name}" for name in ("rate-0.1", "['x']")]


def test_a_page_is_readable_without_scripts(browser, everything):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(everything.as_uri())
        shown = browser.evaluate("[...document.querySelectorAll('.chart > [role=img] svg')].map((e) => e.clientWidth)")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert len(shown) == 7
    assert min(shown) > 100


def test_a_press_on_a_heading_sorts_rows_by_their_values(browser, everything):
    browser.open(everything.as_uri())
    names = "[...document.querySelectorAll('table.sortable tbody tr')].map((row) => row.cells[0].textContent)"
    press = "document.querySelectorAll('table.sortable th button')[1].click()"
    browser.wait_for("document.querySelectorAll('table.sortable th button').length === 2")

    browser.evaluate(press)
    ascending = browser.evaluate(names)
    browser.evaluate(press)

    assert ascending == ["<Relu1>", "Affine2", "Affine1", "Loss"]
    assert browser.evaluate(names) == ["Affine1", "Affine2", "<Relu1>", "Loss"]


@pytest.mark.parametrize(
    ("module", "package", "part"),
    [
        ("vl_convert", "vl-convert", lambda: charts.figure("Loss", charts.curves(LOSSES, "iteration", "loss"))),
        ("PIL", "Pillow", lambda: parts.pictures([np.zeros((2, 2), np.uint8)], ["black"])),
    ],
)
def test_what_is_not_installed_is_named_with_the_command(monkeypatch, module, package, part):
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(UsageError, match=rf'need {package}; install it with: pip install "mlpkit\[plot\]"'):
        part()


def test_numbers_that_are_not_finite_are_gaps():
    points = [
        {"iteration": 0, "loss": 1.0, "series": "train"},
        {"iteration": 1, "loss": float("nan"), "series": "train"},
    ]

    text = charts.figure("Loss", charts.curves(points, "iteration", "loss"))

    assert '"loss":null' in text


def test_parts_of_pictures_have_names_of_their_own():
    names = [re.findall(r'\bid="([^"]+)"', part) for part in EVERYTHING[0].split("<figure>")[1:]]
    used = re.findall(r"url\(#([^)]+)\)", EVERYTHING[0])

    assert len(names) == 2
    assert set(names[0]).isdisjoint(names[1])
    assert set(used) <= {name for each in names for name in each}


def test_a_marked_point_is_drawn_beside_the_curves(browser, tmp_path):
    chart = charts.curves(LOSSES, "iteration", "loss", zero=False, marked={"iteration": 4, "loss": 0.2})
    file = tmp_path / "marked.html"
    file.write_text(page("Marked", [charts.figure("Loss", chart)]), "utf-8")
    browser.complaints.clear()

    browser.open(file.as_uri())
    browser.wait_for(f"{DRAWN} === 1")

    labels = browser.evaluate(
        "[...document.querySelectorAll('.chart .chart path[aria-label], .chart .chart line[aria-label]')]"
        ".map((mark) => mark.getAttribute('aria-label'))"
    )
    assert labels.count("iteration: 4; loss: 0.2") == 1
    assert "iteration: 4" in labels
    assert browser.complaints == []


def test_a_diagonal_goes_from_zero_to_one():
    text = charts.figure("ROC", charts.curves(LOSSES, "iteration", "loss", diagonal=True))

    assert '"values":[{"iteration":0.0,"loss":0.0},{"iteration":1.0,"loss":1.0}]' in text

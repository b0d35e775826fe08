"""The page that compares runs, opened from disk in a real browser."""

from __future__ import annotations

import re
import sys
from html import escape, unescape
from pathlib import Path

import pytest
from accessibility import violations
from headless_browser import TWO_SCREENS
from page_text import page_text
from run_folders import made_up_run

import mlpkit
from mlpkit.verbs.runs.compare import write_comparison

CURVES = {"slow-0.1": ((4, 2, 1), (2, 1, 0.5)), "fast <b>": ((1, 0.5, 0.25), (3, 1.5, 0.75))}
"""Validation losses of the runs of each side."""
MEANS = {"slow-0.1": (3, 1.5, 0.75), "fast <b>": (2, 1, 0.5)}
CHARTS = 4
DRAWN = f"document.querySelectorAll('.chart .chart svg').length === {CHARTS}"
POINTS = (
    "[...document.querySelectorAll('.chart .chart')[{chart}].querySelectorAll('.mark-symbol path')]"
    ".map((point) => point.getAttribute('aria-label')).filter(Boolean)"
)
TABLE = "document.querySelectorAll('table')[{}]"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the folder of two pages: one about two sides of two runs each, one about a run of each."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for units, (name, runs) in enumerate(CURVES.items(), start=10):
            for seed, losses in enumerate(runs):
                results = {"test": {"loss": losses[-1] / 2, "accuracy": 1 - losses[-1] / 100 - units / 1000}}
                made_up_run(Path(name) / f"seed-{seed}", units=units, seed=seed, losses=losses, results=results)
        write_comparison([Path(name) for name in CURVES], folder / "sides.html")
        write_comparison([Path(name) / "seed-1" for name in CURVES], folder / "runs.html")
    return folder


def table(page, caption):
    """Return the rows of a table of a page by its caption, the headings first."""
    found = page[page.index(f"<caption>{escape(caption)}</caption>") :].partition("</table>")[0]
    cells = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>")
    return [[*map(unescape, row)] for row in map(cells.findall, re.split("<tr", found)) if row]


@pytest.mark.parametrize("name", ["sides", "runs"])
def test_what_a_page_says(name, pages, golden):
    golden(Path(__file__).parent / f"pages/{name}.txt", page_text((pages / f"{name}.html").read_text("utf-8")))


def test_the_page_of_several_runs_has_verdicts_means_each_run_and_what_differs(pages):
    page = (pages / "sides.html").read_text("utf-8")
    assert "<h1>2 specs compared</h1>" in page
    caption = "Differences from slow-0.1 (95 %, p corrected for 2 comparisons by Holm's method)"
    headings, *verdicts = table(page, caption)
    assert headings == ["run", "metric", "difference", "95 % interval", "verdict", "test"]
    assert [row[:3] for row in verdicts] == [
        ["fast <b>", "test.loss", "-0.1250"],
        ["fast <b>", "test.accuracy", "+0.0015"],
    ]
    keys = re.findall('data-value="([^"]*)"', page.partition(escape(caption))[2])[:5]
    assert keys[:2] == ["fast &lt;b&gt;", "test.loss"]
    assert [float(each) for each in keys[2:4]] == [-0.125, -0.125]
    assert "No two finished runs have different results." not in page
    titles, *means = table(page, "At the end, mean ± half the width of the 95 % interval")
    assert titles == ["run", "finished", "steps", "test loss", "test accuracy"]
    assert [(row[0], row[1], row[2], row[3].split(" ± ")[0]) for row in means] == [
        ("slow-0.1", "2 of 2", "300", "0.3750"),
        ("fast <b>", "2 of 2", "300", "0.2500"),
    ]
    assert [row[:4] for row in table(page, "Each run at its end")[1:]] == [
        ["slow-0.1/seed-0", "0", "300", "0.5000"],
        ["slow-0.1/seed-1", "1", "300", "0.2500"],
        ["fast <b>/seed-0", "0", "300", "0.1250"],
        ["fast <b>/seed-1", "1", "300", "0.3750"],
    ]
    assert ["layers.Affine1.Affine.units", "10", "11"] in table(page, "Spec")
    assert "<p>Versions: the same.</p>" in page


def test_the_page_of_two_runs_has_their_results_once(pages):
    page = (pages / "runs.html").read_text("utf-8")
    assert "<h1>2 runs compared</h1>" in page
    assert "Each run at its end" not in page
    assert [row[1] for row in table(page, "At the end")] == ["seed", "1", "1"]


@pytest.fixture
def opened(browser, pages):
    """Return a function that opens a page, and waits until its charts are drawn."""

    return lambda name="sides.html", screen="desk, light": browser.show((pages / name).as_uri(), DRAWN, screen)


@pytest.mark.parametrize("screen", TWO_SCREENS)
def test_the_page_works_from_disk_and_is_accessible(opened, pages, screen):
    page = opened(screen=screen)
    assert page.complaints == []
    assert page.requests == [(pages / "sides.html").as_uri()]
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_curve_is_the_mean_of_the_runs_of_a_side(opened):
    shown = opened().evaluate(POINTS.format(chart=0))
    assert sorted(shown) == sorted(
        f"iteration: {100 * (i + 1)}; loss: {loss:g}; series: {name}"
        for name, losses in MEANS.items()
        for i, loss in enumerate(losses)
    )


def test_each_run_is_a_thin_line(opened):
    page = opened()
    lines = "[...document.querySelectorAll('.chart .chart')[0].querySelectorAll('.mark-line path')]"
    widths = page.evaluate(f"{lines}.map((line) => line.getAttribute('stroke-width'))")
    assert sorted(widths) == ["0.75"] * 4 + ["1.75"] * 2


def test_the_curves_of_runs_alone_are_theirs(opened):
    shown = opened("runs.html").evaluate(POINTS.format(chart=0))
    assert sorted(shown) == sorted(
        f"iteration: {100 * (i + 1)}; loss: {loss:g}; series: {name}/seed-1"
        for name, runs in CURVES.items()
        for i, loss in enumerate(runs[1])
    )


def test_a_constant_learning_rate_is_a_line_of_text(opened):
    page = opened()
    text = page.evaluate("document.body.innerText")
    assert "Learning rate: 0.1 throughout." in text
    assert "Learning rate" not in page.evaluate("[...document.querySelectorAll('figcaption')].map((x) => x.innerText)")


def test_a_learning_rate_that_changes_is_a_chart(tmp_path):
    from mlpkit.pages.curves import curve_charts

    def captions(*rates):
        records = [
            {"iteration": i, "epoch": i, "learning_rate": rate, "train_loss": 1.0} for i, rate in enumerate(rates)
        ]
        return [*curve_charts(records)]

    assert (captions(0.1, 0.1), captions(0.1, 0.2)) == (["Loss"], ["Loss", "Learning rate"])


def test_a_curve_that_another_covers_is_seen_between_its_dashes(browser, tmp_path):
    for name, count in (("long", 60), ("short", 50)):
        losses = [1 / (1 + k) for k in range(count)]
        made_up_run(tmp_path / "runs" / name, units=count, losses=losses)
    write_comparison([tmp_path / "runs/long", tmp_path / "runs/short"], tmp_path / "page.html")
    browser.open((tmp_path / "page.html").as_uri())
    browser.wait_for("document.querySelectorAll('.chart .chart svg').length > 0")
    chart = "document.querySelectorAll('.chart .chart')[0]"
    lines = f"[...{chart}.querySelectorAll('.mark-line path')].map((x) => x.getAttribute('stroke-dasharray'))"
    assert browser.evaluate(lines) == ["1,0", "6,4"]
    legend = f"[...{chart}.querySelectorAll('.role-legend-label text')].map((x) => x.textContent)"
    assert browser.evaluate(legend) == ["long", "short"]


def test_a_pointer_at_a_curve_is_answered_with_the_values_there(opened):
    page = opened()
    box = page.evaluate(
        "(({left, top, width, height}) => [left + width / 2, top + height / 2])"
        "(document.querySelector('.chart .chart svg').getBoundingClientRect())"
    )
    for shift in (0, 3):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + shift, y=box[1])
    shown = "document.querySelector('#vg-tooltip-element.visible')?.innerText"
    text = page.wait_for(shown)
    assert text.split() == ["iteration", "200", "slow-0.1", "1.5", "fast", "<b>", "1"]


def test_verdicts_and_results_stand_in_tables_that_can_be_sorted(opened):
    page = opened()
    cells = "[...{}.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    verdicts = page.evaluate(cells.format(TABLE.format(0)))
    assert [row[:3] for row in verdicts] == [
        ["fast <b>", "test.loss", "-0.1250"],
        ["fast <b>", "test.accuracy", "+0.0015"],
    ]
    assert all(row[4].startswith("may be chance, p ") for row in verdicts)
    assert page.evaluate(f"{TABLE.format(0)}.caption.textContent") == (
        "Differences from slow-0.1 (95 %, p corrected for 2 comparisons by Holm's method)"
    )
    results = cells.format(TABLE.format(1))
    assert page.evaluate(results)[0][:4] == ["slow-0.1", "2 of 2", "300", "0.3750 ± 1.5883"]
    page.evaluate(f"{TABLE.format(1)}.tHead.querySelectorAll('button')[3].click()")
    assert [row[0] for row in page.evaluate(results)] == ["fast <b>", "slow-0.1"]


def test_what_differs_is_listed(opened):
    text = opened().evaluate("document.querySelector('section:last-of-type').innerText")
    assert "layers.Affine1.Affine.units\t10\t11" in text
    assert "Versions: the same." in text


def test_one_run_of_each_is_not_judged(opened):
    text = opened("runs.html").evaluate("document.querySelector('section').innerText")
    assert "One run each can't tell a better spec from a lucky seed" in text


def test_runs_that_have_just_begun_can_be_compared(tmp_path):
    for name in "ab":
        made_up_run(tmp_path / name, losses=())
    write_comparison([tmp_path / "a", tmp_path / "b"], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "No evaluation yet." in text
    assert "No two finished runs have different results." in text


def test_a_run_that_has_diverged_leaves_its_curves_out(tmp_path):
    made_up_run(tmp_path / "a", losses=())
    made_up_run(tmp_path / "b")
    write_comparison([tmp_path / "a", tmp_path / "b"], tmp_path / "page.html")
    assert '"series":"b"' in (tmp_path / "page.html").read_text()


def test_many_long_runs_make_a_page_of_two_megabytes_at_most(tmp_path):
    for i in range(8):
        made_up_run(tmp_path / f"run-{i}", units=i + 1, losses=[1 / (1 + k + i) for k in range(200)])
    write_comparison([tmp_path / f"run-{i}" for i in range(8)], tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 2_000_000


def test_without_what_draws_charts_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    for name in "ab":
        made_up_run(tmp_path / name)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(mlpkit.UsageError, match=r'install it with: pip install "mlpkit\[plot\]"'):
        write_comparison([tmp_path / "a", tmp_path / "b"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()

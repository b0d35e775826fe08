"""New rows against training, as lines and as a page."""

import json
import re

import pytest

from mlpkit.jobs.drift import ColumnCounts, ColumnDrift, DriftReport
from mlpkit.verbs.data.drift_shown import lines_of_drift, write_drift_page


def column(name, *, role="input", drifted=True, p_value=0.00005, moved=0.25, then=(), now=(), **kind):
    """Return a column with counts, others and missing ones of each side."""
    sides = [ColumnCounts(name, role, kind.get("edges", ()), kind.get("names", ()), *side) for side in (then, now)]
    return ColumnDrift(sides[0], sides[1]._replace(unseen=kind.get("unseen", {})), moved, p_value, drifted)


SIZE = column("size", edges=(1.5, 20.0), then=((10, 20, 30), 0, 40), now=((4, 2, 0), 0, 2), moved=0.4567)
TOWNS = {f"new {i}": 1 + i for i in range(6)}
TOWN = column("town", names=("a", "b"), then=((30, 10), 10, 0), now=((5, 3), 0, 0), unseen={**TOWNS, "z": 1000})
GUESS = column("class", role="model", names=("no",), then=((50,), 0, 0), now=((9,), 0, 0), unseen={"yes": 1})
PRICE = column("price", role="target", drifted=False, p_value=None, names=("x",), then=((50,), 0, 0), now=((9,), 0, 1))
REPORT = DriftReport("a/new.csv", "b/run", 1234, 5000, 0.05, 0.0, (SIZE, TOWN, GUESS, PRICE), ("day isn't there",))


def test_columns_notes_and_verdict_on_a_terminal():
    assert (
        "\n".join(lines_of_drift(REPORT, 100, every=False))
        == """\
a/new.csv, 1,234 rows, against b/run, 5,000 rows: 3 of 4 columns drifted at level 0.05

  column            moved   p-value         missing
  drifted
    size            45.7%  < 0.0001  40.0% to 25.0%
    town            25.0%  < 0.0001               -
    class           25.0%  < 0.0001               -
  not drifted
    price (target)      -         -   0.0% to 10.0%

  town: 99.2% unseen in training: new 0 1, new 1 2, new 2 3, new 3 4, new 4 5, ...
  day isn't there"""
    )


def shown(columns, drifted, *, every=False):
    """Return how many of many columns are shown, and the line about the rest."""
    found = tuple(GUESS._replace(drifted=i < drifted) for i in range(columns))
    lines = lines_of_drift(REPORT.__class__("new", "run", 1, 2, 0.01, 0.125, found, ()), None, every=every)
    assert lines[
        0
    ] == f"new, 1 row, against run, 2 rows: {drifted} of {columns:,} columns drifted at level 0.01, with " + (
        "at least 12% of its rows moved"
    )
    return sum(line.startswith("    class") for line in lines), lines[-1].strip()


def test_of_many_columns_all_that_drifted_are_shown():
    last = "class  25.0%  < 0.0001        -"
    assert shown(40, 1) == (40, last)
    assert shown(41, 1) == (40, "and 1 more; --all shows them")
    assert shown(41, 1, every=True) == (41, last)
    assert shown(1500, 50) == (50, "and 1,450 more; --all shows them")


@pytest.fixture
def page(tmp_path):
    """Return a function that writes a page, and returns its text."""

    def written(report):
        write_drift_page(tmp_path / "page.html", report)
        return (tmp_path / "page.html").read_text().partition("</head>")[2]

    return written


def test_a_page_has_all_columns_and_bars_of_those_that_drifted(page):
    text = page(REPORT)
    assert "<h1>new.csv against run</h1>" in text
    rows = re.findall(r"<tr>(.*?)</tr>", text.partition("</table>")[0])
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows[1:]]
    assert [row[:2] for row in cells] == [
        ["size", "45.7%"],
        ["town", "25.0%"],
        ["class", "25.0%"],
        ["price (target)", "-"],
    ]
    assert "<caption>Moved: the share of rows that would have to change" in text
    assert '<td class="text">size</td><td>45.7%</td>' in text
    assert re.findall("<p>(.*?)</p>", text)[0].endswith("3 of 4 columns drifted at level 0.05")
    assert "<p>day isn&#x27;t there</p>" in text
    charts = [json.loads(chart) for chart in re.findall(r'<script type="application/json">(.*?)</script>', text)]
    bars = [[(bar["name"], bar["series"], bar["share"]) for bar in chart["data"]["values"]] for chart in charts]
    assert re.findall("<figcaption>(.*?)</figcaption>", text) == ["size", "town", "class"]
    assert bars[0] == [
        ("up to 1.5", "then", 0.1),
        ("up to 1.5", "now", 0.5),
        ("to 20", "then", 0.2),
        ("to 20", "now", 0.25),
        ("above 20", "then", 0.3),
        ("above 20", "now", 0.0),
        ("missing", "then", 0.4),
        ("missing", "now", 0.25),
    ]
    rows = 8 + 1021
    assert bars[1] == [
        ("a", "then", 0.6),
        ("a", "now", 5 / rows),
        ("b", "then", 0.2),
        ("b", "now", 3 / rows),
        ("other", "then", 0.2),
        ("other", "now", 0.0),
        ("unseen", "then", 0.0),
        ("unseen", "now", 1021 / rows),
    ]


def test_a_page_has_the_ten_most_common_categories_and_sixteen_charts(page):
    names = tuple("abcdefghijkl")
    many = column("many", names=names, then=((3,) * 12, 4, 0), now=((1,) * 12, 0, 8))
    text = page(REPORT.__class__("new", "run", 20, 40, 0.01, 0.0, (many,) * 17, ()))
    assert text.count("<figure>") == 16
    (chart, *_) = re.findall(r'<script type="application/json">(.*?)</script>', text)
    bars = json.loads(chart)["data"]["values"]
    assert [bar["name"] for bar in bars[::2]] == [*names[:10], "other", "missing"]
    assert [(bar["series"], bar["share"]) for bar in bars[-4:]] == [
        ("then", 10 / 40),
        ("now", 2 / 20),
        ("then", 0.0),
        ("now", 8 / 20),
    ]
    assert "Then and now" not in page(REPORT.__class__("new", "run", 20, 40, 0.01, 0.0, (PRICE,), ()))

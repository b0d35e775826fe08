"""Tables for a notebook."""

import pytest

from mlpkit.pages.notebook_tables import history_html, html_table, run_html, seeds_html
from mlpkit.statistics import Interval
from mlpkit.training.checkpointing import BestTracker

HISTORY = [
    {"iteration": i, "epoch": i / 8, "train_loss": loss, "validation_loss": 2 * loss, "train_f1": 0.5}
    for i, loss in ((10, 3.0), (20, 1.0), (30, 2.0))
]
BEST = {
    False: "<tr><td></td><td>10</td><td>1.25</td><td>3.0000</td><td>6.0000</td><td>0.5000</td></tr>",
    True: '<tr style="font-weight: bold"><td>best</td><td>20</td><td>2.50</td><td>1.0000</td><td>2.0000</td>'
    "<td>0.5000</td></tr>",
}
ABOVE = (
    '<table><thead><tr><th colspan="3"></th><th colspan="2" style="text-align: center">loss</th>'
    '<th colspan="1" style="text-align: center">f1</th></tr><tr><th></th><th>iteration</th><th>epoch</th>'
    "<th>train</th><th>validation</th><th>train</th></tr></thead><tbody>"
)


def test_evaluations_in_a_notebook_have_the_best_of_several_bold():
    html = history_html(HISTORY, 1)
    assert html.startswith(ABOVE + BEST[False] + BEST[True] + "<tr><td></td><td>30</td>")
    assert html.endswith("</td></tr></tbody></table>")
    assert history_html(HISTORY[:1], 0) == ABOVE + BEST[False] + "</tbody></table>"
    assert "bold" not in history_html(HISTORY, None)
    assert 'colspan="3"' in history_html([], None)
    assert history_html(HISTORY * 9, 1).count("<tr") == 2 + 15  # of 27, every second with the first
    assert history_html(HISTORY, 1, 2).count("<tr") == 2 + 2


@pytest.mark.parametrize(
    ("history", "metrics", "expected"),
    [
        ([], {}, "<p>a &lt; b</p>"),
        (HISTORY[:1], {}, f"<p>a &lt; b</p>{history_html(HISTORY[:1], None)}"),
        (
            HISTORY,
            {"test": {"loss": 0.5, "table": [[1]]}, "train": {"f1": 0.25}},
            "<p>a &lt; b; best validation loss 2.0000, at iteration 20</p>"
            '<table><thead><tr><th style="text-align: left">at\N{NO-BREAK SPACE}the\N{NO-BREAK SPACE}end</th>'
            "<th>loss</th><th>f1</th></tr></thead><tbody>"
            '<tr><td style="text-align: left">test</td><td>0.5000</td><td></td></tr>'
            '<tr><td style="text-align: left">train</td><td></td><td>0.2500</td></tr></tbody></table>'
            f"{history_html(HISTORY, 1)}",
        ),
    ],
    ids=["new", "one", "finished"],
)
def test_a_run_in_a_notebook(history, metrics, expected):
    tracker = BestTracker("loss")
    for record in history:
        tracker.improved(record)
    assert run_html(history, tracker, metrics, ["a < b"]) == expected


def test_several_seeds_in_a_notebook():
    found = {"test": {"loss": Interval(3, 2.5, 0.25, 2.375, 2.625), "f1": Interval(1, 0.5, None, None, None)}}
    rows = [("test loss", "2.5000 ± 0.1250", "0.2500", "3"), ("test f1", "0.5000", "", "1")]
    table = html_table(("", "mean ± 95 %", "std", "runs"), rows, texts=[0])
    assert seeds_html(found, ["3 seeds", "a < b"]) == f"<p>3 seeds; a &lt; b</p>{table}"
    assert seeds_html(found, []) == table
    assert seeds_html({}, []) == ""

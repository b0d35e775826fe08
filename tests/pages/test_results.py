"""Results and curves."""

import json
import re

import pytest
from run_folders import made_up_run

from mlpkit.errors import RunFolderError
from mlpkit.pages.curves import curves_section
from mlpkit.pages.results import LONGEST_SPEC, evaluations_table, read_runs, result_section, spec_section
from mlpkit.training.checkpointing import BestTracker

HISTORY = [
    {
        "iteration": 10 * i,
        "epoch": i / 2,
        "learning_rate": 0.1 / i,
        "train_loss": 1 / i,
        "validation_loss": abs(i - 3) + 0.5,
        "validation_hits": i / 10,
    }
    for i in range(1, 6)
]


def tracker(history):
    found = BestTracker("loss")
    for record in history:
        found.improved(record)
    return found


def charts_of(part):
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def test_results_by_split():
    metrics = {"test": {"loss": 0.5, "hits": 0.75, "table": [[1, 2]]}, "train": {"loss": 0.25}}

    part = result_section(metrics, {"loss": "nats"}, "It is done.")

    assert re.findall(r"<th [^>]*>(.*?)</th>", part) == ["split", "loss (nats)", "hits"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", part) == ["test", "0.5000", "0.7500", "train", "0.2500", ""]
    assert "<p>It is done.</p>" in part


def test_without_results_there_is_no_table():
    assert "<table" not in result_section({}, {}, "Stopped.")


def test_curves_of_loss_metrics_and_learning_rate():
    loss, hits, rate = charts_of(curves_section(HISTORY, tracker(HISTORY), {"loss": "price²"}))

    assert [point for point in loss["data"]["values"] if point["series"] == "train"] == [
        {"iteration": record["iteration"], "loss": record["train_loss"], "series": "train", "curve": "0"}
        for record in HISTORY
    ]
    assert loss["layer"][0]["encoding"]["y"]["title"] == "loss (price²)"
    assert [point["hits"] for point in hits["data"]["values"]] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert [point["rate"] for point in rate["data"]["values"]] == [record["learning_rate"] for record in HISTORY]


def test_a_learning_rate_that_stays_is_a_line_of_text():
    history = [{**record, "learning_rate": 0.0123456789} for record in HISTORY]
    part = curves_section(history, tracker(history), {})
    assert len(charts_of(part)) == 2
    assert "<p>Learning rate: 0.0123457 throughout.</p>" in part
    assert "throughout" not in curves_section(HISTORY, tracker(HISTORY), {})


def test_the_axis_of_the_loss_begins_at_zero_and_those_of_metrics_need_not():
    loss, hits, _ = charts_of(curves_section(HISTORY, tracker(HISTORY), {}))
    assert [chart["layer"][0]["encoding"]["y"].get("scale") for chart in (loss, hits)] == [{}, {"zero": False}]


def test_a_single_evaluation_is_not_marked_as_the_best():
    part = curves_section(HISTORY[:1], tracker(HISTORY[:1]), {})
    assert "Marked" not in part
    assert 'class="marked"' not in part
    assert 'class="marked"' in curves_section(HISTORY[:2], tracker(HISTORY[:2]), {})


def test_the_best_evaluation_is_marked_in_all_curves_but_the_learning_rate():
    part = curves_section(HISTORY, tracker(HISTORY), {})

    loss, hits, _ = charts_of(part)
    assert loss["layer"][-1]["data"]["values"] == [{"iteration": 30, "loss": 0.5}]
    assert hits["layer"][-1]["data"]["values"] == [{"iteration": 30, "hits": 0.3}]
    assert "Marked: best validation loss 0.5000, at iteration 30." in part


def test_a_value_that_the_best_evaluation_lacks_is_not_marked():
    history = [
        {k: v for k, v in record.items() if (i, k) != (2, "validation_hits")} for i, record in enumerate(HISTORY)
    ]
    loss, hits, _ = charts_of(curves_section(history, tracker(history), {}))
    assert loss["layer"][-1]["data"]["values"] == [{"iteration": 30, "loss": 0.5}]
    assert not any("strokeDash" in layer["mark"] for layer in hits["layer"])


def test_evaluations_in_numbers():
    history = [{**HISTORY[0], "iteration": 12345, "epoch": 1.23456, "train_loss": 0.000123456}]
    part = curves_section(history, tracker(history), {})
    cells = re.findall(r"<td[^>]*>(.*?)</td>", part)
    assert cells[:2] == ["12,345", "1.23"]
    assert "1.23e-04" in cells


def test_of_many_evaluations_some_are_drawn_the_best_among_them():
    history = [{**HISTORY[0], "iteration": i, "validation_loss": abs(i - 777)} for i in range(1, 1001)]

    loss = charts_of(curves_section(history, tracker(history), {}))[0]

    drawn = [point["iteration"] for point in loss["data"]["values"] if point["series"] == "train"]
    assert len(drawn) <= 200
    assert {1, 777, 1000} <= set(drawn)


def test_a_value_that_was_not_finite_is_a_gap():
    history = [HISTORY[0], {key: value for key, value in HISTORY[1].items() if key != "train_loss"}]

    loss = charts_of(curves_section(history, tracker(HISTORY[:1]), {}))[0]

    assert [point["loss"] for point in loss["data"]["values"] if point["series"] == "train"] == [1.0, None]


@pytest.mark.parametrize(("loss", "expected"), [(0.001, True), (0.5, False)])
def test_a_loss_that_falls_far_is_drawn_along_a_logarithmic_axis(loss, expected):
    history = [HISTORY[0], {**HISTORY[1], "train_loss": loss}]

    chart = charts_of(curves_section(history, tracker(history), {}))[0]

    assert (chart["layer"][0]["encoding"]["y"]["scale"].get("type") == "log") is expected


def test_before_the_first_evaluation_that_is_said():
    assert "No evaluation yet." in curves_section([], BestTracker("loss"), {})


def test_of_many_evaluations_the_table_says_how_many_it_has():
    history = [{"iteration": i, "train_loss": 1 / i} for i in range(1, 1001)]
    assert "<caption>22 of 1,000 evaluations</caption>" in evaluations_table(history, 7)
    assert "<caption>All evaluations</caption>" in evaluations_table(history[:25], 7)
    late = [*history[:3], {"iteration": 4, "train_hits": 0.5}]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", evaluations_table(late, 3))
    assert re.findall(r"<th[^>]*>(.*?)</th>", rows[0]) == ["iteration", "train loss", "train hits"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", rows[-1]) == ["4", "nan", "0.5000"]


@pytest.mark.parametrize("more", [0, 1])
def test_a_spec_of_a_book_s_length_is_cut(more):
    spec, short = spec_section("x" * (LONGEST_SPEC + more), "a: 1").split("<details>")[1:]
    end = "\n... cut here; the rest is in the run folder" if more else ""
    text = "x" * 60_000 + end
    assert spec == f'<summary>As written</summary>\n<pre tabindex="0">{text}</pre>\n</details>\n'
    assert short.startswith('<summary>With every default filled in</summary>\n<pre tabindex="0">a: 1</pre>')


def test_runs_are_read_from_a_folder_of_one_or_of_those_that_have_begun(tmp_path):
    folder = tmp_path / "seeds"
    for seed in (0, 1):
        made_up_run(folder / f"seed-{seed}", seed=seed, results={"test": {"loss": 0.5}} if seed else None)
    (folder / "seeds.json").write_text('{"seeds": [0, 1, 2]}')
    (folder / "seed-2").mkdir()
    found = read_runs(folder)
    assert [(run.directory.name, run.seed, len(run.history)) for run in found] == [("seed-0", 0, 2), ("seed-1", 1, 2)]
    assert [run.metrics for run in found] == [{}, {"test": {"loss": 0.5}}]
    assert found[0].spec["layers"] == {
        "Affine1": {"Affine": {"units": 10}},
        "SoftmaxWithLoss1": {"SoftmaxWithLoss": True},
    }
    assert [run.directory for run in read_runs(folder / "seed-1")] == [folder / "seed-1"]
    with pytest.raises(RunFolderError, match="nothing: no such folder"):
        read_runs(tmp_path / "nothing")

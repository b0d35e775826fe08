"""The page of a sweep, in a browser and as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from accessibility import violations
from page_text import page_text
from requirements import require_package
from run_folders import made_up_run

import mlpkit
from mlpkit.errors import RunFolderError, StorageError
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.page import _best_in_words, _coordinates_section, _front_figure
from mlpkit.verbs.sweep.section import Objective, SearchedKey
from mlpkit.verbs.sweep.sweep import Sweep

require_package("vl_convert")

LOSS, ACCURACY = Objective("validation_loss", maximize=False), Objective("validation_accuracy", maximize=True)

SPEC = """\
mlpkit: 1
name: digits
data: mnist
layers: [{{Affine: {{units: 10}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 100, iterations: 200, metrics: [accuracy]}}
{sweep}"""
SWEEP = """\
sweep:
  search:
    training.optimizer: [sgd, adam]
    training.optimizer.learning_rate: {{low: 1.0e-3, high: 1.0, log: true}}
    training.optimizer.sgd.momentum: {{low: 0.0, high: 0.9, when: {{training.optimizer: sgd}}}}
  {objectives}
  trials: 12
"""
BOTH = "minimize: validation_loss\n  maximize: validation_accuracy"
TABLE = "[...document.querySelectorAll('table')[{}].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
DRAWN = "document.querySelectorAll('.chart .chart svg').length === {}"
LOSSES = (0.9, 0.5, 0.7, 0.3, 0.2, 0.4, 0.6, 0.8, 0.25)
ACCURACIES = (0.5, 0.6, 0.55, 0.99, 0.9, 0.7, 0.65, 0.6, 0.95)
"""Trial 4 has the best loss, trials 3 and 8 better accuracies."""


def make_sweep(folder, objectives=BOTH, losses=LOSSES, others=("pruned", "diverged", "failed")):
    """Write the folder of a sweep, with trials that are finished and such that ended otherwise."""
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(SPEC.format(sweep=SWEEP.format(objectives=objectives)))
    ends = [
        *({"loss": loss, "accuracy": accuracy} for loss, accuracy in zip(losses, ACCURACIES, strict=False)),
        *others,
    ]
    for i, end in enumerate(ends):
        rate = round(0.001 * 1.7**i, 6)
        values = {"training.optimizer": "adam", "training.optimizer.learning_rate": rate}
        if i % 2:
            values |= {"training.optimizer": "sgd", "training.optimizer.sgd.momentum": 0.05 * i}
        made_up_run(
            folder / f"trial-{i}",
            losses=(1.0, end["loss"]) if isinstance(end, dict) else (2.0,),
            results={"validation": end, "test": end} if isinstance(end, dict) else None,
            failure={"state": end, "steps": 100, "message": f"{end} <i>"} if isinstance(end, str) and end else None,
        )
        (folder / f"trial-{i}" / "trial.json").write_text(json.dumps({"values": values, "asked_at": 0.0}))
    return folder


def text_of(folder):
    return mlpkit.report(folder).read_text("utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write the page of a sweep with two objectives."""
    folder = make_sweep(tmp_path_factory.mktemp("sweep") / "my digits")
    (folder / "best.yaml").write_text("")
    return mlpkit.report(folder)


@pytest.fixture
def opened(browser, written):
    """Return a function that opens the page, and waits until its charts are drawn."""

    return lambda screen="desk, light": browser.show(written.as_uri(), DRAWN.format(6), screen)


@pytest.mark.parametrize("screen", ["desk, light", "phone, dark"])
def test_the_page_works_from_disk_and_is_accessible(opened, written, screen):
    page = opened(screen)
    assert page.complaints == []
    assert page.requests == [written.as_uri()]
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_it_says(written, golden):
    text = page_text(written.read_text("utf-8"), without=["Spec"]).replace(str(written.parent), "FOLDER")
    golden(Path(__file__).parent / "pages/two_objectives.txt", text)


def test_of_many_trials_the_best_are_drawn_with_fewer_points_each(tmp_path):
    folder = make_sweep(tmp_path / "s", "minimize: validation_loss", losses=[], others=["diverged"] * 3)
    for i in range(3, 105):
        losses = [1 / (i + k) for k in range(60)]
        made_up_run(folder / f"trial-{i}", losses=losses, results={"validation": {"loss": losses[-1]}})
        values = {"training.optimizer": "sgd", "training.optimizer.learning_rate": 0.001 * i}
        (folder / f"trial-{i}" / "trial.json").write_text(json.dumps({"values": values, "asked_at": 0.0}))
    text = page_text(text_of(folder))
    assert "the bluer, the better. Dotted: pruned or diverged. These are the 100 best of 105." in text
    assert text.count('"row": 0') - text.count('"row": 0, "text"') - 1 == 100
    assert [text.count(f'"line": "trial {i}"') for i in (5, 4, 104)] == [31 + 4, 0, 4]
    best = text.partition("The best finished trials\n")[2].partition("Values and results\n")[0].splitlines()
    assert [row.split(" | ")[0] for row in best[1:]] == ["* 104", *(str(i) for i in range(103, 94, -1))]
    assert "'momentum' | too few trials to say" in text
    assert "'learning_rate' | 94 %" in text  # 1 - 1 / 16, of quarters in order


def test_its_tables_have_the_trials_the_best_first(opened):
    page = opened()
    failed, best, front, every = (page.evaluate(TABLE.format(i)) for i in range(4))
    assert failed[1:] == [["11", "failed <i>"]]
    titles = ["trial", "validation_loss", "validation_accuracy", "optimizer", "learning_rate", "momentum"]
    assert best[:3] == [
        titles,
        ["4", "0.2000", "0.9000", "adam", "0.008352", ""],
        ["8", "0.2500", "0.9500", "adam", "0.069758", ""],
    ]
    assert [row[0] for row in best[1:]] == ["4", "8", "3", "5", "1", "6", "2", "7", "0"]
    assert [row[0] for row in front[1:]] == ["4", "8", "3"]
    assert every[0] == [*titles, "state"]
    assert [(row[0], row[-1]) for row in every[-4:]] == [
        ("0", "finished"),
        ("9", "pruned"),
        ("10", "diverged"),
        ("11", "failed"),
    ]


def test_every_trial_with_a_result_is_a_line_across_the_axes_and_a_curve(opened):
    page = opened()
    lines = "[...document.querySelectorAll('.chart .chart')[{}].querySelectorAll('.mark-line path')]"
    dashed = page.evaluate(f"{lines.format(1)}.map((line) => line.getAttribute('stroke-dasharray') !== null)")
    assert (len(dashed), sum(dashed)) == (11, 2)
    assert page.evaluate(f"{lines.format(4)}.length") == 12
    widths = page.evaluate(f"{lines.format(1)}.map((line) => Number(line.getAttribute('stroke-width')))")
    assert widths.index(max(widths)) == len(widths) - 1  # the best above all


def test_a_pointer_at_a_place_is_answered_with_the_trial_and_its_result(opened):
    page = opened()
    chart = "document.querySelectorAll('.chart .chart')[1]"
    page.evaluate(f"{chart}.scrollIntoView()")
    x, y = page.evaluate(
        f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
        f"([...{chart}.querySelectorAll('.mark-symbol path')].at(-1).getBoundingClientRect())"
    )
    for shift in (-1, 0):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + shift, y=y)
    text = page.wait_for("document.querySelector('#vg-tooltip-element.visible')?.innerText")
    assert text.split() == ["trial", "4", "result", "validation_loss", "0.2000,", "validation_accuracy", "0.9000"]


def test_it_says_how_to_try_the_best_with_other_seeds(written):
    text = written.read_text("utf-8")
    assert "Trial 4 has the lowest validation_loss, 0.2000." in text
    assert f"mlpkit run &#x27;{written.parent}/best.yaml&#x27; --seeds 3" in text
    assert "Trials: 9 finished, 1 pruned, 1 diverged, 1 failed." in text
    assert "<h1>digits: 12 trials</h1>" in text
    assert "failed &lt;i&gt;" in text
    assert "Not finished" not in text


def test_a_sweep_that_is_not_over_says_how_to_go_on(tmp_path):
    folder = make_sweep(tmp_path / "s", "maximize: validation_accuracy", LOSSES[:3], ("", "pruned"))
    text = text_of(folder)
    assert "Not finished: trial 3; unless the sweep is still running, resume it with:" in text
    assert f"mlpkit sweep --resume {folder}" in text
    assert "Trial 1 has the highest validation_accuracy, 0.6000." in text
    assert "Pareto" not in text
    assert "To confirm it" not in text
    assert "too few trials to say" in text


def test_trials_that_were_pruned_or_diverged_count_as_the_worst(tmp_path):
    folder = make_sweep(tmp_path / "s", losses=[0.5] * 6, others=["pruned", "diverged"] * 3)
    row = text_of(folder).partition('<td class="text">learning_rate</td>')[2].partition("</tr>")[0]
    assert row == "<td>100 %</td>"


@pytest.mark.parametrize("others", [(), ("pruned",), ("", "failed")])
def test_a_sweep_without_results_has_a_page_too(tmp_path, others):
    text = text_of(make_sweep(tmp_path / "s", losses=(), others=others))
    assert 'class="chart"' not in text
    assert ("All trials</caption>" in text) == bool(others)
    assert ("Trials: none has started." in text) == (not others)


def test_of_many_trials_that_failed_ten_say_why_and_of_all_trials_400_are_listed(tmp_path):
    folder = make_sweep(tmp_path / "s", "minimize: validation_loss", losses=(), others=["failed"] * 12)
    for number in range(12, 402):
        (folder / f"trial-{number}").mkdir()
        (folder / f"trial-{number}/trial.json").write_text('{"values": {}, "asked_at": 0.0}')
    lines = page_text(text_of(folder)).splitlines()
    why, every = lines.index("trial | 'why it failed'"), lines.index("All trials")
    assert lines[why + 10 : why + 12] == ["9 | 'failed <i>'", "Trials"]
    assert [line.partition(" ")[0] for line in lines[every + 2 : every + 403]] == [*map(str, range(400)), "Spec"]


def test_only_trials_with_both_objectives_are_in_their_chart():
    trials = [
        Trial(0, Path("x"), {}, state="finished", results={"validation_loss": 0.5, "validation_accuracy": 0.75}),
        Trial(1, Path("x"), {}, state="finished", results={"validation_loss": 0.25}),
        Trial(2, Path("x"), {}, state="pruned", results={"validation_loss": 0.5, "validation_accuracy": 0.5}),
    ]
    found = Sweep(Path("x"), [LOSS, ACCURACY], trials, trials[1], trials[:1])
    text = page_text(f"<main>{_front_figure(found, LOSS, ACCURACY)}")
    assert [line for line in text.splitlines() if line.startswith('{"trial"')] == [
        '{"trial": 0, "validation_loss": 0.5, "validation_accuracy": 0.75, "series": "Pareto front"}'
    ]


def test_of_two_trials_the_best_is_darkest_and_integers_are_numbers_too():
    search = {"a": SearchedKey(low=1.0, high=3.0)}
    trials = [
        Trial(i, Path("x"), {"a": a}, state="finished", results={"validation_loss": loss})
        for i, (a, loss) in enumerate(((1, 0.5), (2.5, 0.25)))
    ]
    found = Sweep(Path("x"), [LOSS], trials, trials[1], [])
    lines = page_text(f"<main>{_coordinates_section(found, search, trials[::-1])}").splitlines()
    shades = {each["line"]: each["shade"] for each in map(json.loads, (line for line in lines if '"shade"' in line))}
    assert shades == {"trial 0": 1.0, "trial 1": 0.0}
    assert lines[-3:] == ["trial | validation_loss | a", "1 | 0.2500 (0.25) | 2.5", "0 | 0.5000 (0.5) | 1"]


def test_an_ensemble_has_seeds_of_its_own_and_needs_no_others(tmp_path):
    trial = Trial(0, made_up_run(tmp_path / "trial-0"), {}, state="finished", results={"validation_loss": 0.5})
    (tmp_path / "best.yaml").touch()
    found = Sweep(tmp_path, [LOSS], [trial], trial)
    alone = "".join(_best_in_words(found))
    made_up_run(tmp_path / "trial-0/members/0")
    ensemble = "".join(_best_in_words(found))
    assert "Trial 0 has the lowest validation_loss, 0.5000. The best of many trials" in ensemble
    assert (alone.startswith(ensemble), "--seeds 3" in alone, "--seeds 3" in ensemble) == (True, True, False)


def test_the_page_goes_where_it_is_asked_for(tmp_path):
    folder = make_sweep(tmp_path / "s", losses=LOSSES[:1])
    assert mlpkit.report(folder, tmp_path / "page.html") == tmp_path / "page.html"
    assert not (folder / "report.html").exists()
    with pytest.raises(StorageError):
        mlpkit.report(folder, tmp_path / "missing" / "page.html")


def test_a_damaged_folder_is_an_error_that_names_the_file(tmp_path):
    folder = make_sweep(tmp_path / "s")
    (folder / "sweep.yaml").write_text(SPEC.format(sweep=""))
    with pytest.raises(RunFolderError, match=r"sweep\.yaml: has no section sweep any more"):
        mlpkit.report(folder)

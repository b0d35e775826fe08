"""Whether runs differ by more than chance: which are compared, how, and how often the answer is wrong."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from requirements import Optional
from run_folders import made_up_run

import mlpkit
from mlpkit.pages.results import RunOnPage, RunSet
from mlpkit.verbs.runs.compare import compare, verdicts

stats = Optional("scipy.stats")

METRICS = ("accuracy", "f1", "loss", "recall", "precision", "top_k", "auc", "brier")


def results(loss, accuracy=None):
    return {"test": {"loss": loss, "accuracy": 1 - loss if accuracy is None else accuracy, "table": [[1, 2], [3, 4]]}}


def group(folder, losses, *, first_seed=0, **how):
    """Write the folder of several runs, each with a loss at its end."""
    for seed, loss in enumerate(losses, start=first_seed):
        made_up_run(folder / f"seed-{seed}", seed=seed, results=None if loss is None else results(loss), **how)
    return folder


SMALL = (0.31, 0.28, 0.34, 0.30, 0.27)
LARGE = (0.24, 0.22, 0.25, 0.21, 0.23)


def by_metric(found):
    return {verdict.metric: verdict for verdict in found.chance}


def test_runs_of_the_same_seeds_are_compared_seed_by_seed(tmp_path):
    found = compare([group(tmp_path / "a", SMALL), group(tmp_path / "b", LARGE, units=20)])
    assert found.runs == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert found.spec == {"layers.Affine1.Affine.units": [10, 20]}
    expected = stats.ttest_rel(LARGE, SMALL)
    loss = by_metric(found)["test.loss"]
    assert (loss.paired, loss.beyond_chance) == (True, True)
    assert loss.difference == pytest.approx(np.mean(LARGE) - np.mean(SMALL))
    assert (loss.low, loss.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert loss.p_value == pytest.approx(2 * expected.pvalue)  # two comparisons, which are the same
    assert found.metrics["test.loss"][0].mean == pytest.approx(0.3)
    assert found.metrics.keys() == {"test.loss", "test.accuracy"}


def test_runs_of_other_seeds_are_compared_by_welch(tmp_path):
    found = compare([group(tmp_path / "a", SMALL), group(tmp_path / "b", LARGE[:3], units=20, first_seed=7)], ["loss"])
    (loss,) = found.chance
    assert not loss.paired
    assert loss.p_value == pytest.approx(stats.ttest_ind(LARGE[:3], SMALL, equal_var=False).pvalue)


def test_two_runs_of_other_seeds_are_too_few(tmp_path):
    found = compare([group(tmp_path / "a", SMALL), group(tmp_path / "b", LARGE[:2], units=20, first_seed=7)])
    (remark,) = found.remarks
    assert found.chance == []
    assert remark.startswith(f"{tmp_path}/b and {tmp_path}/a have different seeds, so a test needs 3 on each side")
    same = compare([group(tmp_path / "c", SMALL[:2], units=30), group(tmp_path / "d", LARGE[:2], units=40)])
    assert (len(same.chance), same.remarks) == (2, [])


def test_every_side_is_compared_with_the_first_and_all_comparisons_count(tmp_path):
    losses = {"a": SMALL, "b": LARGE, "c": (0.30, 0.29, 0.33, 0.31, 0.27)}
    sides = [group(tmp_path / name, values, units=units) for units, (name, values) in enumerate(losses.items(), 10)]
    found = compare(sides, ["test.loss"])
    assert [Path(verdict.other).name for verdict in found.chance] == ["b", "c"]
    raw = [stats.ttest_rel(losses[name], SMALL).pvalue for name in "bc"]
    assert [verdict.p_value for verdict in found.chance] == pytest.approx([2 * raw[0], raw[1]])
    assert [verdict.beyond_chance for verdict in found.chance] == [True, False]


def test_runs_that_are_given_one_by_one_are_put_together_by_their_specs(tmp_path):
    group(tmp_path / "a", SMALL)
    group(tmp_path / "b", LARGE, units=20)
    runs = [tmp_path / name / f"seed-{seed}" for seed in range(5) for name in "ab"]
    found = compare(runs)
    assert found.runs == [f"{tmp_path}/a/seed-0 and 4 more", f"{tmp_path}/b/seed-0 and 4 more"]
    assert found.chance == [
        verdict.__class__(**{**vars(verdict), "first": found.runs[0], "other": found.runs[1]})
        for verdict in compare([tmp_path / "a", tmp_path / "b"]).chance
    ]


def test_a_run_given_twice_counts_once(tmp_path):
    a, b = made_up_run(tmp_path / "a", results=results(0.3)), group(tmp_path / "b", LARGE, units=20)
    found = compare([a, a, b])
    assert [len(runs) for runs in found.members] == [2, 5]
    assert found.chance == []
    c = made_up_run(tmp_path / "c", units=20, results=results(0.2))
    (remark,) = compare([a, c, c]).remarks
    assert remark.startswith("One run each can't tell")


def test_runs_that_differ_in_their_seeds_alone_are_no_sides(tmp_path):
    found = compare([group(tmp_path / "a", SMALL)])
    assert [Path(run).name for run in found.runs] == [f"seed-{seed}" for seed in range(5)]
    assert (found.only_seeds, found.grouped, found.chance) == (True, False, [])


def test_other_data_is_another_side(tmp_path):
    for name in "ab":
        group(tmp_path / name, SMALL)
    for seed in range(5):
        (tmp_path / f"b/seed-{seed}/lock.json").write_text('{"data_checksum": "other"}')
    assert len(compare([tmp_path / "a", tmp_path / "b"]).runs) == 2


def test_a_folder_of_runs_of_several_specs_is_several_sides(tmp_path):
    for seed, units in itertools.product(range(2), (10, 20)):
        made_up_run(tmp_path / f"runs/{units}-{seed}", seed=seed, units=units, results=results(0.1 * seed))
    found = compare([tmp_path / "runs"])
    assert [Path(name).name for name in found.runs] == ["10-0 and 1 more", "20-0 and 1 more"]


def test_runs_that_are_not_finished_do_not_count(tmp_path):
    found = compare([group(tmp_path / "a", (*SMALL, None)), group(tmp_path / "b", LARGE, units=20)], ["loss"])
    assert (found.finished, found.finished_members) == (10, [5, 5])
    assert found.chance[0].paired
    alone = compare([group(tmp_path / "c", (0.3, None, None)), tmp_path / "b"])
    assert (alone.finished_members, alone.chance) == ([1, 5], [])


def test_what_is_judged(tmp_path):
    for name, units in (("a", 10), ("b", 20)):
        for seed in range(2):
            splits = {split: {"loss": seed + units, "accuracy": seed / units} for split in ("train", "validation")}
            made_up_run(tmp_path / f"{name}/seed-{seed}", seed=seed, units=units, results=splits)
    sides = [tmp_path / "a", tmp_path / "b"]
    assert [verdict.metric for verdict in compare(sides).chance] == ["validation.loss", "validation.accuracy"]
    assert [verdict.metric for verdict in compare(sides, ["loss"]).chance] == ["train.loss", "validation.loss"]
    assert [verdict.metric for verdict in compare(sides, ["train.loss"]).chance] == ["train.loss"]
    with pytest.raises(mlpkit.UsageError, match=r"no finished run has the metric f1; expected train\.loss, "):
        compare(sides, ["f1"])
    with pytest.raises(mlpkit.UsageError, match=r"no finished run has the metric f1; expected train\.loss, "):
        compare([side / "seed-0" for side in sides], ["f1"])


def test_values_without_spread_are_no_proof(tmp_path):
    """With two seeds each, values that happen to be equal are nothing unusual where a test set is small."""
    equal = compare([group(tmp_path / "a", (0.5, 0.5)), group(tmp_path / "b", (0.4, 0.4), units=20)], ["loss"])
    assert (equal.chance[0].p_value, equal.chance[0].beyond_chance) == (0.5, False)
    welch = [group(tmp_path / "c", [0.5] * 5), group(tmp_path / "d", [0.4] * 5, units=20, first_seed=5)]
    assert compare(welch, ["loss"]).chance[0].p_value == pytest.approx(2 / 252)
    same = compare([tmp_path / "a", group(tmp_path / "e", (0.5, 0.5), units=20)], ["loss"])
    assert same.chance[0].p_value == 1


def side(name, values):
    """Return a side with a run for each row of an array, and a metric for each column."""
    rows = [{"test": dict(zip(METRICS, row, strict=False))} for row in values.tolist()]
    return RunSet(name, tuple(RunOnPage(Path(name), {"seed": i}, {}, [], row) for i, row in enumerate(rows)))


def share_of_wrong_verdicts(trials, draw):
    """Return how often a difference is called more than chance when there is only chance."""
    wrong = [any(verdict.beyond_chance for verdict in verdicts([side("a", draw()), side("b", draw())])) for _ in trials]
    return np.mean(wrong)


def normal(metrics, seed=0):
    generator = np.random.default_rng(seed)
    return lambda: generator.normal(size=(5, metrics))


def accuracies(runs, rows, seed=0):
    generator = np.random.default_rng(seed)
    return lambda: generator.binomial(rows, 0.9, (runs, 1)) / rows


def test_chance_is_called_chance():
    """Each metric by itself would be wrong in 5 % of cases, and so one of eight in 34 %."""
    draw = normal(len(METRICS))
    naive = [np.min(stats.ttest_rel(draw(), draw()).pvalue) < 0.05 for _ in range(1000)]
    assert np.mean(naive) > 0.25
    assert share_of_wrong_verdicts(range(60), normal(len(METRICS))) < 0.1
    assert share_of_wrong_verdicts(range(250), normal(1)) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("runs", [2, 5])
def test_chance_is_called_chance_where_values_are_few(runs):
    assert share_of_wrong_verdicts(range(200), accuracies(runs, rows=20)) < 0.08


@pytest.mark.long
def test_chance_is_called_chance_in_five_of_a_hundred_cases():
    for metrics in (1, 3, len(METRICS)):
        assert share_of_wrong_verdicts(range(3000), normal(metrics)) == pytest.approx(0.05, abs=0.012)
    for runs, rows in itertools.product((2, 3, 5, 10), (20, 1000)):
        assert share_of_wrong_verdicts(range(1500), accuracies(runs, rows)) < 0.065


def test_a_real_difference_is_found():
    draw = normal(2)
    found = [verdicts([side("a", draw()), side("b", 5 + draw())]) for _ in range(40)]
    assert np.mean([verdict.beyond_chance for both in found for verdict in both]) > 0.9

"""Which trials the rules call weak, by hand; and which pruned trials are no longer weak, by the folders of all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import loans_sweep
import pytest
from run_folders import made_up_run

import mlpkit
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.pruning import (
    Curve,
    Evaluation,
    bracket_of,
    curve_of,
    is_stopped_at_rung,
    is_worse_than_median,
    no_longer_weak,
)
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.trial import train_trial


def curve(number, *costs, finished=False, epochs=None):
    epochs = epochs or range(1, len(costs) + 1)
    return Curve(number, [Evaluation(float(e), c) for e, c in zip(epochs, costs, strict=True)], finished)


FINISHED = [curve(i, cost, cost / 2, cost / 4, finished=True) for i, cost in enumerate([1.0, 2.0, 3.0, 4.0, 5.0])]


@pytest.mark.parametrize(
    ("costs", "weak"),
    [
        ([2.9], False),
        ([3.0], False),
        ([3.1], True),  # the median after one epoch is 3
        ([9.0, 1.5], False),  # after two it is 1.5
        ([9.0, 1.6], True),
        ([1.4, 9.0], False),  # its best counts
    ],
)
def test_a_trial_worse_than_the_median_is_weak(costs, weak):
    assert is_worse_than_median(curve(9, *costs), FINISHED, 3.0) is weak


def test_the_median_needs_five_finished_trials():
    running = [curve(5, 0.1), curve(6, 0.1)]
    assert not is_worse_than_median(curve(9, 99.0), [*FINISHED[:4], *running], 3.0)
    assert is_worse_than_median(curve(9, 99.0), [*FINISHED, *running], 3.0)


def test_trials_with_other_epochs_are_compared_at_the_last_evaluation_up_to_there():
    others = [curve(i, 4.0, 1.0, finished=True, epochs=(0.5, 1.5)) for i in range(5)]
    assert not is_worse_than_median(curve(9, 3.9, epochs=(1.2,)), others, 3.0)
    assert is_worse_than_median(curve(9, 3.9, epochs=(1.5,)), others, 3.0)
    assert not is_worse_than_median(curve(9, 3.9, epochs=(1.6,)), others, 3.0)  # none came so far


def test_brackets_get_the_shares_of_hyperband():
    """Of Li et al. (2018), table 1, with η = 3: n = 27, 12, 6, 4 for brackets whose first rung is at 1, 3, 9, 27."""
    counts = Counter(bracket_of(number, 4) for number in range(27 + 12 + 6 + 4))
    assert counts == {0: 27, 1: 12, 2: 6, 3: 4}


@pytest.mark.parametrize("brackets", range(2, 6))
def test_each_bracket_gets_its_share_from_the_beginning(brackets):
    """Of the first trials, too: at any time, each has its share up to one trial."""
    order = [bracket_of(number, brackets) for number in range(400)]
    period = next(n for n in range(1, 400) if order[n:] == order[:-n])
    for begun in range(1, period + 1):
        for bracket in range(brackets):
            share = order[:period].count(bracket) / period
            assert abs(order[:begun].count(bracket) - share * begun) < 1.5


def in_bracket(bracket, count, brackets):
    numbers = (number for number in range(1000) if bracket_of(number, brackets) == bracket)
    return [next(numbers) for _ in range(count)]


def test_a_rung_keeps_the_best_third():
    first, *others = in_bracket(0, 9, 3)  # rungs at 1 and 3 epochs of 9
    rivals = [curve(number, cost) for number, cost in zip(others, range(1, 9), strict=True)]
    assert [is_stopped_at_rung(curve(first, cost), rivals, 9.0) for cost in (0.5, 1.5, 2.5, 3.5, 8.5)] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_trial_is_judged_at_rungs_of_its_bracket_only():
    first, *others = in_bracket(0, 3, 3)
    rivals = [curve(number, 1.0, 1.0, 1.0, 1.0) for number in others]
    judged = [is_stopped_at_rung(curve(first, *[9.0] * n), rivals, 9.0) for n in range(1, 9)]
    assert judged == [True, False, True, False, False, False, False, False]
    second, *others = in_bracket(1, 3, 3)
    rivals = [curve(number, 1.0, 1.0, 1.0, 1.0) for number in others]
    judged = [is_stopped_at_rung(curve(second, *[9.0] * n), rivals, 9.0) for n in range(1, 9)]
    assert judged == [False, False, True, False, False, False, False, False]


def test_the_last_bracket_and_other_brackets_end_nothing():
    (last,) = in_bracket(2, 1, 3)
    rivals = [curve(number, *[1.0] * 9) for number in range(40) if number != last]
    assert not any(is_stopped_at_rung(curve(last, *[9.0] * n), rivals, 9.0) for n in range(1, 10))
    first, second = in_bracket(0, 1, 3)[0], in_bracket(1, 1, 3)[0]
    assert not is_stopped_at_rung(curve(first, 9.0), [curve(second, 1.0)], 9.0)


def test_a_trial_as_good_as_the_others_continues():
    first, *others = in_bracket(0, 9, 3)
    assert not is_stopped_at_rung(curve(first, 1.0), [curve(number, 1.0) for number in others], 9.0)


def test_one_evaluation_in_all_ends_nothing():
    assert not is_stopped_at_rung(curve(0, 9.0), [curve(1, 1.0)], 1.0)


HYPERBAND = {
    "iterations: 40": "iterations: 9",
    "evaluate_every: 10": "evaluate_every: 1",
    "trials: 3": "trials: 9",
    "prune: median": "prune: hyperband",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with loans_sweep.begun(HYPERBAND) as kept:
        yield kept


def train(folder, number, rate):
    train_trial(folder.begin(number, {"training.optimizer.sgd.learning_rate": rate}, 0.0).directory)


def sweep_with(rule, more=""):
    Path("loans.yaml").write_text(f"{loans_sweep.SPEC.replace('prune: median', f'prune: {rule}')}{more}")
    return mlpkit.load_spec("loans.yaml").sweep


def made_up(number, *losses, state="pruned", **options):
    """Return a trial with a loss every half epoch, of one epoch in all."""
    options |= {"results": {}} if state == "finished" else {"failure": {"state": state, "steps": 100, "message": ""}}
    return Trial(number, made_up_run(Path(f"trial-{number}"), losses=losses, **options), {}, state=state)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Return five finished trials, of which the median loss after half an epoch is 3."""
    monkeypatch.chdir(tmp_path)
    return [made_up(10 + i, cost, cost, state="finished") for i, cost in enumerate([1.0, 2.0, 3.0, 4.0, 5.0])]


@pytest.mark.parametrize(
    ("losses", "strong"),
    [([[3.1], [9.0]], None), ([[2.9], [9.0]], 0), ([[2.9], [2.9, 2.9]], 1), ([[2.9, 4.0], [2.9]], 0)],
)
def test_of_the_pruned_trials_that_the_rule_would_not_end_now_the_longest_goes_on(finished, losses, strong):
    pruned = [made_up(number, *each) for number, each in enumerate(losses)]
    found = no_longer_weak([*pruned, *finished], sweep_with("median"))
    assert found == (None if strong is None else pruned[strong])


def test_a_trial_that_was_not_pruned_or_was_not_evaluated_or_has_no_known_length_does_not_go_on(finished):
    others = [
        made_up(0, 0.5, state="diverged"),
        made_up(1),
        made_up(2, 0.5, length="seconds: 9"),
        made_up(3, 9.0),
    ]
    assert no_longer_weak([*others, *finished], sweep_with("median")) is None


def test_a_trial_is_no_rival_of_its_own(tmp_path, monkeypatch):
    """At the rung of a half epoch, of five trials the best goes on, and of six the best two."""
    monkeypatch.chdir(tmp_path)
    trials = [made_up(0, 0.1, 0.1, state="finished"), made_up(1, 0.2), *(made_up(i, 0.9) for i in (2, 3, 4))]
    sweep = sweep_with("hyperband")
    assert no_longer_weak(trials, sweep) is None
    assert no_longer_weak([*trials, made_up(5, 0.9)], sweep) == trials[1]


def test_of_trials_that_are_all_pruned_the_best_continues(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trials = [made_up(number, loss) for number, loss in enumerate([0.9, 0.8, 0.7, 0.2, 0.6])]
    assert no_longer_weak(trials, sweep_with("hyperband")) == trials[3]


def test_a_trial_that_has_only_begun_has_an_empty_curve(tmp_path):
    objective = Objective("validation_loss", maximize=False)
    trial = made_up_run(tmp_path / "trial-7", losses=[0.5])
    assert curve_of(trial, objective) == Curve(7, [Evaluation(0.5, 0.5)], False)
    (trial / "history.jsonl").unlink()
    assert curve_of(trial, objective) == Curve(7, [], False)


def states(folder):
    return {trial.number: trial.state for trial in folder.trials()}


def test_a_trial_that_a_rung_ended_goes_on_once_it_is_in_the_best_third_of_more(folder):
    """Of two trials at a rung, the best goes on; of six, the best two."""
    sweep = mlpkit.load_spec("loans.yaml").sweep
    best, second, *others = [number for number in range(30) if bracket_of(number, 3) == 0][:6]
    train(folder, best, 0.3)
    train(folder, second, 0.2)
    assert states(folder) == {best: "finished", second: "pruned"}
    assert no_longer_weak(folder.trials(), sweep) is None
    for number in others:
        train(folder, number, 1e-5)
    found = no_longer_weak(folder.trials(), sweep)
    assert found.number == second
    again = folder.reopen(found)
    assert again.state == "stopped"
    assert no_longer_weak(folder.trials(), sweep) is None
    train_trial(again.directory)
    assert len((again.directory / "history.jsonl").read_text().splitlines()) > 1

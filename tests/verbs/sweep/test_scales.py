"""Where values and results of trials lie on axes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.page import LETTERS, scale_of_key, scale_of_objective
from mlpkit.verbs.sweep.section import Objective, SearchedKey


def trial(value=None, **results):
    return Trial(0, Path("x"), {} if value is None else {"key": value}, results=results)


def places(searched, *values):
    scale = scale_of_key("key", "name", searched)
    return [scale.place(trial(value)) for value in values]


def ticks(searched):
    return scale_of_key("key", "name", searched).axis.ticks


def test_a_range_is_spread_as_the_search_spreads_it():
    assert places(SearchedKey(low=0.0, high=0.5), 0.0, 0.125, 0.5, None, "sgd") == [0, 0.25, 1, None, None]
    assert places(SearchedKey(low=0.1, high=0.5), -3.0, 0.6) == [0, 1]
    log = SearchedKey(low=1e-4, high=1.0, log=True)
    assert places(log, 1e-4, 1e-3, 1.0) == pytest.approx([0, 0.25, 1])
    assert ticks(log) == [(0, "0.0001"), (pytest.approx(0.5), "0.01"), (1, "1")]
    assert ticks(SearchedKey(low=2.0, high=50.0, log=True))[1] == (pytest.approx(0.5), "10")
    assert scale_of_key("key", "rate", log).axis.name == "rate (log)"
    assert ticks(SearchedKey(low=10, high=100)) == [(0, "10"), (0.5, "55"), (1, "100")]


def test_choices_lie_side_by_side():
    searched = SearchedKey(choices=("sgd", {"adam": {"beta1": 0.8}}, 1))
    assert places(searched, "sgd", {"adam": {"beta1": 0.8}}, 1, "gone", None) == [0, 0.5, 1, None, None]
    assert places(SearchedKey(choices=("sgd",)), "sgd") == [0.5]
    assert ticks(SearchedKey(choices=(*range(8),))) == [(i / 7, str(i)) for i in range(8)]
    assert ticks(SearchedKey(choices=(*range(9),))) == [(i / 8, str(i)) for i in range(0, 9, 2)]
    named = [label for _, label in ticks(SearchedKey(choices=tuple("abcdefgh" + "x" * i for i in range(3))))]
    assert named == ["abcdefgh", "abcdefghx", "abcdefghxx"]
    named = [label for _, label in ticks(SearchedKey(choices=("a" * 14, "b" * 15, "c")))]
    assert named == ["a" * 14, "b" * 13 + "…", "c"]


@pytest.mark.parametrize("count", [2, 5, 9, 40])
def test_labels_of_choices_fit_on_a_phone(count):
    shown = ticks(SearchedKey(choices=tuple(f"a_very_long_name_of_choice_{i}" for i in range(count))))
    assert sum(len(label) for _, label in shown) <= LETTERS
    assert shown[0][0] == 0


def test_a_label_is_cut_if_it_does_not_fit():
    whole, longer = "a" * LETTERS, "a" * (LETTERS + 1)
    assert ticks(SearchedKey(choices=(whole,))) == [(0.5, whole)]
    assert ticks(SearchedKey(choices=(longer,))) == [(0.5, f"{whole[:-1]}…")]


def test_results_reach_from_the_lowest_to_the_highest():
    results = [trial(validation_loss=loss, validation_accuracy=loss) for loss in (0.02, 0.2, 2.0)]
    of_loss = scale_of_objective(Objective("validation_loss", maximize=False), results)
    assert [of_loss.place(each) for each in [*results, trial()]] == [0, pytest.approx(0.5), 1, None]
    assert of_loss.axis.name == "validation_loss (log; lower is better)"
    assert [label for _, label in of_loss.axis.ticks] == ["0.0200", "0.2000", "2.0000"]
    of_metric = scale_of_objective(Objective("validation_accuracy", maximize=True), results)
    assert of_metric.place(results[1]) == pytest.approx(0.18 / 1.98)
    assert of_metric.axis.name == "validation_accuracy (higher is better)"


def test_equal_results_lie_in_the_middle():
    objective, results = Objective("train_loss", maximize=False), [trial(train_loss=0.0)]
    scale = scale_of_objective(objective, results)
    assert (scale.place(results[0]), scale.axis.ticks) == (0.5, [(0.5, "0.0000")])
    assert scale_of_objective(objective, []).place(trial()) is None
    assert scale_of_objective(objective, []).axis.ticks == [(0, "0.0000"), (0.5, "0.5000"), (1, "1.0000")]


def test_a_loss_of_zero_has_no_logarithm():
    scale = scale_of_objective(Objective("train_loss", maximize=False), [trial(train_loss=0.0), trial(train_loss=3.0)])
    assert (scale.axis.name, scale.axis.ticks) == (
        "train_loss (lower is better)",
        [(0, "0.0000"), (0.5, "1.5000"), (1, "3.0000")],
    )

"""By how much the best trial leads, beside SciPy's tests and on simulated sweeps."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from requirements import Optional

from mlpkit.statistics import difference
from mlpkit.verbs.sweep.folder import read_trial
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.sweep import lead_of

stats = Optional("scipy.stats")

ACCURACY = Objective("validation_accuracy", maximize=True)
LOSS = Objective("validation_loss", maximize=False)


def write_json(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def write_trial(folder, number, accuracies, kind="seeds", values=None):
    """Write what a finished trial leaves of its results, the loss as 1 - accuracy."""
    directory = folder / f"trial-{number}"
    write_json(directory / "trial.json", {"values": values or {"x": number}, "asked_at": 0.0})
    below = "seed-{}" if kind == "seeds" else "members/{}"
    for i, accuracy in enumerate(accuracies):
        results = {"validation": {"accuracy": accuracy, "loss": 1 - accuracy}}
        write_json(directory / below.format(i) / "metrics.json", results)
    mean = float(np.mean(accuracies))
    whole = {"accuracy": mean, "loss": 1 - mean}
    if kind == "seeds":
        write_json(directory / "seeds.json", {"seeds": [*range(len(accuracies))]})
        whole = {name: {"n": len(accuracies), "mean": value} for name, value in whole.items()}
    else:
        (directory / "spec.yaml").touch()
    if kind == "folds":
        (directory / "out_of_fold.csv").touch()
    write_json(directory / "metrics.json", {"validation": whole})
    return read_trial(directory)


BEST, SECOND, LAST = [0.91, 0.95, 0.93], [0.88, 0.93, 0.89], [0.5, 0.9, 0.6]


@pytest.mark.parametrize("objective", [ACCURACY, LOSS])
def test_seeds_are_compared_pair_by_pair(objective, tmp_path):
    trials = [write_trial(tmp_path, number, each) for number, each in enumerate((SECOND, LAST, BEST))]
    lead = lead_of(trials, [objective])
    expected = stats.ttest_rel(BEST, SECOND)
    interval = expected.confidence_interval()
    assert (lead.trial, lead.over, lead.paired_by, lead.beyond_chance) == (2, 0, "seed", True)
    assert [lead.by, lead.p_value, lead.low, lead.high] == pytest.approx([0.03, expected.pvalue, *interval])
    assert str(lead) == (
        "trial 2 leads trial 0 by 0.0300, more than chance, p 0.035 (seed by seed, paired t-test, 95 %: +0.0052 to "
        "+0.0548)"
    )
    assert lead.to_plain() == {**vars(lead), "beyond_chance": True}


def test_folds_count_as_less_since_their_trainings_share_rows(tmp_path):
    trials = [write_trial(tmp_path, number, each, "folds") for number, each in enumerate((SECOND, BEST))]
    lead = lead_of(trials, [ACCURACY])
    differences = np.subtract(BEST, SECOND)
    t = differences.mean() / (differences.std(ddof=1) * np.sqrt(1 / 3 + 1 / 2))
    assert lead.p_value == pytest.approx(2 * stats.t.sf(t, 2))
    assert (lead.paired_by, lead.beyond_chance) == ("fold", False)
    assert str(lead).endswith("which may be chance, p 0.081 (fold by fold, paired t-test, 95 %: -0.0093 to +0.0693)")


def test_one_result_each_says_nothing_about_chance(tmp_path):
    """So it is with an average of members, too: what its networks come to is another question."""
    for kind in ("seeds", "members"):
        results = ([0.8], [0.9]) if kind == "seeds" else (SECOND, BEST)
        trials = [write_trial(tmp_path / kind, number, each, kind) for number, each in enumerate(results)]
        lead = lead_of(trials, [ACCURACY])
        assert (lead.low, lead.high, lead.p_value, lead.beyond_chance) == (None, None, None, None)
        assert str(lead).startswith("trial 1 leads trial 0 by 0.")
        assert str(lead).endswith(", which may be chance; a sweep with seeds or folds can tell")
    trials = [write_trial(tmp_path / "folds", i, each, "folds") for i, each in enumerate((SECOND, BEST))]
    assert lead_of(trials, [Objective("train_loss", maximize=False)]) is None  # these have no such result


def test_a_trial_with_the_same_values_is_no_other(tmp_path):
    trials = [write_trial(tmp_path, number, BEST, values={"x": 5}) for number in range(2)]
    assert lead_of(trials, [ACCURACY]) is None
    assert lead_of([], [ACCURACY]) is None
    trials.append(write_trial(tmp_path, 2, LAST))
    assert lead_of(trials, [ACCURACY]).over == 2


def test_a_seed_without_a_value_in_one_of_the_two_does_not_count(tmp_path):
    trials = [write_trial(tmp_path, number, each) for number, each in enumerate((SECOND, BEST))]
    write_json(trials[0].directory / "seed-1/metrics.json", {"validation": {}})
    assert lead_of(trials, [ACCURACY]).p_value == pytest.approx(stats.ttest_rel(BEST[::2], SECOND[::2]).pvalue)


@pytest.mark.parametrize("ahead", [0.0, 3.0])
def test_the_best_by_chance_is_called_more_than_chance_5_times_in_100_at_most(ahead):
    """Of ten trials, of which all are as good, or two, which are ahead of the others: the worst case."""
    generator, sweeps, seeds = np.random.default_rng(0), 600, 4
    called = 0
    for _ in range(sweeps):
        results = generator.normal(size=(10, seeds)) + generator.normal(size=seeds)
        results[:2] += ahead
        second, best = np.argsort(results.mean(axis=1))[-2:]
        called += difference(list(results[best]), list(results[second]), paired=True).beyond_chance
    assert called / sweeps < 0.05 + 3 * np.sqrt(0.05 * 0.95 / sweeps)
    assert ahead == 0 or called / sweeps > 0.02


def test_the_rounding_of_a_sum_is_no_lead(tmp_path):
    write_trial(tmp_path, 0, [0.1, 0.2, 0.3])
    write_trial(tmp_path, 1, [0.1, 0.3, 0.2])
    for number, mean in ((0, 0.2), (1, math.nextafter(0.2, 1))):
        write_json(tmp_path / f"trial-{number}" / "metrics.json", {"validation": {"accuracy": {"n": 3, "mean": mean}}})
    lead = lead_of([read_trial(tmp_path / f"trial-{number}") for number in (0, 1)], [ACCURACY])
    assert (lead.by, str(lead)) == (0.0, "trial 1 and trial 0 are equally good")

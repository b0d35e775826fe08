"""Evaluating a trained network."""

from __future__ import annotations

import pytest

from mlpkit.errors import UsageError
from mlpkit.jobs.evaluate import evaluate


def test_evaluation_repeats_the_metrics_of_the_run(train, work):
    run = train()
    assert evaluate(work / "run") == run.metrics


def test_one_split_can_be_asked_for(train, work):
    run = train()
    assert evaluate(work / "run", ["test"]) == {"test": run.metrics["test"]}


def test_a_split_that_is_not_there_is_refused(train, work):
    train()
    with pytest.raises(UsageError, match="mnist has no split 'tset'; expected one of train, validation, test"):
        evaluate(work / "run", ["tset"])

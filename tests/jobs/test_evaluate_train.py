"""``evaluate_train: false``: the training data is evaluated at the end alone."""

from __future__ import annotations

from pathlib import Path

from stop_at import StopAt

import mlpkit
from mlpkit.verbs.doctor.doctor import doctor
from mlpkit.verbs.report.report import report

ONLY_VALIDATION = {"training.evaluate_train": False, "training.best_weights": "accuracy"}


def test_only_validation_data_is_evaluated_until_the_end(train):
    with_training, without = train("with"), train("without", training__evaluate_train=False)
    assert [key for key in without.history[0] if key.startswith("train")] == []
    kept = without.history[0].keys()
    assert [{key: record[key] for key in kept} for record in with_training.history] == without.history
    assert without.metrics == with_training.metrics
    assert set(without.metrics) == {"train", "validation", "test"}


def test_without_validation_data_the_training_data_is_evaluated(train):
    run = train(None, training__evaluate_train=False, data__mnist__validation=0)
    assert {"train_loss", "train_accuracy"} < run.history[-1].keys()


def test_a_run_is_resumed_to_the_bit(work):
    overrides = ONLY_VALIDATION | {"training.checkpoint": {"every": 6, "keep": 3}}
    whole = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "whole")
    watch = StopAt(20)
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "run", observer=watch, stop=watch.stop)
    resumed = mlpkit.resume("run")
    assert (resumed.history, resumed.metrics) == (whole.history, whole.metrics)
    for name in ("model.safetensors", "history.jsonl", "metrics.json"):
        assert Path("run", name).read_bytes() == Path("whole", name).read_bytes()


def test_the_report_and_the_doctor_do_without(train):
    train(training__evaluate_train=False)
    assert "validation" in report("run").read_text("utf-8")
    assert not doctor(Path("run")).symptoms

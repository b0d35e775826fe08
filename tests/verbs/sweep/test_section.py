"""What the section of a sweep refuses, at which word; tests/specfile/wrong_specs has more, in whole."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlpkit
from mlpkit.jobs.check import check

SPEC = """\
mlpkit: 1
data: {{csv: {{file: "example:flowers.csv", target: species, ignore: [soil], missing: fill}}}}
layers: [Affine: {{units: 3}}, SoftmaxWithLoss]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, {length}, metrics: [accuracy]}}
sweep: {sweep}
"""
RATE = "training.optimizer.sgd.learning_rate"
CASES = {
    f"search: {{{RATE}: {{low: 0.1}}}}, trials: 2": [
        (RATE, "the range has no upper end", "high: NUMBER, in addition to low", "")
    ],
    f"search: {{{RATE}: {{low: 0.1, high: 0.1}}}}, trials: 2": [
        ("0.1}}, t", "0.1 is not above low: 0.1", "low < high", "")
    ],
    f"search: {{{RATE}: {{choices: [0.1], high: 0.5, log: true}}}}, trials: 2": [
        ("0.5, l", "high is for a range, but choices are given", "", "keep one of the two"),
        ("true}", "log is for a range, but choices are given", "", "leave out log"),
    ],
    f"search: {{{RATE}: [0.1, 0.2, 0.1]}}, trials: 2": [("0.1]", "the choice 0.1 is given twice", "", "")],
    "search: {seed: {low: 1, high: 3}, training.batch_size: {choices: [8], when: {seed: 1}}}, trials: 2": [
        ("seed: 1}", "seed has a range, not choices", "a key with choices", "")
    ],
    "search: {seed: [1, 2], training.batch_size: {choices: [8], when: {sed: 1}}}, trials: 2": [
        ("sed: 1", "'sed' is not a searched key", "", "did you mean 'seed'?")
    ],
    "search: {seed: [1, 2], training.batch_size: {choices: [8], when: {seed: []}}}, trials: 2": [
        ("[]}", "no choice of seed is named", "one of 1, 2", "")
    ],
    "search: {seed: [1, 2], training.batch_size: {choices: [8], when: {seed: [1, 3]}}}, trials: 2": [
        ("3]}", "3 is not among the choices of seed", "one of 1, 2", "")
    ],
    "search: {dtype: [float32, float64], seed: {choices: [8], when: {dtype: float16}}}, trials: 2": [
        ("float16", "'float16' is not among the choices of dtype", "one of float32, float64", "")
    ],
    "search: {seed: [1, 2], dtype: {choices: [float32], when: {seed: 1}}, "
    "training.batch_size: {choices: [8], when: {seed: 2, dtype: float32}}}, trials: 2": [
        ("when: {seed: 2", "these conditions can't hold at once", "", "")
    ],
    "search: {seed: [1, 2]}": [("sweep", "the sweep has no limit", "trials: COUNT, seconds: TIME, or both", "")],
    "search: {seed: [1, 2]}, trials: 2, minimize: [train_loss, validation_loss], maximize: train_loss": [
        ("train_loss}", "the objective train_loss is given twice", "", ""),
    ],
    "search: {seed: [1, 2]}, trials: 2, prune: median": [
        (
            "prune",
            "trainings that end after a time can't be compared while they run",
            "",
            "give epochs or iterations, or leave out prune",
        )
    ],
}


@pytest.mark.parametrize("sweep", CASES)
def test_what_is_refused(sweep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = SPEC.format(sweep=f"{{{sweep}}}", length="seconds: 2" if "prune" in sweep else "epochs: 2")
    Path("s.yaml").write_text(text)
    with pytest.raises(mlpkit.SpecError) as caught:
        check(mlpkit.load_spec("s.yaml"))
    faults, lines = caught.value.faults, text.splitlines()
    found = [(lines[each.line - 1][each.column - 1 :], each.message, each.expected, each.remedy) for each in faults]
    assert [(at[: len(start)], *said) for (at, *said), (start, *_) in zip(found, CASES[sweep], strict=True)] == CASES[
        sweep
    ]


@pytest.mark.parametrize(("more", "at"), [("", "sweep: "), (", minimize: validation_loss", "validation_loss}")])
def test_without_validation_data_there_is_nothing_to_choose_by(more, at, tmp_path):
    text = SPEC.format(sweep=f"{{search: {{seed: [1, 2]}}, trials: 2{more}}}", length="epochs: 2")
    (tmp_path / "s.yaml").write_text(text.replace("missing: fill", "missing: fill, validation: 0"))
    with pytest.raises(mlpkit.SpecError) as caught:
        check(mlpkit.load_spec(tmp_path / "s.yaml"))
    (fault,) = caught.value.faults
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith(at)
    assert fault.message == "the data has no rows for validation, so there is no validation_loss"
    assert fault.remedy == "let the data set hold some back, or choose by train_loss"

"""A spec to repair: what an answer must be, and what each check asks of it."""

from __future__ import annotations

import math

import pytest

from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import find
from mlpkit.verbs.homework.isolation import SubmissionError
from mlpkit.verbs.homework.kinds.spec import SpecTask

RIGHT = {"symptom": "saturated units", "key": "layers.Affine1.weights", "value": "he_normal"}
KEYS = "expected the keys symptom, key, value"


@pytest.fixture
def task():
    return SpecTask(find("spec", "first_flowers"), Registry.discover())


def test_an_answer_has_three_keys():
    assert SpecTask.parsed("key: a\nvalue: [1, 2]\nsymptom: b") == {"symptom": "b", "key": "a", "value": [1, 2]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", KEYS),
        ("[symptom, key, value]", KEYS),
        ("symptom: a\nkey: b", KEYS),
        ("symptom: a\nkey: b\nvalue: 1\nmore: 2", KEYS),
        ("symptom: &a b\nkey: *a\nvalue: 1", "the file has aliases; write each value itself"),
        ("a: [", "the file is not YAML: while parsing a flow node"),
        ("[" * 400, "the file is not YAML: "),
        ("#" * 2_000, KEYS),
        ("#" * 2_001, "the file has 2,001 characters; expected 2,000 at most"),
        ("a: 2001-99-99", "the file is not YAML: month must be in"),
    ],
    ids=lambda text: text[:12],
)
def test_another_answer_is_refused(text, reason):
    with pytest.raises(SubmissionError) as caught:
        SpecTask.parsed(text)
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) <= 222


@pytest.mark.parametrize("symptom", ["saturated_units", "Saturated units"])
def test_a_symptom_is_taken_in_words_and_as_a_name(symptom, task):
    task.check("symptom", {**RIGHT, "symptom": symptom}, None)


@pytest.mark.parametrize(
    ("check", "answer", "reason"),
    [
        ("symptom", {"symptom": "x" * 150}, f"it isn't {'x' * 100!r}: train the spec, and run mlpkit doctor"),
        ("symptom", {"symptom": 3}, "it isn't '3': train the spec, and run mlpkit doctor"),
        (
            *("key", {"key": "y" * 150}),
            f"{'y' * 100} is not what is wrong; which layer comes before the units that let no gradient through?",
        ),
        (
            *("healthy", {"key": "seed"}),
            "seed is not what is wrong; which layer comes before the units that let no gradient through?",
        ),
    ],
)
def test_a_wrong_answer_has_its_reason(check, answer, reason, task):
    with pytest.raises(SubmissionError) as caught:
        task.check(check, RIGHT | answer, None)
    assert (str(caught.value), task.failed) == (reason, {check})


@pytest.mark.parametrize(
    ("loss", "symptoms", "healthy", "learned"),
    [
        (0.12, [], "", ""),
        (0.1251, ["dead units", "vanishing gradients"], *("dead units, vanishing gradients", "0.125")),
        (math.nan, [], "", "nan"),
    ],
)
def test_the_repaired_training_is_without_symptoms_and_learns(loss, symptoms, healthy, learned, task, monkeypatch):
    monkeypatch.setattr(SpecTask, "trained", lambda *_: (loss, symptoms))
    reasons = {}
    for check in ("healthy", "learned"):
        try:
            task.check(check, RIGHT, None)
        except SubmissionError as error:
            reasons[check] = str(error)
    assert reasons == {
        **({"healthy": f'with "he_normal", the training has {healthy}'} if healthy else {}),
        **({"learned": f"the validation loss is {learned}, expected at most 0.12"} if learned else {}),
    }

"""A symptom in words and as plain data."""

from __future__ import annotations

import json

import pytest
from run_folders import made_up_run

from mlpkit.runs.folder import RunFolder
from mlpkit.training.health import Symptom, recorded_symptoms


@pytest.mark.parametrize(
    ("layer", "advice", "line"),
    [
        (
            "Relu1",
            ("--set training.clip.norm=1", "fewer steps"),
            "dead units in Relu1: 7 of 9; try --set training.clip.norm=1, or fewer steps",
        ),
        ("", ("fewer steps",), "dead units: 7 of 9; try fewer steps"),
    ],
)
def test_a_symptom_is_a_line_and_comes_back_from_json(layer, advice, line):
    symptom = Symptom("dead_units", layer, "7 of 9", advice, 30)
    assert str(symptom) == line
    assert symptom.title == line.partition(":")[0]
    plain = json.loads(json.dumps(symptom.to_plain()))
    assert plain == {"name": "dead_units", "layer": layer, "finding": "7 of 9", "advice": [*advice], "iteration": 30}
    assert Symptom.from_plain(plain) == symptom


DEAD = Symptom("dead_units", "Relu1", "7 of 9", ("fewer steps",), 30)
RATE, CLIP = "mlpkit tune-rate SPEC", "--set training.clip.norm=1"
FAILURE = {"state": "diverged", "steps": 41, "message": "the loss is inf"}


@pytest.mark.parametrize(
    ("failure", "clip", "healths", "found"),
    [
        (FAILURE, "", [], [("diverging", "the loss is inf", (RATE, CLIP), 41)]),
        (FAILURE, "  clip: {norm: 2}\n", [[]], [("diverging", "the loss is inf", (RATE,), 41)]),
        (FAILURE, "", [[DEAD], [], [DEAD, DEAD._replace(iteration=40)]], [30, 30, 40]),
        (FAILURE | {"state": "failed"}, "", [], []),
        (None, "", [[DEAD]], [30]),
        (None, "", [], []),
    ],
)
def test_the_symptoms_of_a_run_are_in_order_and_one_that_diverged_has_at_least_one(
    failure, clip, healths, found, tmp_path
):
    made_up_run(tmp_path / "run", failure=failure, more=clip)
    plain = [{"symptoms": [symptom.to_plain() for symptom in symptoms]} for symptoms in healths]
    symptoms = recorded_symptoms(RunFolder(tmp_path / "run"), plain)
    brief = [each.iteration if each.layer else (each.name, *each[2:]) for each in symptoms]
    assert brief == found

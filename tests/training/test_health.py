"""A symptom in words and as plain data."""

from __future__ import annotations

import json

import pytest

from mlpkit.training.health import Symptom


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

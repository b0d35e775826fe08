"""``mlpkit doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpkit.terminal.output import result
from mlpkit.training.health import Symptom
from mlpkit.verbs.doctor.command import _lines
from mlpkit.verbs.doctor.doctor import Diagnosis

DEAD = ("--set", "layers.Affine1.weights={normal: {std: 0.01, mean: -5.0}}")


@pytest.fixture
def runs(cwd, invoke):
    """Make a healthy run, and one whose units are dead, and return what the second printed."""
    assert invoke("run", "tiny.yaml", "--out", "healthy", "--quiet").code == 0
    return invoke("run", "tiny.yaml", "--out", "dead", *DEAD)


def test_a_symptom_is_told_once_while_training_goes_on(runs):
    (note,) = runs.err.splitlines()
    assert note.startswith("note: dead units in Relu1: 100 % of its 5 units pass no gradient on, ")
    assert "; try --set layers.Affine1.weights=he_normal, or " in note


def test_a_quiet_run_says_nothing(runs, invoke):
    done = invoke("run", "tiny.yaml", "--out", "quiet", "--quiet", *DEAD)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_symptom_is_an_event(runs, invoke):
    done = invoke("run", "tiny.yaml", "--out", "events", "--json", *DEAD)
    (event,) = [json.loads(line) for line in done.out.splitlines() if '"symptom"' in line]
    assert (event["event"], event["name"], event["layer"], event["iteration"]) == ("symptom", "dead_units", "Relu1", 0)


def test_a_healthy_run(runs, invoke):
    done = invoke("doctor", "healthy")
    assert (done.code, done.err) == (0, "")
    said = "healthy: 2 probes of 3 layers with 150 training rows, the last after step 4; 2 evaluations\n"
    assert done.out == said


def test_a_sick_run(runs, invoke):
    done = invoke("doctor", "dead")
    assert (done.code, done.err) == (1, "")
    assert done.out == (
        "dead units in Relu1\n"
        "  100 % of its 5 units pass no gradient on, for any of 150 examples; "
        "noticed before the first step\n"
        "  try --set layers.Affine1.weights=he_normal\n"
        "  or  an activation without flat parts\n"
        "\n"
        "1 symptom: 2 probes of 3 layers with 150 training rows, the last after step 4; 2 evaluations\n"
    )


def test_json(runs, invoke):
    done = invoke("doctor", "dead", "--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert (found["healthy"], found["looks"]) == (False, [0, 4])
    assert [symptom["name"] for symptom in found["symptoms"]] == ["dead_units"]


def test_what_is_no_run_folder_is_an_error(cwd, invoke):
    done = invoke("doctor", "tiny.yaml")
    assert (done.code, done.out) == (1, "") or done.code == 2
    assert done.err.startswith("error: tiny.yaml: is not a folder; ")


def test_two_symptoms_as_lines_and_as_plain_data(capsys):
    dead = Symptom("dead_units", "Relu1", "half of them are off", ("--set a=1", "less"), 1234)
    found = Diagnosis(
        Path("x"), (dead, Symptom("rate_too_low", "", "it stays", ("more",), 0)), (0, 500, 1234), 150, 1, 7
    )
    result("\n".join(_lines(found)))
    assert capsys.readouterr().out.splitlines() == [
        "dead units in Relu1",
        "  half of them are off; noticed after step 1,234",
        "  try --set a=1",
        "  or  less",
        "",
        "rate too low",
        "  it stays; noticed before the first step",
        "  try more",
        "",
        "2 symptoms: 3 probes of 1 layer with 150 training rows, the last after step 1,234; 7 evaluations",
    ]
    assert found.to_plain() == {
        "run": "x",
        "healthy": False,
        "symptoms": [dead.to_plain(), found.symptoms[1].to_plain()],
        "looks": [0, 500, 1234],
        "rows": 150,
        "layers": 1,
        "evaluations": 7,
        "afresh": False,
    }

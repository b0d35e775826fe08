"""``mlpkit run`` of an ensemble, and what other commands do with its folder."""

from __future__ import annotations

import json
import re

import pytest
from requirements import require_package


def cells(line):
    return re.split(r"\s{2,}", line.strip())


def listed_in(invoke, folder):
    return [json.loads(line) for line in invoke("runs", folder, "--json").out.splitlines()]


@pytest.fixture
def folder(invoke, cwd):
    """Return the folder of a trained ensemble of two folds, and what was printed."""
    done = invoke("run", "tiny.yaml", "--set", "ensemble.folds=2", "--out", "runs/two")
    assert (done.code, done.err) == (0, "")
    return cwd / "runs/two", done.out.splitlines()


def test_an_ensemble_from_all_sides(folder, invoke):
    directory, printed = folder
    metrics = json.loads((directory / "metrics.json").read_text())
    spread = json.loads((directory / "spread.json").read_text())
    assert printed[0].split()[:4] == ["member", "iteration", "epoch", "train_loss"]
    at = next(i for i, line in enumerate(printed) if "average" in line)
    table = printed[at:-1]
    assert cells(table[0]) == ["average", "each of 2, ± 95 %"]
    assert cells(table[1])[:2] == ["test loss", f"{metrics['test']['loss']:.4f}"]
    assert cells(table[1])[2].startswith(f"{spread['test']['loss']['mean']:.4f} ± ")
    assert printed[-1] == "saved in runs/two"

    again = invoke("resume", "runs/two")
    assert (again.code, again.err) == (0, "runs/two: the networks are finished; nothing was left to train\n")
    assert again.out.splitlines() == printed[at:]

    evaluated = invoke("evaluate", "runs/two", "--split", "test", "--json")
    assert json.loads(evaluated.out)["test"] == pytest.approx(metrics["test"])

    (listed,) = listed_in(invoke, "runs")
    member = listed_in(invoke, "runs/two/members")
    assert listed["state"] == "finished"
    assert listed["steps"] == sum(each["steps"] for each in member) > 0

    doctor = invoke("doctor", "runs/two")
    assert doctor.code == 2
    assert doctor.err == (
        "error: runs/two: is an ensemble; give one of its networks: mlpkit doctor runs/two/members/0\n"
    )
    assert invoke("doctor", "runs/two/members/0").code == 0


def test_json_names_the_members(invoke, cwd):
    done = invoke("run", "tiny.yaml", "--set", "ensemble.members=2", "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[0] == {"event": "began", "members": [0, 1]}
    assert {event["member"] for event in events if event["event"] == "finished"} == {0, 1}
    last = events[-1]
    assert last["event"] == "done"
    assert last["metrics"] == json.loads((cwd / "runs/tiny/metrics.json").read_text())
    assert last["spread"] == json.loads((cwd / "runs/tiny/spread.json").read_text())


def test_quiet_prints_nothing(invoke, cwd):
    done = invoke("run", "tiny.yaml", "--set", "ensemble.members=2", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_network_that_fails_is_an_error(invoke, cwd):
    rate = "training.optimizer.sgd.learning_rate=1e30"
    done = invoke("run", "tiny.yaml", "--set", "ensemble.members=2", "--set", rate, "--quiet")
    assert done.code == 1
    assert "error: member 0: " in done.err
    assert "runs/tiny: members 0, 1 failed: " in done.err
    (listed,) = listed_in(invoke, "runs")
    assert listed["state"] == "diverged"


def test_the_report_has_the_networks(folder, invoke):
    require_package("vl_convert")
    directory, _ = folder
    assert invoke("report", "runs/two").code == 0
    page = (directory / "report.html").read_text()
    assert "One network: mean and interval over all" in page
    assert "At the end of each network" in page
    assert "LossOfPredictions" not in page

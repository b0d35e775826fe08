"""``mlpkit run`` with several specs: each as on its own, whatever happens to the others."""

from __future__ import annotations

import json
import re
import signal
from functools import partial
from pathlib import Path

import pytest
from run_folders import ALL_FILES, results

contents = partial(results, names=ALL_FILES)


@pytest.fixture
def written(cwd):
    """Return a function that writes the tiny spec with changes."""

    def write(file, /, extra="", **changes):
        text = Path("tiny.yaml").read_text()
        for old, new in changes.items():
            assert f"{old}:" in text
            text = re.sub(rf"\b{old}: [^\n}}]*", f"{old}: {new}", text, count=1)
        Path(f"{file}.yaml").write_text(text + extra)
        return f"{file}.yaml"

    return write


def test_specs_of_all_sorts(written, invoke):
    """One training, looked at from all sides: two specs of a name, one with seeds, one with an ensemble."""
    specs = [
        "tiny.yaml",
        written("wide", units=7),
        written("seeds", "seeds: 2\n", name="seeds"),
        written("both", "ensemble: {members: 2}\n", name="both"),
    ]
    done = invoke("run", *specs, "--out", "many")
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in Path("many").iterdir()) == ["both", "seeds", "tiny", "tiny-2"]
    lines = done.out.splitlines()
    expected = set()
    for name in ("tiny", "tiny-2", "seeds/seed-0", "seeds/seed-1", "both/members/0", "both/members/1"):
        test = json.loads(Path("many", name, "metrics.json").read_text())["test"]
        expected.add(f"{name}: test loss {test['loss']:.4f}, accuracy {test['accuracy']:.4f}")
    assert {*lines[:6]} == expected
    assert lines[6].split() == ["test", "loss", "test", "accuracy"]
    assert [line.split()[0] for line in lines[7:]] == ["many/tiny", "many/tiny-2", "many/seeds", "many/both"]
    average = json.loads(Path("many/both/metrics.json").read_text())["test"]
    assert lines[10].split()[1:] == [f"{average['loss']:.4f}", f"{average['accuracy']:.4f}"]
    mean = json.loads(Path("many/seeds/metrics.json").read_text())["test"]["loss"]["mean"]
    assert lines[9].split()[1:3] == [f"{mean:.4f}", "±"]

    for name, spec in {"tiny": "tiny.yaml", "tiny-2": "wide.yaml"}.items():
        assert invoke("run", spec, "--out", f"alone/{name}", "--quiet").code == 0
        assert contents(f"many/{name}") == contents(f"alone/{name}")
    for name, what in {"tiny-2": "run is", "seeds": "runs are", "both": "networks are"}.items():
        again = invoke("resume", f"many/{name}")
        assert again.code == 0
        assert again.err.startswith(f"many/{name}: the {what} finished; ")


def test_json_has_the_folder_of_each_run_and_a_run_that_fails_ends_with_1(written, invoke):
    wrong = "layers.Affine2.weights={normal: {std: 1.0e+38}}"
    Path("bad.yaml").write_text(Path("tiny.yaml").read_text().replace("units: 10", f"units: 10, weights: {wrong[23:]}"))
    done = invoke("run", "bad.yaml", written("good", name="good"), "--json", "--workers", 1)
    assert done.code == 1
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[0] == {"event": "began", "runs": ["runs/tiny", "runs/good"]}
    of_good = [event["event"] for event in events if event.get("run") == "runs/good"]
    assert of_good == ["started", "evaluation", "evaluation", "finished"]
    (failed,) = (event for event in events if event["event"] == "failed")
    assert (failed["run"], "training diverged" in failed["error"]) == ("runs/tiny", True)
    assert events[-1]["event"] == "done"
    bad, good = events[-1]["specs"]
    assert (bad["spec"], bad["state"], bad["problem"], bad["metrics"]) == ("bad.yaml", "failed", failed["error"], {})
    metrics = json.loads(Path("runs/good/metrics.json").read_text())
    assert good == {"spec": "good.yaml", "state": "finished", "metrics": metrics, "folder": "runs/good"}
    assert "error: tiny: training diverged" in done.err


def test_a_mistake_in_an_override_is_said_once(written, invoke, cwd):
    written("other")
    done = invoke("run", "tiny.yaml", "other.yaml", "--set", "nonsense=1")
    assert (done.code, done.err.count("unknown key 'nonsense'")) == (2, 1)
    assert done.err.splitlines()[-1] == "2 of 2 specs can't be trained, so none is"


def test_all_wrong_specs_are_named_and_nothing_is_trained(written, invoke, cwd):
    written("misspelt", units="many")
    written("misfit", "  freeze: [Conv*]\n")
    done = invoke("run", "tiny.yaml", "misspelt.yaml", "nowhere.yaml", "misfit.yaml")
    assert done.code == 2
    for place in ("misspelt.yaml:6:", "nowhere.yaml", "misfit.yaml:16:"):
        assert place in done.err
    assert done.err.splitlines()[-1] == "3 of 4 specs can't be trained, so none is"
    assert not (cwd / "runs").exists()


def test_a_signal_saves_all_and_each_can_go_on(started, written, invoke):
    """The first is over, the second in the middle, the third has not begun."""
    long = written("long", iterations=3000, evaluate_every=500, name="long")
    specs = (
        written("both", "ensemble: {members: 2}\n", name="both"),
        long,
        written("seeds", "seeds: 2\n", name="seeds"),
    )
    process = started("run", *specs, "--workers", 1, "--json")
    while (event := json.loads(process.stdout.readline()))["event"] != "evaluation" or event["run"] != "runs/long":
        pass
    process.send_signal(signal.SIGINT)
    events = [json.loads(line) for line in process.stdout.read().splitlines()]
    assert process.wait(timeout=20) == 130
    assert (events[-1]["event"], events[-1]["reason"]) == ("stopped", "SIGINT")
    assert [each["state"] for each in events[-1]["specs"]] == ["finished", "stopped", "stopped"]
    assert events[-1]["specs"][0]["metrics"] == json.loads(Path("runs/both/metrics.json").read_text())
    assert process.stderr.read().splitlines() == [
        "stopped by SIGINT, with 1 of 3 specs done",
        "resume it with: mlpkit resume runs/long",
        "resume it with: mlpkit resume runs/seeds",
    ]
    assert not list(Path("runs/seeds").glob("*/history.jsonl"))
    assert invoke("resume", "runs/long", "--quiet").code == 0
    assert invoke("run", "long.yaml", "--out", "alone", "--quiet").code == 0
    assert contents("runs/long") == contents("alone")
    assert invoke("resume", "runs/seeds", "--workers", 2).out.splitlines()[-1] == "saved in runs/seeds"


def test_a_terminal_has_a_bar_for_each_run_and_a_table_in_the_end(terminal, written):
    long = ("--set", "training.iterations=2000", "--set", "training.evaluate_every=1000")
    shown = terminal("run", written("first", name="first"), written("second", name="second"), *long, "--workers", 2)
    shown.wait_until_shown("of 2,000")
    assert shown.wait_for_end() == 0
    lines = shown.lines()
    assert lines[:2] == ["2 specs  runs", "2 runs, 2 at once"]
    assert sorted(line.split()[0] for line in lines[3:5]) == ["first", "second"]
    assert lines[6].split() == ["test", "loss", "test", "accuracy"]
    assert [line.split()[0] for line in lines[7:9]] == ["runs/first", "runs/second"]
    assert lines[9].startswith("after ")
    assert max(map(len, lines)) <= 80


def test_a_page_shows_one_spec(invoke, cwd):
    done = invoke("run", "tiny.yaml", "tiny.yaml", "--live")
    assert (done.code, done.err) == (
        2,
        "error: --live shows one spec; for several, leave it out: mlpkit live runs\n",
    )

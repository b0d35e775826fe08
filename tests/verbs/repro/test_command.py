"""``mlpkit repro``."""

from __future__ import annotations

import json
import signal

import pytest


@pytest.fixture
def finished(cwd, invoke):
    """Return the folder of a finished run."""
    assert invoke("run", "tiny.yaml", "--out", "run").code == 0
    return cwd / "run"


def test_a_table(finished, invoke):
    done = invoke("repro", "run")
    assert (done.code, done.err) == (0, "")
    table = [line.split() for line in done.out.splitlines()[-3:]]
    assert [line[:3] for line in table] == [
        [name, "the", "same"] for name in ("history.jsonl", "metrics.json", "model.safetensors")
    ]


def test_json_and_a_folder(finished, invoke, cwd):
    done = invoke("repro", "run", "--json", "--out", "again")
    found = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (found["same"], found["changes"]) == (True, [])
    assert found["then"] == found["now"]
    assert (cwd / "again/model.safetensors").read_bytes() == (finished / "model.safetensors").read_bytes()


def test_another_result(finished, invoke):
    (finished / "metrics.json").write_text("{}")
    done = invoke("repro", "run")
    assert done.code == 1
    (line,) = [line.split() for line in done.out.splitlines() if line.startswith("metrics.json")]
    assert line[1] == "DIFFERENT"
    assert line[2] != line[3]
    assert json.loads(invoke("repro", "run", "--json").out)["same"] is False
    assert invoke("repro", "run", "--quiet").out == ""


def test_other_versions_are_named(finished, invoke):
    lock = json.loads((finished / "lock.json").read_text()) | {"mlpkit": "0.0.1"}
    (finished / "lock.json").write_text(json.dumps(lock))
    done = invoke("repro", "run", "--json")
    assert done.code == 0
    assert done.err == "warning: the result may differ, since mlpkit: 0.0.1 then, 0.1.0 now\n"
    assert json.loads(done.out)["changes"] == [{"key": "mlpkit", "then": "0.0.1", "now": "0.1.0"}]


def test_an_interrupted_repetition_compares_nothing(cwd, started, forever, finished, invoke):
    overridden = (finished / "resolved.yaml").read_text().replace("iterations: 4", "iterations: 1000000000")
    lock = json.loads((finished / "lock.json").read_text())
    from mlpkit.jobs.run_inputs import spec_hash

    (finished / "resolved.yaml").write_text(overridden)
    (finished / "lock.json").write_text(json.dumps(lock | {"spec_hash": spec_hash(overridden)}))
    process = started("repro", "run")
    assert process.stdout.readline().split()[0] == "iteration"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert err.startswith("stopped after step ")
    assert err.endswith(" by SIGTERM; nothing was compared\n")


def test_the_run_that_a_run_began_from_is_needed(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--out", "base", "--quiet").code == 0
    assert invoke("run", "tiny.yaml", "--out", "fine", "--quiet", "--set", "initialize_from=base").code == 0
    assert invoke("repro", "fine").code == 0
    (cwd / "base").rename(cwd / "moved")
    done = invoke("repro", "fine")
    assert done.code == 2
    assert "can't be repeated: the model in base, from whose weights it started, can't be read" in done.err
    (cwd / "moved").rename(cwd / "base")
    assert invoke("repro", "fine").code == 0

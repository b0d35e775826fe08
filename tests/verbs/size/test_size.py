"""``mlpkit size``."""

from __future__ import annotations

import json


def test_every_byte_of_runs_is_counted_by_what_it_is_for(cwd, invoke):
    checkpoints = ("--set", "training.checkpoint.every=1")
    assert invoke("run", "tiny.yaml", "--out", "one", *checkpoints).code == 0
    assert invoke("run", "tiny.yaml", "--out", "two", "--seeds", "2").code == 0
    done = invoke("size", "one", "two", "--json")
    assert done.code == 0
    for name, size in json.loads(done.out).items():
        files = [path for path in (cwd / name).rglob("*") if path.is_file()]
        assert sum(size.values()) == sum(path.stat().st_size for path in files)
        assert size["model"] == sum(path.stat().st_size for path in files if path.name == "model.safetensors") > 0
        assert (size["checkpoints"] > 0) == (name == "one")
    header, *rows = [line.split() for line in invoke("size", "one", "two").out.splitlines()]
    assert header == ["run", "model", "checkpoints", "records", "total"]
    for name, *figures in rows:
        *parts, total = [int(figure.replace(",", "")) for figure in figures]
        assert parts == list(json.loads(done.out)[name].values())
        assert sum(parts) == total


def test_a_folder_without_a_run_is_refused(cwd, invoke):
    (cwd / "other").mkdir()
    done = invoke("size", "other")
    assert (done.code, done.out) == (2, "")
    assert "other: is not a run folder" in done.err

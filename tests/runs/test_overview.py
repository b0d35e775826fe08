"""A run folder at a glance: its state, how far it is, its evaluations, and what is wrong with it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from run_folders import made_up_run

from mlpkit.runs import kinds
from mlpkit.runs.overview import overview_of
from mlpkit.runs.writer_lock import WriterLock

RESULTS = {"test": {"loss": 0.3, "accuracy": 0.9, "confusion_matrix": [[1, 0], [0, 2]]}}


@contextmanager
def held(folder):
    lock = WriterLock(folder / ".lock")
    lock.acquire()
    yield
    lock.release()


def test_a_finished_run(tmp_path):
    found = overview_of(made_up_run(tmp_path / "run", name="digits", seed=7, results=RESULTS))
    assert (found.state, found.problem, found.spec, found.seed) == ("finished", "", "digits", 7)
    assert (found.steps, found.total) == (200, 200)
    assert found.last == {
        "train_loss": 0.125,
        "validation_loss": 0.25,
        "train_accuracy": 0.9375,
        "validation_accuracy": 0.875,
    }
    assert found.results == {"test": {"loss": 0.3, "accuracy": 0.9}}


def test_a_run_is_running_as_long_as_its_writer_lock_is_held(tmp_path):
    folder = made_up_run(tmp_path / "run", failure={"state": "failed", "steps": 150, "message": "no room"})
    with held(folder):
        assert overview_of(folder).state == "running"
    assert overview_of(folder).state == "failed"


def test_a_run_that_has_just_begun_lacks_files_that_are_still_to_come(tmp_path):
    folder = made_up_run(tmp_path / "run", losses=())
    for name in ("lock.json", "resolved.yaml", "history.jsonl"):
        (folder / name).unlink()
        with held(folder):
            assert (overview_of(folder).state, overview_of(folder).steps) == ("running", 0)
    assert overview_of(folder).state == "damaged"


@pytest.mark.parametrize("state", ["diverged", "failed"])
def test_a_run_that_did_not_end_well_says_why(tmp_path, state):
    failure = {"state": state, "steps": 230, "message": "the reason"}
    found = overview_of(made_up_run(tmp_path / "run", failure=failure))
    assert (found.state, found.problem, found.steps) == (state, "the reason", 230)


def test_a_run_that_was_stopped_is_as_far_as_its_newest_checkpoint(tmp_path):
    folder = made_up_run(tmp_path / "run")
    (folder / "checkpoints").mkdir()
    for name in ("step-000000150.safetensors", "step-000000270.safetensors", "best.safetensors", "step-9.safetensors"):
        (folder / "checkpoints" / name).touch()
    found = overview_of(folder)
    assert (found.state, found.steps) == ("stopped", 270)


def test_steps_of_epochs_are_known_from_the_first_evaluation_on(tmp_path):
    assert overview_of(made_up_run(tmp_path / "before", length="epochs: 12", losses=())).total is None
    assert overview_of(made_up_run(tmp_path / "after", length="epochs: 12")).total == 12 * 200
    assert overview_of(made_up_run(tmp_path / "clock", length="seconds: 60.0")).total is None


def test_settings_differ_in_everything_but_the_seed(tmp_path):
    first, second, third = (
        overview_of(made_up_run(tmp_path / str(i), seed=seed, units=units)).settings
        for i, (seed, units) in enumerate([(0, 10), (1, 10), (1, 11)])
    )
    assert first == second != third


def test_a_line_that_is_being_written_does_not_count(tmp_path):
    folder = made_up_run(tmp_path / "run")
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"iteration":300,"epo')
    assert overview_of(folder).steps == 200
    (folder / "history.jsonl").write_text('{"iteration":300,"epo')
    assert (overview_of(folder).steps, overview_of(folder).last) == (0, {})


def test_a_dollar_in_a_name_is_one(tmp_path):
    assert overview_of(made_up_run(tmp_path / "run", name="'costs 5$$'")).spec == "costs 5$"


DAMAGE = {
    "spec.yaml": [None],
    "resolved.yaml": [
        None,
        b"",
        b"name: [",
        b"name: x\nseed: x\ntraining: {}\n",
        b"\xff\xfe",
        b"name: " + b"[" * 10_000,
        b"name: [" + b"[]," * 300_000,
    ],
    "lock.json": [None],
    "history.jsonl": [
        b"7\n",
        b"{}\n",
        b"\xff\n",
        b'{"iteration": 1, "epoch": "1"}\n',
        b"{" * 100_000 + b"\n",
    ],
    "metrics.json": [b"", b"[]", b'{"test": 3}', b'{"test": {"loss": NaN}}'],
    "failure.json": [b"{}", b'{"state": "fine", "steps": 1, "message": ""}'],
    "model.safetensors": [None],
}


@pytest.mark.parametrize(("name", "content"), [(name, content) for name, many in DAMAGE.items() for content in many])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, name, content):
    finished = name in {"metrics.json", "model.safetensors"}
    folder = made_up_run(tmp_path / "run", results=RESULTS if finished else None)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    found = overview_of(folder)
    assert found.state == "damaged"
    assert name in found.problem
    assert found.problem.startswith(str(folder))
    assert "restore" in found.problem
    assert found.began > 0


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("history.jsonl", '{"iteration": 2, "epoch": 1}\n{"iteration": 3}\n', ":2: is damaged: expected numbers, inc"),
        ("history.jsonl", '{"iteration": 1, "epoch": true}\n', ":1: is damaged: expected numbers, including iter"),
        ("history.jsonl", '{"iteration": 1.0, "epoch": 1}\n', ":1: is damaged: expected a whole number as iteration;"),
        ("failure.json", '{"state": "failed", "steps": 1.5, "message": ""}', "expected state, steps and message"),
        ("failure.json", '{"state": "failed", "steps": 1}', "expected state, steps and message"),
        ("resolved.yaml", "seed: 1\ntraining: {}\n", "expected a spec with name, seed and training, as mlpkit writes"),
    ],
)
def test_what_is_damaged_is_told(tmp_path, name, content, problem):
    folder = made_up_run(tmp_path / "run")
    (folder / name).write_text(content)
    assert problem in overview_of(folder).problem


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    folder = made_up_run(tmp_path / "run")
    (folder / "history.jsonl").unlink()
    os.mkfifo(folder / "history.jsonl")
    assert "history.jsonl: can't be read: it is not a regular file" in overview_of(folder).problem
    if Path("/proc/kmsg").exists():
        (folder / "history.jsonl").unlink()
        (folder / "history.jsonl").symlink_to("/proc/kmsg")
        assert "history.jsonl: can't be read: it is not a regular file" in overview_of(folder).problem
    (folder / "resolved.yaml").unlink()
    (folder / "resolved.yaml").mkdir()
    assert "resolved.yaml: can't be read: Is a directory" in overview_of(folder).problem


def test_a_folder_that_is_gone_is_damaged(tmp_path):
    assert overview_of(tmp_path / "gone").state == "damaged"


def test_without_libyaml_the_same_is_read(tmp_path, monkeypatch):
    import yaml

    folder = made_up_run(tmp_path / "run", name="digits")
    monkeypatch.delattr(yaml, "CBaseLoader", raising=False)
    kinds._plain.cache_clear()
    assert overview_of(folder).spec == "digits"


def test_neither_numpy_nor_a_plugin_is_loaded(tmp_path):
    folder = made_up_run(tmp_path / "run", results=RESULTS)
    code = "import sys, pathlib; from mlpkit.runs.overview import overview_of\n"
    code += "print(overview_of(pathlib.Path(sys.argv[1])).state, *(m for m in ('numpy', 'pluggy') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout == "finished\n"


def ensemble(folder, *members, **options):
    """Return the folder of a run of an ensemble of networks, made up with the options of each."""
    made_up_run(folder, **options)
    for number, member in enumerate(members):
        made_up_run(folder / "members" / str(number), **member)
    (folder / "members" / "notes").mkdir()
    return folder


def test_the_steps_of_an_ensemble_are_those_of_its_networks(tmp_path):
    members = {"length": "iterations: 400"}, {"length": "iterations: 300", "losses": (0.5, 0.4, 0.3)}
    found = overview_of(ensemble(tmp_path / "two", *members))
    assert (found.state, found.steps, found.total) == ("stopped", 500, 700)
    open_end = {"length": "seconds: 60.0", "losses": (0.5,)}
    found = overview_of(ensemble(tmp_path / "three", *members, open_end))
    assert (found.state, found.steps, found.total) == ("stopped", 600, None)


def test_an_ensemble_stopped_by_a_network_says_why(tmp_path):
    fine, worse = {}, {"failure": {"state": "diverged", "steps": 230, "message": "the reason"}}
    failed = overview_of(ensemble(tmp_path / "failed", fine, worse, {"failure": {**worse["failure"], "steps": 9}}))
    assert (failed.state, failed.problem, failed.steps) == ("diverged", "network 1: the reason", 200 + 230 + 200)
    finished = overview_of(ensemble(tmp_path / "finished", fine, worse, results=RESULTS))
    assert (finished.state, finished.problem) == ("finished", "")
    with held(ensemble(tmp_path / "running", fine, worse)):
        assert overview_of(tmp_path / "running").state == "running"


def test_a_run_has_begun_when_its_lock_was_written_and_changed_with_its_results(tmp_path):
    folder = made_up_run(tmp_path / "run", failure={"state": "failed", "steps": 230, "message": ""})
    for seconds, name in enumerate(("resolved.yaml", "spec.yaml", "failure.json", "lock.json", "history.jsonl"), 100):
        os.utime(folder / name, (seconds, seconds))
    found = overview_of(folder)
    assert (found.began, found.changed) == (103, 104)
    os.utime(folder / "lock.json", (109, 109))
    found = overview_of(folder)
    assert (found.began, found.changed) == (109, 109)

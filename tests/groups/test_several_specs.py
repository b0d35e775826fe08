"""Several specs in one go, as far as nothing is trained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mlpkit
from mlpkit.errors import RunFolderError
from mlpkit.groups.several_specs import SpecResult, SpecResults, prove_spec, run_specs
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import Event, Observer, StopRequest

LARGE = {"layers.Affine1.units": 1000, "training.batch_size": 100}


def test_results_in_a_state():
    first, second, third = (
        SpecResult(f"{name}.yaml", Path(name), problem=problem, stopped=stopped)
        for name, problem, stopped in (
            ("a", "", ""),
            ("b", "seed 1: diverged", ""),
            ("c", "seed 1: diverged", "SIGINT"),
        )
    )
    found = SpecResults([first, second, third])
    assert [found.in_state(state) for state in ("finished", "failed", "stopped")] == [[first], [second], [third]]


def proved(**overrides):
    return prove_spec(mlpkit.load_spec("tiny.yaml", overrides=overrides))


@pytest.mark.usefixtures("shared_work")
def test_a_folder_that_is_in_use_leaves_nothing_of_the_others(tmp_path):
    specs = [proved(), proved(seeds=2), proved(ensemble={"members": 2}), proved()]
    taken = tmp_path / "3/notes.txt"
    taken.parent.mkdir()
    taken.touch()
    folders = [tmp_path / str(i) for i in range(4)]
    with pytest.raises(RunFolderError, match=r"3: holds notes\.txt already; choose another folder"):
        run_specs(specs, folders, observer=Observer(), stop=StopRequest())
    assert [*tmp_path.rglob("*")] == [taken.parent, taken]


@pytest.mark.usefixtures("shared_work")
@pytest.mark.parametrize(("workers", "threads", "at_once"), [(None, 8, 1), (1, 8, 1), (2, 4, 2), (3, 2, 3), (99, 2, 3)])
def test_runs_take_no_more_threads_than_their_share_of_the_cores(workers, threads, at_once, tmp_path, monkeypatch):
    """Three runs, of which none begins: two seeds, and a spec of its own."""
    for module in ("mlpkit.groups.several_runs", "mlpkit.training.workers"):
        monkeypatch.setattr(f"{module}.available_cores", lambda: 8)
    stop = StopRequest()
    stop.stop("the test")
    specs = [proved(**LARGE), proved(**LARGE, seeds=2)]
    runs, events = [tmp_path / run for run in ("a", "b/seed-3", "b/seed-4")], []
    found = run_specs(specs, [tmp_path / "a", tmp_path / "b"], workers=workers, observer=events.append, stop=stop)
    assert [each.state for each in found.specs] == ["stopped", "stopped"]
    assert events == [Event(0, "began", (dict(enumerate(runs)), at_once))]
    for run in runs:
        text = (run / "resolved.yaml").read_text()
        assert re.search(r"^  threads: (\d+)$", text, re.MULTILINE)[1] == str(threads)


@pytest.mark.usefixtures("shared_work")
def test_once_it_is_over_the_folders_may_have_another_writer(tmp_path):
    stop = StopRequest()
    stop.stop("the test")
    specs, folders = [proved(), proved(seeds=2), proved(ensemble={"members": 2})], [tmp_path / name for name in "abc"]
    run_specs(specs, folders, observer=Observer(), stop=stop)
    for folder in folders:
        with RunFolder(folder) as run:
            run.claim()


@pytest.mark.usefixtures("shared_work")
@pytest.mark.parametrize(("failing", "state"), [((1,), "stopped"), ((1, 2), "failed")])
def test_a_spec_goes_on_though_some_of_its_runs_failed_before_the_stop(failing, state, tmp_path, monkeypatch):
    failures = dict.fromkeys(failing, "out of memory")
    monkeypatch.setattr("mlpkit.groups.several_specs.train_runs", lambda *_, **__: failures)
    stop = StopRequest()
    stop.stop("the test")
    folders = [tmp_path / "a", tmp_path / "b"]
    found = run_specs([proved(), proved(seeds=2)], folders, observer=Observer(), stop=stop)
    assert [each.state for each in found.specs] == ["stopped", state]
    assert found.specs[1].problem == "; ".join(f"seed {2 + number}: out of memory" for number in failing)


@pytest.mark.usefixtures("shared_work")
def test_results_that_can_not_be_read_are_what_went_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("mlpkit.groups.several_specs.train_runs", lambda *_, **__: {})
    (found,) = run_specs([proved()], [tmp_path / "a"], observer=Observer(), stop=StopRequest()).specs
    assert (found.spec, found.folder, found.state, found.metrics) == ("tiny.yaml", tmp_path / "a", "failed", {})
    assert found.problem.startswith(f"{tmp_path / 'a'}: holds no metrics.json")

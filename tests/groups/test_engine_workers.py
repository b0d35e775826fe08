"""Workers of an engine: what they return is checked, and what goes wrong names the engine."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlpkit import ComponentFailure
from mlpkit.groups.engine_workers import WorkersOfEngine, worker_problem
from mlpkit.version import VERSION


def made(**given):
    return SimpleNamespace(**{"count": 2, "threads": 3, "submit": lambda *_, **__: Future(), **given})


def test_calls_are_handed_on():
    calls, end = [], Future()
    workers = made(stop=lambda: calls.append("stop"), shutdown=lambda: calls.append("shutdown"))
    workers.submit = lambda function, directory, **arguments: calls.append((directory, arguments)) or end
    found = WorkersOfEngine("acme.cluster", workers)
    assert (found.count, found.threads) == (2, 3)
    workers.count = 5
    assert found.count == 5
    assert found.submit(min, Path("trial-0"), steps=4) is end
    found.stop()
    found.shutdown()
    assert calls == [(Path("trial-0"), {"steps": 4}), "stop", "shutdown"]
    assert WorkersOfEngine("acme.cluster", made(count=1, threads=1)).count == 1


@pytest.mark.parametrize("number", [0, "2", None])
@pytest.mark.parametrize("name", ["count", "threads"])
def test_numbers_that_no_engine_has_are_refused(name, number):
    with pytest.raises(ComponentFailure) as caught:
        assert WorkersOfEngine("acme.cluster", made(**{name: number})).count
    has = f"engine acme.cluster has workers whose {name} is {number!r}"
    assert str(caught.value) == f"{has}; expected an integer, at least 1"


@pytest.mark.parametrize("method", ["submit", "stop", "shutdown"])
def test_a_method_that_fails_is_named(method):
    found = WorkersOfEngine("acme.cluster", made(**{method: lambda *_: 1 / 0}))
    with pytest.raises(ComponentFailure, match=rf"^engine acme\.cluster failed in {method}: ZeroDivisionError"):
        getattr(found, method)(*([min, Path()] if method == "submit" else []))


def test_what_is_no_future_is_refused():
    found = WorkersOfEngine("acme.cluster", made(submit=lambda *_: None))
    with pytest.raises(ComponentFailure) as caught:
        found.submit(min, Path())
    returned = "engine acme.cluster returned None from submit"
    assert str(caught.value) == f"{returned}; expected a concurrent.futures.Future"


def test_a_worker_needs_the_folders_and_the_version_of_the_driver(tmp_path):
    here, missing = str(tmp_path), str(tmp_path / "away")
    assert worker_problem(here, here, VERSION) == ""
    for folders in ((missing, here), (here, missing)):
        remedy = "put it on a disk that all machines share, under the same path"
        assert worker_problem(*folders, VERSION) == f"can't find the folder {missing}; {remedy}"
    versions = f"has mlpkit {VERSION}, and the driver 0.0.7"
    assert worker_problem(here, here, "0.0.7") == f"{versions}; install the same version"

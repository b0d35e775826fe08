"""What a worker of Dask looks at before the first trial; tests/plugins/engines/test_sweep_on_dask.py has the rest."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace

from requirements import require_module

from mlpkit.training.events import TrainingEnd
from mlpkit.version import VERSION
from mlpkit_plugins.engines import remote_workers

dask_workers = require_module("packages", "mlpkit_plugins.engines.dask_workers")


def test_a_worker_says_what_is_in_the_way(tmp_path):
    def problem(folder, here, version):
        return asyncio.run(dask_workers._begin((str(folder), str(here)), version))

    missing = tmp_path / "missing"
    advice = f"can't find the folder {missing}; put it on a disk that all machines share, under the same path"
    assert problem(tmp_path, tmp_path, VERSION) == ""
    assert problem(missing, tmp_path, VERSION) == problem(tmp_path, missing, VERSION) == advice
    other = f"has mlpkit {VERSION}, and the driver 0.0.7; install the same version"
    assert problem(tmp_path, tmp_path, "0.0.7") == other


def test_ctrl_c_stops_the_trials_of_its_sweep_in_a_worker(monkeypatch):
    stopped = []
    for sweep in ("swept", "other"):
        trainer = SimpleNamespace(stop=partial(stopped.append, sweep))
        monkeypatch.setitem(remote_workers._trainers, sweep, trainer)
    monkeypatch.setattr(dask_workers, "_training", {("swept", "trial-0"), ("other", "trial-1")})
    assert dask_workers._stop(("swept", "here")) == ["trial-0"]
    assert stopped == ["swept"]


def test_a_worker_that_ends_stops_its_trial(monkeypatch):
    end = Future()
    stopped = TrainingEnd(stopped="a signal")
    trainer = SimpleNamespace(submit=lambda *_, **__: end, stop=lambda: end.set_result(stopped))
    monkeypatch.setattr(remote_workers, "SECONDS_BETWEEN_CHECKS", 0.01)
    monkeypatch.setattr(dask_workers, "get_worker", lambda: SimpleNamespace(status=dask_workers.Status.closing))
    monkeypatch.setitem(remote_workers._trainers, "swept", trainer)
    call = remote_workers.TrialCall(TrainingEnd, "swept/trial-0", {})
    assert dask_workers._train(("swept", "."), call) == stopped

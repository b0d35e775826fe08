"""What the engines hand to their workers, whose modules the tests replace."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from mlpkit_plugins.engines.dask import Dask
from mlpkit_plugins.engines.mpi import Mpi
from mlpkit_plugins.engines.slurm import Slurm


@pytest.mark.parametrize(
    ("engine", "workers", "given"),
    [
        (Dask(scheduler="tcp://x:1"), "DaskWorkers", ("tcp://x:1", 3)),
        (Dask(), "DaskWorkers", ("", 3)),
        (Slurm(slurm={"time": "60"}), "SlurmWorkers", ({"time": "60"}, 3)),
        (Slurm(), "SlurmWorkers", (None, 3)),
        (Mpi(), "MpiWorkers", (3,)),
    ],
)
def test_the_options_of_an_engine_reach_its_workers(engine, workers, given, monkeypatch):
    module = SimpleNamespace(**{workers: lambda *args: args})
    monkeypatch.setitem(sys.modules, f"{type(engine).__module__}_workers", module)
    assert engine.start(3) == given


def test_other_ranks_serve_and_are_released_once(monkeypatch):
    called = []
    module = SimpleNamespace(serve=lambda: called.append("serve"), release_ranks=lambda: called.append("release"))
    monkeypatch.setitem(sys.modules, "mlpkit_plugins.engines.mpi_workers", module)
    assert (Mpi().serve(), Mpi().release_ranks()) == (None, None)
    assert called == ["serve", "release"]

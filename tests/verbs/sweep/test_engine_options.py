"""The options of what trains the trials of a sweep, and what is said if they don't fit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SWEEP = "sweep: {search: {seed: {low: 0, high: 9}}, trials: 3}\n"


@pytest.fixture(autouse=True)
def spec(cwd):
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + SWEEP)


@pytest.mark.parametrize(
    ("engine", "module", "library"),
    [("dask", "distributed", "Dask"), ("slurm", "submitit", "submitit")],
)
def test_without_its_library_an_engine_says_how_to_install_it(engine, module, library, invoke, monkeypatch):
    for loaded in [name for name in sys.modules if name.endswith(f".{engine}_workers")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    done = invoke("sweep", "tiny.yaml", "--on", engine, "--out", "x")
    advice = f'the engine {engine} needs {library}; install it with: pip install "mlpkit[{engine}]"'
    assert (done.code, done.err) == (2, f"error: {advice}\n")
    assert not Path("x").exists()


def test_without_mpi4py_the_engine_mpi_says_how_to_install_it(invoke, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    done = invoke("sweep", "tiny.yaml", "--on", "mpi")
    assert done.code == 2
    assert done.err.startswith("error: the engine mpi needs mpi4py (")
    assert done.err.endswith('); install it with: pip install "mlpkit[mpi]"\n')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--on", "dusk"), "there is no engine 'dusk' for sweeps; expected local, dask, mpi or slurm"),
        (("--scheduler", "tcp://x:1"), "a scheduler goes with the engine dask, not with local"),
        (("--on", "slurm", "--scheduler", "tcp://x:1"), "a scheduler goes with the engine dask, not with slurm"),
        (("--slurm", "partition=cpu"), "a setting of Slurm goes with the engine slurm, not with local"),
    ],
)
def test_wrong_engines(arguments, message, invoke):
    done = invoke("sweep", "tiny.yaml", *arguments)
    assert (done.code, done.err) == (2, f"error: {message}\n")


PLUGIN = """\
from mlpkit import Engine, UsageError, component, hookimpl


class Queue(Engine):
    def __init__(self, scheduler: str = "none"):
        self.scheduler = scheduler

    def start(self, most):
        raise UsageError(f"{most} workers of {self.scheduler}")


@hookimpl
def mlpkit_components():
    return [component("engine", "queue", Queue)]
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "2", "--scheduler", "tcp://x:1"), "2 workers of tcp://x:1"),
        ((), "None workers of none"),
        (("--slurm", "time=60"), "a setting of Slurm goes with the engine slurm, not with acme.queue"),
        (
            ("--slurm", "time=60", "--no-plugin", "slurm"),
            "a setting of Slurm goes with the engine that takes one, not with acme.queue",
        ),
    ],
)
def test_an_engine_of_a_plugin_gets_the_options_that_its_constructor_takes(arguments, message, invoke):
    Path("acme.py").write_text(PLUGIN)
    done = invoke("sweep", "tiny.yaml", "--on", "acme.queue", "--plugin", "acme.py", *arguments)
    assert (done.code, done.err) == (2, f"error: {message}\n")


@pytest.mark.parametrize("engine", ["dask", "mpi", "slurm"])
def test_a_built_in_engine_can_be_blocked_like_any_component(engine, invoke):
    done = invoke("sweep", "tiny.yaml", "--on", engine, "--no-plugin", engine)
    others = [name for name in ("local", "dask", "mpi", "slurm") if name != engine]
    known = f"{', '.join(others[:-1])} or {others[-1]}"
    assert (done.code, done.err) == (2, f"error: there is no engine '{engine}' for sweeps; expected {known}\n")

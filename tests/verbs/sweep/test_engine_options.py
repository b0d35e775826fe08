"""The options of what trains the trials of a sweep, and what is said if they don't fit."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import mlpkit
from mlpkit.verbs.sweep.command import engine_of_ranks
from mlpkit.verbs.sweep.training import _engine_arguments

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
        (("--on", "dusk"), "unknown engine 'dusk'; did you mean 'dask'?"),
        (("--scheduler", "tcp://x:1"), "the engine local takes no 'scheduler'"),
        (
            ("--on", "slurm", "--scheduler", "tcp://x:1"),
            "slurm.scheduler: unknown parameter 'scheduler' of engine slurm; expected slurm",
        ),
        (("--slurm", "partition=cpu"), "the engine local takes no 'slurm'"),
    ],
)
def test_wrong_engines(arguments, message, invoke):
    done = invoke("sweep", "tiny.yaml", *arguments)
    assert (done.code, done.err) == (2, f"error: {message}\n")


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ("observr", "dask.observr: unknown parameter 'observr' of engine dask; expected scheduler"),
        ("shceduler", "dask.shceduler: unknown parameter 'shceduler' of engine dask; did you mean 'scheduler'?"),
    ],
)
def test_a_keyword_of_neither_sweep_nor_engine_is_named(keyword, message):
    with pytest.raises(mlpkit.ParameterError, match=f"^{re.escape(message)}$"):
        mlpkit.sweep(mlpkit.load_spec("tiny.yaml"), "x", on="dask", **{keyword: 3})


PLUGIN = '''\
from mlpkit import Engine, UsageError, component, hookimpl


class Queue(Engine):
    """Trains trials in jobs of a queue.

    Args:
        scheduler: where the queue is.
        max_jobs: the jobs that it may have.
        labels: a label of each job, such as ``team=a``.
    """

    def __init__(self, scheduler: str = "none", max_jobs: int = 1, labels: dict[str, str | bool] | None = None):
        self.scheduler, self.about = scheduler, (max_jobs, labels)

    def start(self, most):
        raise UsageError(f"{most} workers of {self.scheduler}" + (f" {self.about}" if self.about[0] > 1 else ""))


@hookimpl
def mlpkit_components():
    return [component("engine", "queue", Queue)]
'''


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "2", "--scheduler", "tcp://x:1"), "2 workers of tcp://x:1"),
        ((), "None workers of none"),
        (
            ("--max-jobs=7", "--labels", "team=a", "--labels", "urgent"),
            "None workers of none (7, {'team': 'a', 'urgent': True})",
        ),
        (
            ("--slurm", "time=60"),
            "acme.queue.slurm: unknown parameter 'slurm' of engine acme.queue; expected one of scheduler, max_jobs, "
            "labels",
        ),
    ],
)
def test_an_engine_of_a_plugin_gets_the_options_that_its_constructor_takes(arguments, message, invoke):
    Path("acme.py").write_text(PLUGIN)
    done = invoke("sweep", "tiny.yaml", "--on", "acme.queue", "--plugin", "acme.py", *arguments)
    assert (done.code, done.err) == (2, f"error: {message}\n")


def test_the_parameters_of_an_engine_are_in_the_help(invoke):
    Path("acme.py").write_text(PLUGIN)
    shown = " ".join(invoke("sweep", "--help", "--on", "acme.queue", "--plugin", "acme.py").out.split())
    assert "--max-jobs MAX_JOBS With --on acme.queue: the jobs that it may have." in shown
    assert "--labels KEY=VALUE With --on acme.queue: a label of each job, such as team=a; may be repeated." in shown
    assert "--scheduler SCHEDULER With --on acme.queue: where the queue is." in shown
    assert "acme.queue Trains trials in jobs of a queue. dask Trains trials on the workers of a Dask cluster." in shown
    usual = " ".join(invoke("sweep", "--help").out.split())
    assert "--scheduler SCHEDULER With --on dask: the address of the scheduler, such as tcp://192.0.2.1:8786;" in usual
    assert "--slurm KEY=VALUE With --on slurm: options of sbatch for each job" in usual
    assert "--max-jobs" not in usual


def test_a_wrong_value_of_an_engine_is_named(invoke):
    Path("acme.py").write_text(PLUGIN)
    done = invoke("sweep", "tiny.yaml", "--on", "acme.queue", "--plugin", "acme.py", "--max-jobs", "many")
    assert done.code == 2
    assert "max_jobs" in done.err
    assert "'many'" in done.err


@pytest.mark.parametrize("name", ["out", "stop"])
def test_an_engine_can_not_take_the_name_of_an_option(name, invoke):
    Path("acme.py").write_text(PLUGIN.replace("max_jobs", name))
    done = invoke("sweep", "tiny.yaml", "--on", "acme.queue", "--plugin", "acme.py")
    message = f"the engine acme.queue can't have a parameter {name}, since mlpkit sweep has one; rename it"
    assert (done.code, done.err) == (2, f"error: {message}\n")


WORKERS = """\
from concurrent.futures import Future
from types import SimpleNamespace

from mlpkit import Engine, component, hookimpl


class Queue(Engine):
    \"\"\"Trains nothing.\"\"\"

    def start(self, most):
        workers = SimpleNamespace(
            count=1, threads=1, submit=lambda *_, **__: Future(), stop=lambda: None, shutdown=lambda: None
        )
        {}
        return workers


def failed(*_, **__):
    future = Future()
    future.set_exception(KeyError("gone"))
    return future


@hookimpl
def mlpkit_components():
    return [component("engine", "queue", Queue)]
"""


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            "return None",
            "engine acme.queue failed in threads: AttributeError: 'NoneType' object has no attribute 'threads'\n",
        ),
        ("del workers.submit", "engine acme.queue failed in submit: AttributeError: "),
        ("workers.count = 0", "engine acme.queue has workers whose count is 0; expected an integer, at least 1\n"),
        ("workers.threads = print", "engine acme.queue has workers whose threads is <built-in function print>; "),
        ("workers.submit = print", "engine acme.queue failed in submit: TypeError: "),
        ("workers.submit = lambda *_, **__: 3", "engine acme.queue returned something of type int from submit; "),
        ("workers.submit = failed", "the worker of trial 0 failed: KeyError: 'gone'\n"),
        ("workers.submit = failed; workers.shutdown = lambda: 1 / 0", "engine acme.queue failed in shutdown: Zero"),
    ],
)
def test_mistakes_in_the_workers_of_an_engine_are_its_own(mistake, message, invoke):
    Path("acme.py").write_text(WORKERS.format(mistake))
    done = invoke("sweep", "tiny.yaml", "--on", "acme.queue", "--plugin", "acme.py")
    assert done.code == 1
    assert done.err.startswith(f"error: {message}")


INTERRUPTED = """\
import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from mlpkit import Engine, component, hookimpl


class Queue(Engine):
    \"\"\"Trains one trial, and is interrupted.\"\"\"

    def __init__(self, max_jobs: int = 8, labels: dict[str, str] | None = None):
        self.pool = ThreadPoolExecutor(1)

    def start(self, most):
        def submit(*task, **named):
            signal.raise_signal(signal.SIGINT)
            return self.pool.submit(*task, **named)

        return SimpleNamespace(
            count=1, threads=1, submit=submit, stop=lambda: None, shutdown=self.pool.shutdown
        )


@hookimpl
def mlpkit_components():
    return [component("engine", "queue", Queue)]
"""


def test_an_interrupted_sweep_is_resumed_with_the_same_engine(invoke):
    Path("acme.py").write_text(INTERRUPTED)
    engine = "--on acme.queue --workers 2 --max-jobs 7 --labels team=a --labels urgent=no --plugin acme.py"
    done = invoke("sweep", "tiny.yaml", "--out", "swept", *engine.split())
    assert done.code == 130
    words = done.err.splitlines()[-1].removeprefix("resume it with: mlpkit sweep --resume swept ").split()
    assert sorted(words) == sorted(engine.split())
    resumed = invoke("sweep", "--resume", "swept", *words)
    assert "stopped by SIGINT, with 2 trials done" in resumed.err


def test_the_namespace_alone_is_answered_with_its_engines(invoke):
    Path("acme.py").write_text(PLUGIN)
    done = invoke("sweep", "tiny.yaml", "--on", "acme", "--plugin", "acme.py")
    expected = "error: unknown engine 'acme'; 'acme' is a plugin, which provides acme.queue\n"
    assert (done.code, done.err) == (2, expected)


@pytest.mark.parametrize("engine", ["dask", "mpi", "slurm"])
def test_a_built_in_engine_can_be_blocked_like_any_component(engine, invoke):
    done = invoke("sweep", "tiny.yaml", "--on", engine, "--no-plugin", engine)
    assert (done.code, done.err) == (2, f"error: engine '{engine}' is blocked by name; leave out --no-plugin\n")


ENGINE = {"on": "acme.queue", "workers": 2, "labels": {"urgent": True, "team": "a"}, "max_jobs": 0, "scheduler": ""}
WORDS = ["--on", "acme.queue", "--workers", "2", "--labels", "urgent", "--labels", "team=a", "--max-jobs", "0"]


def test_the_arguments_that_choose_an_engine_again(monkeypatch):
    assert _engine_arguments(ENGINE, ["acme.py", "b.py"]) == [*WORDS, "--plugin", "acme.py", "--plugin", "b.py"]
    assert _engine_arguments(ENGINE | {"on": "queue"}, ["acme.py"]) == ["--on", "queue", *WORDS[2:]]
    assert _engine_arguments({"on": "dask", "workers": None, "slurm": {}}, []) == ["--on", "dask"]
    assert _engine_arguments(ENGINE | {"on": "local"}, ["acme.py"]) == _engine_arguments({}, []) == []
    monkeypatch.setenv("PMI_SIZE", "1")
    assert _engine_arguments({"on": "mpi"}, []) == ["--on", "mpi"]
    monkeypatch.setenv("PMI_SIZE", "2")
    assert _engine_arguments({"on": "mpi"}, []) == []


def test_only_some_engines_work_in_ranks():
    """Plugins are read for the engine of a plugin alone."""
    Path("acme.py").write_text(PLUGIN.replace("    def start", "    shares_ranks = True\n\n    def start"))
    missing, own = ({"plugins": (file,), "blocked": ()} for file in ("missing.py", "acme.py"))
    assert engine_of_ranks("mpi", missing).registered_name == "mpi"
    assert engine_of_ranks("acme.queue", own).scheduler == "none"
    assert [engine_of_ranks(name, missing) for name in ("local", "dask", "nothing")] == [None] * 3
    assert engine_of_ranks("acme.nothing", own) is None

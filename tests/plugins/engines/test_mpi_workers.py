"""What ranks of MPI do, whose messages a test decides; tests/plugins/engines/test_sweep_over_mpi.py has real ones."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path
from socket import gethostname
from types import SimpleNamespace

import pytest
from fake_mpi import FakeMpi, FakeWorld

from mlpkit.errors import UsageError
from mlpkit.training.events import TrainingEnd
from mlpkit.version import VERSION
from mlpkit_plugins.engines import mpi_workers, remote_workers

BEGIN, STOP = mpi_workers._BEGIN, mpi_workers._STOP


class World(FakeWorld):
    """A rank that notes what it sends, and receives what a test has put there."""

    def __init__(self, rank=0, size=3):
        super().__init__(rank, size)
        self.sent, self.waiting, self.probed = [], [], 0

    def isend(self, item, dest, tag=0):
        self.sent.append((item, dest, tag))
        return (dest, tag)

    def iprobe(self, source, tag):
        self.probed += 1
        assert source == 0
        return any(each == tag for each, _ in self.waiting)

    def recv(self, source, tag):
        assert source == 0
        found = next(each for each in self.waiting if each[0] == tag)
        self.waiting.remove(found)
        return found[1]


class Ranks:
    """The executor of mpi4py: a call is done at once, by a trial's own function, or with a rank's answer."""

    def __init__(self, world):
        self.world, self.answers, self.calls, self.open = world, {"_cores": [3, 2], "_begin": ["", ""]}, [], False

    @contextmanager
    def __call__(self, world, root):
        assert (world, root) == (self.world, 0)
        self.open = True
        yield self
        self.open = False

    def submit(self, function, *args):
        end = Future()
        if function is mpi_workers._together:
            name = args[0].__name__
            self.calls.append((name, args[1]))
            end.set_result(self.answers.get(name, [None] * 2)[len(self.calls) % 2 - 1])
        elif isinstance(outcome := args[1].function(), Exception):
            end.set_exception(outcome)
        else:
            end.set_result(outcome)
        return end


@pytest.fixture
def ranks(monkeypatch):
    """Rank 0 of three."""
    ranks = Ranks(World())
    mpi = FakeMpi(ranks.world)
    mpi.Request = SimpleNamespace(waitall=lambda requests: ranks.calls.append(("waitall", tuple(requests))))
    monkeypatch.setattr(mpi_workers, "_loaded", lambda: (mpi, ranks))
    monkeypatch.setattr(mpi_workers, "load_mpi", lambda: mpi)
    monkeypatch.setattr(mpi_workers, "mpi_errors", lambda _: nullcontext())
    return ranks


def test_rank_0_begins_sends_trials_and_ends_the_others(ranks, tmp_path):
    workers = mpi_workers.MpiWorkers()
    assert (workers.threads, workers.count, ranks.open) == (2, 2, True)
    assert ranks.world.sent == [(True, 1, BEGIN), (True, 2, BEGIN)]
    ends = [
        workers.submit(lambda outcome=outcome: outcome, tmp_path / "trial-0").result()
        for outcome in (TrainingEnd(7), ValueError("no idea"))
    ]
    assert ends == [TrainingEnd(7), TrainingEnd(failure="its rank can't train: ValueError: no idea")]
    sweep = (str(tmp_path), str(Path.cwd()))
    assert ranks.calls[2:] == [("_begin", (sweep, VERSION))] * 2
    workers.stop()
    workers.shutdown()
    assert ranks.world.sent[2:] == [(None, 1, STOP), (None, 2, STOP)]
    assert (ranks.calls[4:], ranks.open) == ([("_end", (sweep,))] * 2, False)
    mpi_workers.release_ranks()
    assert ranks.world.sent[4:] == [(False, 1, BEGIN), (False, 2, BEGIN)]
    assert ranks.calls[-1] == ("waitall", ((1, BEGIN), (2, BEGIN)))


def test_fewer_trials_at_once_than_ranks_may_be_asked_for(ranks):
    assert [mpi_workers.MpiWorkers(most).count for most in (1, None)] == [1, 2]


def test_what_keeps_ranks_from_training_is_an_error_with_the_command_that_resumes(ranks, tmp_path):
    ranks.answers["_begin"] = ["rank 2 can't", "rank 1 can't"]
    resume = f"mpiexec -n 3 mlpkit sweep --resume {tmp_path} --on mpi"
    with pytest.raises(UsageError, match=f"^{re.escape(f'rank 1 can{chr(39)}t; then resume with: {resume}')}$"):
        mpi_workers.MpiWorkers().submit(TrainingEnd, tmp_path / "trial-0")


def test_one_rank_alone_and_several_programs_are_refused(ranks, capsys):
    ranks.world.size = 1
    with pytest.raises(UsageError, match=r"^the engine mpi needs other processes, which train while the first one "):
        mpi_workers.MpiWorkers()
    ranks.world.size, ranks.world.rank = 3, 1
    mpi_workers.MpiWorkers()
    assert ranks.world.aborted == 2
    assert capsys.readouterr().err == f"error: {mpi_workers.NOT_SHARED}\n"


def test_another_rank_serves_sweeps_until_it_is_released(ranks, monkeypatch):
    ranks.world.waiting = [(BEGIN, True), (BEGIN, True), (BEGIN, False), (BEGIN, True)]
    mpi_workers.serve()
    assert (ranks.world.waiting, ranks.world.probed) == ([(BEGIN, True)], 3)
    ranks.world.waiting = []
    monkeypatch.setattr(mpi_workers.time, "sleep", lambda _: ranks.world.waiting.append((BEGIN, False)))
    assert mpi_workers._asked_to_begin(ranks.world) is False


def test_another_rank_says_which_it_is_and_forgets_who_started_it(ranks, tmp_path, monkeypatch):
    world = ranks.world
    world.rank, world.waiting = 1, [(BEGIN, True)]
    for name in ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "HYDI_X"):
        monkeypatch.setenv(name, "1")
    sweep = (str(tmp_path), str(tmp_path))
    assert mpi_workers._begin(sweep, VERSION) == ""
    assert world.waiting == []
    assert not {"PMI_RANK", "OMPI_COMM_WORLD_RANK", "HYDI_X"} & os.environ.keys()
    told = f"rank 1 of 3, on {gethostname()}, has mlpkit {VERSION}, and the driver 0.0.7; install the same version"
    assert mpi_workers._begin(sweep, "0.0.7") == told


def test_another_rank_stops_its_trial_and_later_ones_when_asked(ranks, monkeypatch):
    monkeypatch.setattr(remote_workers, "SECONDS_BETWEEN_CHECKS", 0.01)
    ends, ended = [], []

    def submit(*_, **__):
        ends.append(Future())
        return ends[-1]

    stop = lambda: ends[-1].set_result(TrainingEnd(len(ends), "asked"))  # noqa: E731
    trainer = SimpleNamespace(submit=submit, stop=stop, shutdown=lambda: ended.append(True))
    monkeypatch.setitem(remote_workers._trainers, "swept", trainer)
    ranks.world.waiting = [(STOP, None)]
    call = remote_workers.TrialCall(TrainingEnd, "swept/trial-0", {})
    assert [mpi_workers._train(("swept", "."), call).steps for _ in range(2)] == [1, 2]
    mpi_workers._end(("swept", "."))
    assert (ended, ranks.world.waiting) == ([True], [])


def test_an_mpi_library_that_is_missing_or_takes_one_thread_is_named(monkeypatch):
    def missing(threads):
        assert threads == "multiple"
        raise RuntimeError("cannot load\n  MPI library")

    monkeypatch.setattr(mpi_workers, "load_mpi", missing)
    with pytest.raises(UsageError, match=r"^mpi4py can't use MPI: cannot load MPI library; install: pip install mpi"):
        mpi_workers.MpiWorkers()
    single = SimpleNamespace(Query_thread=lambda: 2, THREAD_MULTIPLE=3)
    monkeypatch.setattr(mpi_workers, "load_mpi", lambda _: single)
    with pytest.raises(UsageError, match=r"^the engine mpi needs an MPI library that several threads may use \(MPI_TH"):
        mpi_workers.MpiWorkers()


@pytest.fixture
def futures(monkeypatch):
    """The module ``mpi4py.futures`` in a rank that trains; the ranks that wait for each other are counted."""
    waited = []
    comm = SimpleNamespace(Barrier=lambda: waited.append(True))
    module = SimpleNamespace(get_comm_workers=lambda: comm, MPICommExecutor="executor", comm=comm, waited=waited)
    monkeypatch.setitem(sys.modules, "mpi4py.futures", module)
    return module


def test_each_rank_does_what_all_do_once_even_if_it_fails(futures):
    assert mpi_workers._together(divmod, (17, 5)) == (3, 2)
    assert futures.waited == [True]
    with pytest.raises(ZeroDivisionError):
        mpi_workers._together(divmod, (17, 0))
    assert futures.waited == [True, True]


def test_cores_are_shared_among_the_ranks_that_train(futures, ranks, monkeypatch):
    monkeypatch.setattr(mpi_workers, "cores_of_each_rank", lambda *given: given)
    assert mpi_workers._cores() == (mpi_workers.load_mpi(), futures.comm)


def test_an_mpi_library_that_threads_may_share_will_do(futures, monkeypatch):
    shared = SimpleNamespace(Query_thread=lambda: 3, THREAD_MULTIPLE=3)
    monkeypatch.setattr(mpi_workers, "load_mpi", lambda _: shared)
    assert mpi_workers._loaded() == (shared, "executor")

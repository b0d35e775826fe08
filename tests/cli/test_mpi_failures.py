"""What a rank does if others are slow or fail, or MPI itself does; a fake MPI says when."""

from __future__ import annotations

import pickle
import signal
import time
import warnings
from socket import gethostname

import numpy as np
import pytest
from fake_mpi import FakeMessage, FakeMpi, FakeRequest, FakeWorld

from mlpkit.cli.mpi import Failure, MpiRanks, assist_rank_0, serve
from mlpkit.errors import DivergenceError, RankError, UsageError
from mlpkit.system import STOP_SIGNALS

HOST = gethostname()


@pytest.fixture(autouse=True)
def at_exit(monkeypatch):
    """Return what the program would do at its end."""
    registered = []
    monkeypatch.setattr("atexit.register", lambda *call: registered.append(call))
    monkeypatch.setattr("mlpkit.cli.mpi.os.dup2", lambda *files: None)
    monkeypatch.setattr("mlpkit.cli.mpi._SECONDS_TO_ANSWER", 0.0)
    return registered


def ranks_of(world, patience=0.1):
    return MpiRanks(FakeMpi(world), world, patience)


def end_program(at_exit):
    for function, *arguments in at_exit[1:]:  # the first would set an alarm
        function(*arguments)


@pytest.mark.parametrize(
    ("bound", "others", "least", "cores"),
    [
        ({0, 1, 2}, [{0, 1, 2}], 9, 1),  # not bound: they share three
        ({0, 1}, [{2, 3}], 9, 2),
        ({0}, [{0}], 9, 1),
        (set(range(8)), [set(range(8))], 3, 3),  # on another host, each has three
        (None, [None], 9, 5),  # of ten
    ],
)
def test_a_rank_has_the_cores_of_its_host_divided_by_the_ranks_there(bound, others, least, cores, monkeypatch):
    world, freed = FakeWorld(), []
    world.allgather = lambda item: [item, *others] if item == bound else [item] * 2
    world.allreduce = lambda own, op: min(own, least)
    world.Free = lambda: freed.append(True)
    monkeypatch.setattr("mlpkit.cli.mpi.available_cores", lambda: 10)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: bound, raising=False)
    if not isinstance(bound, set):  # a system that binds no process to cores
        monkeypatch.delattr("os.sched_getaffinity")
    assert (ranks_of(world).cores, freed) == (cores, [True])


def test_others_may_read_their_data_for_longer_than_a_rank_waits_in_a_task():
    world, began = FakeWorld(size=3), time.monotonic()
    world.improbe = lambda source: FakeMessage(f"of rank {source}") if time.monotonic() > began + 0.3 else None
    assert ranks_of(world).gather("own") == ["own", "of rank 1", "of rank 2"]


def test_a_message_whose_sender_dies_in_the_middle_ends_the_wait():
    world = FakeWorld()
    world.improbe = lambda source: FakeMessage(done=False)
    with pytest.raises(RankError, match=f"rank 1 of 2, on {HOST}: hangs, or its connection is lost: rank 0"):
        list(ranks_of(world).round_robin(iter(["own"]), 2))


@pytest.mark.parametrize("broadcast", [1, 2])
def test_an_interrupt_while_a_task_is_sent_ends_all_by_force(at_exit, broadcast):
    sent = []

    def interrupted(array, root):
        sent.append(array)
        if len(sent) == broadcast:
            raise KeyboardInterrupt
        return FakeRequest()

    world = FakeWorld()
    world.Ibcast = interrupted
    ranks = ranks_of(world)
    with pytest.raises(KeyboardInterrupt), ranks:
        ranks.start_task("train", "a long spec" * 99)
    assert len(sent) == broadcast
    assert world.aborted is None  # the program prints the error first
    end_program(at_exit)
    assert world.aborted == 1


def fail(ranks, *steps):
    """Start a training, lead some steps, and fail."""
    with ranks:
        ranks.start_task("train", "spec")
        for step in steps:
            ranks.on_all_ranks("step", step)()
        raise RankError("other data", exit_code=2)


def test_an_error_before_the_others_have_begun_to_train_ends_all_by_force(at_exit):
    world = FakeWorld()
    with pytest.raises(RankError, match="other data"):
        fail(ranks_of(world))
    end_program(at_exit)
    assert world.aborted == 2


def test_an_error_between_two_steps_ends_the_others_in_order(at_exit):
    world = FakeWorld()
    with pytest.raises(RankError, match="other data"):
        fail(ranks_of(world), lambda: None)
    end_program(at_exit)
    assert world.aborted is None


def test_a_failure_of_mpi_is_an_error_that_says_what_to_do():
    def lost():
        raise FakeMpi.Exception("message\ntruncated")

    with pytest.raises(RankError, match=f"MPI failed on {HOST}: message truncated; if a host or its network failed"):
        ranks_of(FakeWorld()).on_all_ranks("step", lost)()
    with pytest.raises(RankError, match=f"MPI failed on {HOST}: message truncated"):
        follow_a_failing_task(lost)


def follow_a_failing_task(task):
    """Have rank 1 do a task that rank 0 starts."""
    sent = []
    leader, helper = FakeWorld(), FakeWorld(rank=1)
    leader.Ibcast = lambda array, root: sent.append(array.copy()) or FakeRequest()
    ranks_of(leader).start_task("step")

    def received(array, root):
        array[...] = sent.pop(0)
        return FakeRequest()

    helper.Ibcast = received
    ranks_of(helper).follow({"step": task})


def test_a_rank_that_failed_gives_rank_0_as_much_time_as_it_may_take_for_a_step(monkeypatch, capsys):
    monkeypatch.setattr("mlpkit.cli.mpi.SECONDS_TO_END", 0.01)
    monkeypatch.setattr("mlpkit.cli.mpi._SECONDS_LATER", 0.0)
    world, began = FakeWorld(rank=1), time.monotonic()
    world.Ibcast = lambda array, root: FakeRequest(done=False)
    ranks_of(world, patience=0.3).report_failure("the trap snapped", ["note: in forward"], 1)
    assert time.monotonic() > began + 0.3
    assert world.aborted == 1
    assert capsys.readouterr().err == f"error: rank 1 of 2, on {HOST}: the trap snapped\n  note: in forward\n"


def test_a_rank_does_not_wait_for_ever_for_rank_0_after_a_task(monkeypatch):
    monkeypatch.setattr("mlpkit.cli.mpi.SECONDS_OF_A_BREAK", 0.2)
    monkeypatch.setattr("mlpkit.cli.mpi._SECONDS_LATER", 0.0)
    world, began = FakeWorld(rank=1), time.monotonic()
    world.Ibcast = lambda array, root: FakeRequest(done=False)
    with pytest.raises(RankError, match=f"rank 1, on {HOST}, has waited 0 s for the next task; if a host or its netw"):
        ranks_of(world, patience=0.01).follow({})
    assert time.monotonic() > began + 0.2


def exchanged(*arguments):
    """Have rank 0 start a task, and return the broadcasts, and the arguments that rank 1 gets."""
    sent, found = [], []
    leader, helper = FakeWorld(), FakeWorld(rank=1)
    leader.Ibcast = lambda array, root: sent.append(array.copy()) or FakeRequest()
    ranks = ranks_of(leader)
    ranks.start_task("step", *arguments)
    with ranks:
        ranks.on_all_ranks("step", lambda: None)()  # ends the task
    broadcasts = [len(array) for array in sent]

    def received(array, root):
        array[...] = sent.pop(0)
        return FakeRequest()

    helper.Ibcast = received
    ranks_of(helper).follow({"step": lambda *given: found.append(given)})
    return broadcasts[:-2], found


def test_a_task_of_any_length_arrives_whole():
    one = [length for length in range(150) if len(exchanged(b"x" * length)[0]) == 1]
    assert one == [*range(len(one))]
    framed = len(pickle.dumps(("step", (b"x" * one[-1],)))) + 8
    assert framed == 128
    for length in (0, one[-1], one[-1] + 1, one[-1] + 2, 149):
        broadcasts, found = exchanged(b"x" * length)
        assert found == [(b"x" * length,), ()]
        assert broadcasts == [128, length - one[-1]][: 1 + (length > one[-1])]


def test_the_ranks_that_do_not_answer_are_named(monkeypatch):
    monkeypatch.setattr("mlpkit.cli.mpi._SECONDS_TO_ANSWER", 0.2)
    world, answers, asked = FakeWorld(size=5), [3, 1], []
    world.iprobe = lambda tag: tag == 2 and bool(answers)
    world.recv = lambda tag: answers.pop()
    world.isend = lambda item, dest, tag=0: asked.append((dest, tag)) or FakeRequest()
    with pytest.raises(RankError) as caught:
        list(ranks_of(world, patience=0.01).round_robin(iter(["own"]), 2))
    assert str(caught.value).startswith(f"rank 2 of 5, on {HOST}; rank 4 of 5, on {HOST}: hangs, or its connection")
    assert asked == [(rank, 1) for rank in (1, 2, 3, 4)]


def test_a_rank_that_waits_answers_when_it_is_asked():
    world, questions, sent = FakeWorld(rank=2, size=3), [None], []
    world.iprobe = lambda tag: tag == 1 and bool(questions)
    world.recv = lambda tag: questions.pop()
    world.isend = lambda item, dest, tag=0: sent.append((item, dest, tag)) or FakeRequest()
    request = FakeRequest()
    request.Test = lambda: bool(sent)
    world.Ibcast = lambda array, root: request
    ranks_of(world, patience=9).broadcast(np.zeros(3))
    assert sent == [(2, 0, 2)]


def test_rank_0_reports_what_another_says_of_its_failure():
    reports = [Failure(1, "the trap snapped", ("note: in forward", "note: here"), 3)]
    world = FakeWorld()
    world.iprobe = lambda tag: tag == 0 and bool(reports)
    world.recv = lambda tag: reports.pop()
    world.Ibcast = lambda array, root: FakeRequest(done=False)
    with pytest.raises(RankError, match=f"^rank 1 of 2, on {HOST}: the trap snapped") as caught:
        ranks_of(world, patience=9).broadcast(np.zeros(3))
    assert (caught.value.exit_code, caught.value.__notes__) == (3, ["note: in forward", "note: here"])


@pytest.mark.parametrize(("size", "count"), [(1, 4), (3, 7), (4, 3)])
def test_turns_go_round(size, count):
    world = FakeWorld(size=size)
    world.improbe = lambda source: FakeMessage(f"of rank {source}")
    own = iter([f"own {number}" for number in range(count)])
    found = list(ranks_of(world).round_robin(own, count))
    assert found == [f"of rank {i % size}" if i % size else f"own {i // size}" for i in range(count)]
    turns = [list(ranks_of(FakeWorld(rank=rank, size=size)).own_turns(count)) for rank in range(size)]
    assert sorted(turn for own in turns for turn in own) == [*range(count)]
    assert all(turn % size == rank for rank in range(size) for turn in turns[rank])


@pytest.mark.parametrize("rank", range(4))
def test_in_a_fast_reduction_a_rank_without_slices_adds_nothing(rank):
    """Four ranks share eight slices; of a last minibatch with five, the third has one, and the fourth none."""
    world, summed = FakeWorld(rank=rank, size=4), []

    def add(place, gradient, op):
        summed.append((place, op, gradient.tolist()))
        return FakeRequest()

    world.Iallreduce = add
    ranks = ranks_of(world)
    assert ranks.divide(8, fast=True) == range(2 * rank, 2 * rank + 2)
    ranks.reduce_gradients([np.full(2, 7.0), np.full(1, 3.0)], 5)
    adds = rank < 3
    assert summed == [("in place", "sum", [7.0 * adds] * 2), ("in place", "sum", [3.0 * adds])]


def test_a_task_that_diverged_is_over_and_one_that_failed_is_not(at_exit):
    for error, aborted in ((DivergenceError("it diverged"), None), (KeyError("no"), 1), (RankError("no", 3), 3)):
        at_exit.clear()
        world, ends = FakeWorld(), pytest.raises(type(error))

        def fail(error=error):
            raise error

        with ends, ranks_of(world) as ranks:
            ranks.on_all_ranks("step", fail)()
        end_program(at_exit)
        assert world.aborted == aborted


@pytest.fixture
def alarms(monkeypatch):
    """Return for how long the system would let the process live, again and again."""
    seconds = []
    monkeypatch.setattr("mlpkit.cli.mpi.end_process_after", seconds.append)
    return seconds


class Engine:
    """Trains the trials that rank 0 sends it."""

    registered_name = "acme.pigeons"

    def __init__(self, error=None):
        self.error, self.served = error, 0

    def serve(self):
        self.served += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("rank", "error", "serves", "aborted", "printed"),
    [
        (0, None, 0, None, ""),
        (2, None, 1, None, ""),
        (2, UsageError("no pigeon flies"), 1, 1, "error: no pigeon flies\n"),
        (1, KeyboardInterrupt(), 1, 1, "internal error: KeyboardInterrupt: "),
    ],
)
def test_a_rank_trains_trials_until_rank_0_ends_it(rank, error, serves, aborted, printed, monkeypatch, alarms, capsys):
    world, levels, engine = FakeWorld(rank, size=3), [], Engine(error)
    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", lambda level: levels.append(level) or FakeMpi(world))
    monkeypatch.setattr("mlpkit.cli.mpi.signal.signal", lambda *handler: None)
    monkeypatch.setenv("MLPKIT_MPI_TIMEOUT", "7.5")
    assert serve(engine, 3) is (rank > 0)
    assert (engine.served, world.aborted, levels, alarms) == (serves, aborted, ["multiple"], [8, 0])
    assert capsys.readouterr().err.startswith(printed)
    with pytest.raises(UsageError, match=r"mpiexec started 4 processes, but .* connects 3: "):
        serve(engine, 4)
    assert (engine.served, alarms) == (serves, [8, 0] * 2)


def test_what_an_engine_needs_is_said_with_its_name(monkeypatch, alarms):
    def load(level):
        raise ImportError("No module named 'mpi4py'")

    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", load)
    install = r'install it with: pip install "mlpkit\[mpi\]"$'
    with pytest.raises(UsageError, match=rf"^the engine acme.pigeons needs mpi4py \(No module .*\); {install}"):
        serve(Engine(), 3)
    assert alarms == [300, 0]


def test_a_rank_that_fails_reports_the_message_its_notes_and_the_code_in_silence(monkeypatch, capsys):
    """Signals and warnings are rank 0's business."""
    reported, handlers = [], []

    def fail(ranks, plugins, blocked):
        warnings.warn("odd", stacklevel=1)
        error = UsageError(f"{plugins} and not {blocked}")
        error.add_note("note: here")
        raise error

    monkeypatch.setattr("mlpkit.cli.mpi.assist", fail)
    monkeypatch.setattr("mlpkit.cli.mpi.signal.signal", lambda *handler: handlers.append(handler))
    ranks = ranks_of(FakeWorld(rank=1))
    ranks.report_failure = lambda *failure: reported.append(failure)
    assist_rank_0(ranks, {"plugins": ("a.py",), "blocked": ("b",)})
    assert reported == [("('a.py',) and not ('b',)", ("note: here",), 2)]
    assert handlers == [(number, signal.SIG_IGN) for number in STOP_SIGNALS]
    assert capsys.readouterr() == ("", "")

"""Connecting the processes that ``mpiexec`` started, and what ranks do together to train one network."""

from __future__ import annotations

import atexit
import math
import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from socket import gethostname
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlpkit.cli.exit_codes import error_report, traceback_of
from mlpkit.cli.launcher import is_first, is_first_on_host, once
from mlpkit.errors import DivergenceError, RankError, UsageError
from mlpkit.jobs.train import assist
from mlpkit.network.flat_layout import blocks
from mlpkit.network.replica import add_along_tree
from mlpkit.system import STOP_SIGNALS, available_cores, end_process_after, yield_core
from mlpkit.training.ranks import Ranks, own_slices

if TYPE_CHECKING:
    import click

    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions

Item = TypeVar("Item")
P = ParamSpec("P")
R = TypeVar("R")

END: Final = "end"
"""The task after which there are no others."""

TIMEOUT: Final = "MLPKIT_MPI_TIMEOUT"
"""The environment variable that says how many seconds a rank waits for others in the middle of a task."""

SECONDS_OF_PATIENCE: Final = 300.0
"""How long it waits by default."""

MOST_SECONDS: Final = 86_400
"""The longest that a rank may wait for others."""

SECONDS_OF_A_BREAK: Final = 86_400.0
"""How long it waits for the next task, while rank 0 may do anything: a day, as its host may be lost."""

SECONDS_TO_END: Final = 30.0
"""How long at least a rank that failed waits for rank 0 to end them all."""

_SECONDS_LATER: Final = 15.0
"""How much longer the others wait than rank 0, so that it finds out which of them is silent."""

_SECONDS_TO_ANSWER: Final = 2.0

_FAILED, _ASKED, _ANSWERED = range(3)
"""Tags of messages about the ranks themselves."""

_SECONDS_AWAKE: Final = 0.05
"""How long a wait polls without sleeping; a longer wait leaves the core to others."""

_SECONDS_ASLEEP: Final = 0.0001

_GO_ON: Final = (
    "if a host or its network failed, exclude it and start the ranks again; mlpkit resume, or mlpkit sweep --resume, "
    "continues from the last checkpoint"
)

_FIRST: Final = 128
"""Bytes of the first message about a task; that of a step needs no second one."""

_LENGTH: Final = 8
"""Bytes of its beginning, which hold the length of what follows."""


class Failure(NamedTuple):
    """What a rank reports to rank 0 when it fails."""

    rank: int
    message: str
    notes: tuple[str, ...]
    exit_code: int


def load_mpi(thread_level: str = "funneled") -> Any:
    """Start MPI, unless it is, and return the module ``mpi4py.MPI``.

    Args:
        thread_level: which threads call MPI, as ``mpi4py.rc`` has it; a run's thread that writes checkpoints doesn't.

    Raises:
        ImportError: mpi4py isn't installed.
        RuntimeError: it finds no MPI library.
    """
    import mpi4py  # noqa: PLC0415 - an extra, and only work on several ranks needs it

    mpi4py.rc.thread_level = thread_level
    from mpi4py import MPI  # noqa: PLC0415 - starts MPI, by what was set above

    return MPI


@contextmanager
def mpi_errors(mpi: Any) -> Iterator[None]:
    """Turn an MPI exception into an error with advice.

    Raises:
        RankError: MPI failed.
    """
    try:
        yield
    except mpi.Exception as error:
        text = " ".join(str(error).split())
        raise RankError(f"MPI failed on {gethostname()}: {text}; {_GO_ON}") from error


def cores_of_each_rank(mpi: Any, world: Any) -> int:
    """Return the least number of cores that a rank has to itself, whether or not ``mpiexec`` bound it to some.

    Args:
        mpi: the module ``mpi4py.MPI``.
        world: the communicator; all ranks call this.
    """
    host = world.Split_type(mpi.COMM_TYPE_SHARED)
    if hasattr(os, "sched_getaffinity"):
        cores = len(set[int]().union(*host.allgather(os.sched_getaffinity(0))))
    else:
        cores = available_cores()
    own = max(1, cores // host.Get_size())
    host.Free()
    least: int = world.allreduce(own, op=mpi.MIN)
    return least


class MpiRanks(Ranks):
    """The ranks of an MPI communicator.

    Rank 0 ends all of them at the end of its ``with`` block: in order between two tasks; by force, once the error is
    printed, if an exception left a task half done. While a rank waits, it yields its core, and rank 0 looks out for
    ranks that have failed.
    """

    def __init__(self, mpi: Any, world: Any, patience: float) -> None:
        # MPI ends all ranks together, and would wait for a lost one.
        atexit.register(end_process_after, math.ceil(patience))
        self._mpi = mpi
        self._world = world
        self.rank: int = world.Get_rank()
        self.size: int = world.Get_size()
        self._patience = patience + (_SECONDS_LATER if self.rank else 0)
        self._hosts: list[str] = world.allgather(gethostname())
        # Messages with different purposes can't be mixed up, even if a rank has failed in between.
        self._commands, self._exchange, self._about_ranks = (world.Dup() for _ in range(3))
        self.cores: int | None = cores_of_each_rank(mpi, world)
        self._each = 1
        self._fast = False
        self._task = ""
        self._ended = False
        self._exit_code = 1
        self._received = np.empty(0)
        self._sending: Any = None
        self._pending: Any = None
        self._answer: Any = None

    def divide(self, slices: int, *, fast: bool) -> range:
        """Agree on who computes which slices; see ``Ranks``."""
        own = own_slices(slices, self.size, self.rank)
        self._each, self._fast = len(own_slices(slices, self.size, 0)), fast
        return own

    def start_task(self, task: str, *arguments: object) -> None:
        """Have the other ranks start a task; see ``Ranks``."""
        if self.rank == 0:
            with mpi_errors(self._mpi):
                self._send_command(task, arguments)

    def on_all_ranks(self, task: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that has the other ranks do a task at the same time; see ``Ranks``."""
        if self.rank:
            return function

        @wraps(function)
        def leading(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                with mpi_errors(self._mpi):
                    self._send_command(task, args)
                    result = function(*args, **kwargs)
            except DivergenceError:  # all ranks know of it, and wait for the next task
                self._task = ""
                raise
            self._task = ""
            return result

        return leading

    def follow(self, tasks: Mapping[str, Callable[..., object]]) -> None:
        """Do the tasks that rank 0 starts; see ``Ranks``."""
        while not self._ended:  # perhaps by a task that followed others in turn
            with mpi_errors(self._mpi):
                self._task = ""
                self._task, arguments = self._next_command(SECONDS_OF_A_BREAK)
                if self._task == END:
                    self._ended = True
                    return
                with suppress(DivergenceError):  # rank 0 reports it
                    tasks[self._task](*arguments)

    def broadcast(self, array: NDArray[Any]) -> None:
        """Overwrite an array with rank 0's; see ``Exchange``."""
        if array.size:
            self._wait(self._exchange.Ibcast(array, root=0))

    def all_gather(self, values: list[float], slices: int) -> list[float]:
        """Return a value for each slice; see ``Exchange``."""
        own, every = np.full(self._each, np.nan), np.empty(self.size * self._each)
        own[: len(values)] = values
        self._wait(self._exchange.Iallgather(own, every))
        found: list[float] = every[:slices].tolist()
        return found

    def reduce_gradients(self, gradients: Sequence[NDArray[Any]], slices: int) -> None:
        """Add up the gradients of all ranks; see ``Exchange``."""
        adding = -(-slices // self._each)
        for gradient in gradients:
            if not self._fast:
                self._add_along_tree(gradient, adding)
                continue
            if self.rank >= adding:
                gradient.fill(0)
            self._wait(self._exchange.Iallreduce(self._mpi.IN_PLACE, gradient, op=self._mpi.SUM))

    def gather(self, item: object) -> list[Any]:
        """Bring what each rank has to rank 0, however long other ranks load data before; see ``Ranks``."""
        with mpi_errors(self._mpi):
            if self.rank:
                self.send_to_root(item)
                return []
            return [item, *(self._take_from(rank, patience=np.inf) for rank in range(1, self.size))]

    def send_to_root(self, item: object) -> None:
        """Send rank 0 what it takes next; see ``Ranks``."""
        if self._sending is not None:
            self._wait_until(self._sending.Test)
        self._sending = self._exchange.isend(item, dest=0)

    def own_turns(self, count: int) -> range:
        """Return this rank's share of the items; see ``Ranks``."""
        return range(self.rank, count, self.size)

    def round_robin(self, own: Iterator[Item], count: int) -> Iterator[Item]:
        """Go through the items of all ranks; see ``Ranks``."""
        for number in range(count):  # turns as in own_turns
            rank = number % self.size
            yield self._take_from(rank) if rank else next(own)

    def __enter__(self) -> MpiRanks:
        """Lead the other ranks, as rank 0; the end of the block ends them."""
        atexit.register(self._end_unfinished)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the other ranks end, unless a task is half done."""
        code = getattr(error, "exit_code", 1)
        self._exit_code = code if isinstance(code, int) and code else 1
        if not self._task:
            with mpi_errors(self._mpi):
                self._send_command(END, ())
            self._task = ""

    def report_failure(self, message: str, notes: Sequence[str], exit_code: int) -> None:
        """Tell rank 0 what has gone wrong in this one, see ``Failure``, and wait until it ends them all."""
        with suppress(RankError), mpi_errors(self._mpi):
            failure = Failure(self.rank, message, tuple(notes), exit_code)
            self._answer = self._about_ranks.isend(failure, dest=0, tag=_FAILED)
            while self._next_command(patience=max(SECONDS_TO_END, self._patience))[0] != END:
                pass
            return
        lines = [f"error: {self._named(self.rank)}: {message}", *(f"  {note}" for note in notes)]
        sys.stderr.write("\n".join(lines) + "\n")  # as rank 0 hangs
        self._end_all(exit_code)

    def _add_along_tree(self, gradient: NDArray[Any], adding: int) -> None:
        """Add each stretch of the gradient in another rank, along the tree; the first ranks have parts of the sum."""
        edges = [len(gradient) * rank // self.size for rank in range(self.size + 1)]
        lengths, begins, own = np.diff(edges), edges[:-1], edges[self.rank + 1] - edges[self.rank]
        parts = self._room(adding * own, gradient.dtype).reshape(adding, own)
        sent = lengths if self.rank < adding else np.zeros_like(lengths)
        received = [own if rank < adding else 0 for rank in range(self.size)]
        places = [own * min(rank, adding - 1) for rank in range(self.size)]
        self._wait(self._exchange.Ialltoallv([gradient, (sent, begins)], [parts, (received, places)]))
        for begin, end in blocks(0, own):
            add_along_tree([part[begin:end] for part in parts])
        self._wait(self._exchange.Iallgatherv(parts[0], [gradient, (lengths, begins)]))

    def _room(self, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of undefined content, the same memory at each call."""
        if len(self._received) < size or self._received.dtype != dtype:
            self._received = np.empty(size, dtype)
        return self._received[:size]

    def _send_command(self, task: str, arguments: tuple[object, ...]) -> None:
        """Send a task, which is half done from now on."""
        self._task = task
        content = pickle.dumps((task, arguments))
        framed = np.frombuffer(len(content).to_bytes(_LENGTH, "little") + content, np.uint8)
        first = np.zeros(_FIRST, np.uint8)
        first[: len(framed)] = framed[:_FIRST]
        self._wait(self._commands.Ibcast(first, root=0))
        if len(framed) > _FIRST:
            self._wait(self._commands.Ibcast(framed[_FIRST:], root=0))

    def _next_command(self, patience: float) -> tuple[str, tuple[Any, ...]]:
        """Wait at most this many seconds for a task, and return it with its arguments."""
        first = np.empty(_FIRST, np.uint8)
        self._wait(self._commands.Ibcast(first, root=0), patience)
        length = int.from_bytes(first[:_LENGTH].tobytes(), "little")
        rest = np.empty(max(0, _LENGTH + length - _FIRST), np.uint8)
        if len(rest):
            self._wait(self._commands.Ibcast(rest, root=0), patience)
        task, arguments = pickle.loads(first[_LENGTH:].tobytes() + rest.tobytes())
        return task, arguments

    def _take_from(self, rank: int, patience: float | None = None) -> Any:
        """Receive an object of any size without blocking, so that the wait for it can end if its sender dies."""
        request: Any = None
        item: Any = None

        def arrived() -> bool:
            nonlocal request, item
            if request is None:
                message = self._exchange.improbe(source=rank)
                if message is None:
                    return False
                request = message.irecv()
            done: bool
            done, item = request.test()
            return done

        self._wait_until(arrived, patience)
        return item

    def _wait(self, request: Any, patience: float | None = None) -> None:
        self._pending = request  # holds on to its arrays, which MPI may still write into after an exception
        self._wait_until(request.Test, patience)

    def _wait_until(self, done: Callable[[], bool], patience: float | None = None) -> None:
        """Wait until something is done; raise ``RankError`` if another rank has failed, or after some seconds."""
        if done():
            return
        began = time.monotonic()
        while not done():
            waited = time.monotonic() - began
            if waited < _SECONDS_AWAKE:
                yield_core()  # there may be fewer cores than ranks
                continue
            if self.rank == 0:
                self._require_no_failure()
            elif self._about_ranks.iprobe(tag=_ASKED):
                self._about_ranks.recv(tag=_ASKED)
                self._answer = self._about_ranks.isend(self.rank, dest=0, tag=_ANSWERED)
            if waited > (self._patience if patience is None else patience):
                where = f"in the middle of the task '{self._task}'" if self._task else "for the next task"
                raise RankError(
                    f"{self._silent_ranks()}: rank {self.rank}, on {self._hosts[self.rank]}, has waited {waited:.0f} s "
                    f"{where}; {_GO_ON}; {TIMEOUT} sets how long a rank waits, in seconds"
                )
            time.sleep(_SECONDS_ASLEEP)

    def _require_no_failure(self) -> None:
        if self._about_ranks.iprobe(tag=_FAILED):
            found: Failure = self._about_ranks.recv(tag=_FAILED)
            error = RankError(f"{self._named(found.rank)}: {found.message}", found.exit_code)
            for note in found.notes:
                error.add_note(note)
            raise error

    def _silent_ranks(self) -> str:
        """Return which ranks don't answer rank 0; a rank that waits does."""
        if self.rank:
            return "another rank hangs, or its connection is lost"
        others = set(range(1, self.size))
        questions = [self._about_ranks.isend(None, dest=rank, tag=_ASKED) for rank in others]
        ends = time.monotonic() + _SECONDS_TO_ANSWER
        while others and time.monotonic() < ends:
            if self._about_ranks.iprobe(tag=_ANSWERED):
                others.discard(self._about_ranks.recv(tag=_ANSWERED))
            time.sleep(_SECONDS_ASLEEP)
        self._pending = questions
        silent = "; ".join(self._named(rank) for rank in sorted(others)) or "another rank"
        return f"{silent}: hangs, or its connection is lost"

    def _named(self, rank: int) -> str:
        return f"rank {rank} of {self.size}, on {self._hosts[rank]}"

    def _end_unfinished(self) -> None:
        """End all ranks if an exception left a task half done; the program has printed its error by now."""
        if self._task:
            self._end_all(self._exit_code)

    def _end_all(self, code: int) -> None:
        """End all ranks at once; MPI's own output about it would only hide the error."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        self._world.Abort(code)


def join(started: int) -> MpiRanks:
    """Connect this process to the other ranks, to train one network, or raise ``UsageError``."""
    patience = _patience()
    with _within(patience):
        without = "mpi4py is needed to train one network in several processes"
        library = _load_mpi("funneled", without, "; or give --no-mpi, and each process trains by itself")
        with mpi_errors(library):
            ranks = MpiRanks(library, library.COMM_WORLD, patience)
    _require_connected(ranks.size, started)
    return ranks


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer: MPI would wait for ever for one that failed to connect."""
    end_process_after(math.ceil(seconds))
    try:
        yield
    finally:
        end_process_after(0)


def _load_mpi(thread_level: str, without: str, instead: str) -> Any:
    """Start MPI for some threads, and return ``mpi4py.MPI``, or an error with what else there is to do."""
    try:
        return load_mpi(thread_level)
    except ImportError as error:
        raise _once_per_host(f'{without} ({error}); install it with: pip install "mlpkit[mpi]"{instead}') from error
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise _once_per_host(
            f"mpi4py can't use MPI: {' '.join(str(error).split())}; install the library that mpiexec "
            "belongs to, or both with: pip install mpich"
        ) from error


def _require_connected(size: int, started: int) -> None:
    if size < started:
        raise _once_per_host(
            f"mpiexec started {started} processes, but the MPI library that mpi4py loads connects {size}: they come "
            "from different MPI installations; expected the mpiexec that comes with that library, or mpi4py built for "
            "this one"
        )


def _patience() -> float:
    text = os.environ.get(TIMEOUT, "")
    try:
        seconds = float(text or SECONDS_OF_PATIENCE)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise _once_per_host(
            f"{TIMEOUT}={text}: expected the seconds that a rank waits for others, such as {TIMEOUT}=300; at "
            f"most {MOST_SECONDS:,}, a day"
        )
    return seconds


@contextmanager
def _silence() -> Iterator[None]:
    """Do another rank's part, in silence; signals go to all ranks, and rank 0 decides what becomes of them."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with warnings.catch_warnings(action="ignore"):
        yield


def assist_rank_0(ranks: MpiRanks, plugin_options: PluginOptions) -> None:
    """Do this rank's part of a training, until rank 0 ends it; what fails is reported to rank 0."""
    try:
        with _silence():
            assist(ranks, **plugin_options)
    except BaseException as error:
        report = error_report(error)
        message = report.text.removeprefix("error: ")
        sys.stderr.write(traceback_of(error))
        ranks.report_failure(message, report.notes, report.exit_code)


def serve(engine: Engine, started: int) -> bool:
    """Train the trials of a sweep until rank 0 ends it; return whether this process did so, and isn't rank 0."""
    with _within(_patience()):
        world = _load_mpi("multiple", f"the engine {engine.registered_name} needs mpi4py", "").COMM_WORLD
    _require_connected(world.Get_size(), started)
    if not world.Get_rank():
        return False
    try:
        with _silence():
            engine.serve()
    except BaseException as error:
        sys.stderr.write(f"{error_report(error).text}\n{traceback_of(error)}")
        world.Abort(1)
    return True


def _once_per_host(message: str) -> UsageError | click.exceptions.Exit:
    """Return an error that may be one host's alone: processes that aren't connected can't agree on who reports it."""
    if is_first():
        return UsageError(message)
    return UsageError(f"on {gethostname()}: {message}") if is_first_on_host() else once(message)

"""The live page of a run that is trained on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mlpkit.cli.interrupt import Interrupts
from mlpkit.system import require_processes
from mlpkit.terminal.output import diagnostic, message
from mlpkit.verbs.live.pause import PausableStopRequest
from mlpkit.verbs.live.server import LiveServer
from mlpkit.verbs.live.watched import STOPPED_BY, FolderRuns, LiveRun, WatchedRun


@contextmanager
def live_page(port: int, title: str, folder: Path, spec: str, interrupts: Interrupts) -> Iterator[LiveRun]:
    """Serve a page about a run until the end of the block; see ``cli.around_training`` for the arguments."""
    interrupts.stop = stop = PausableStopRequest()
    run = LiveRun(title, folder, stop)
    actions = {"pause": run.pause, "continue": run.resume, "stop": run.end}
    with server_at(port, title, run.runs, actions, spec):
        try:
            yield run
        except BaseException as error:
            run.close("failed", str(error).partition("\n")[0])
            raise


@contextmanager
def live_folder(port: int, title: str, folder: Path, interrupts: Interrupts) -> Iterator[None]:
    """Serve a page about the runs in a folder until the end of the block; the arguments are explained there, too."""
    with server_at(port, title, FolderRuns(folder).runs, {"stop": partial(interrupts.stop.stop, STOPPED_BY)}):
        yield


def server_at(
    port: int,
    title: str,
    runs: Callable[[], Sequence[WatchedRun]],
    actions: Mapping[str, Callable[[], None]],
    spec: str = "",
) -> LiveServer:
    """Return a server of a live page, and print its address; if a port is taken, another one serves."""
    require_processes("a live page")
    try:
        server = LiveServer(title, runs, actions, spec=spec, port=port)
    except OSError as error:
        diagnostic(f"warning: port {port} can't be used: {error.strerror}; the live page uses another one", "yellow")
        server = LiveServer(title, runs, actions, spec=spec)
    message(f"live page: {server.address}")
    return server

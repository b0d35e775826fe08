"""Measures what a training pays for checkpoints, health checks, an open live page, and plugins that it doesn't use.

    python benchmarks/costs.py [checkpoints health live plugins] [--rounds 11] [--json]

- ``checkpoints``: the main job with a checkpoint every 100 steps and without, in turns; the time of the training loop
  on the disk of the current folder.
- ``health``: the share of a training's processor time that its health monitor takes, evaluated once an epoch.
- ``live``: the share that a live page takes while a client in another process reads it, as on a single core: what the
  page's server computes for each second that it is read, and, for each second that the training computes, what the
  run's observer computes and what it takes longer to ask whether to stop if one can also pause.
- ``plugins``: the seconds that two hundred installed plugins add to commands that use none of them. To import one
  takes a tenth of a second.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial, wraps
from pathlib import Path
from timeit import timeit
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from installed_plugins import install
from processes import MLPKIT
from report import add_names, limit, parser_of, print_report
from rounds import interleaved, ratio, seconds_of

import mlpkit
from mlpkit.training.events import Observer, ObserverGroup, StopRequest
from mlpkit.verbs.doctor.health import HealthMonitor
from mlpkit.verbs.live.server import LiveRun, LiveServer, PausableStopRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

SPEC: Final = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
SIZES: Final = {(256, 1000): 0.01, (50, 32): 0.03}
"""Units of a hidden layer and examples of a minibatch, and the share of the time that health or a page may take."""
CLIENT: Final = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + 'events').read()"
LOOKS: Final = 1_000_000
RUN: Final = ["run", str(SPEC), "--no-report", "--quiet", "--set", "training.iterations=1", "--out", "run"]
COMMANDS: Final = {"--help": (["--help"], 0.05), "run": (RUN, 0.06)}
"""Arguments, and the seconds that plugins may add."""


class Cost(NamedTuple):
    """A share of the time, or seconds; the most that it should be; and how it was found."""

    what: str
    cost: float
    limit: float
    details: str


class Clock(Observer):
    """Times a training by the clock, and by the time that its thread computes, which other load doesn't change."""

    seconds = computing = math.nan

    def started(self, total_steps: int | None) -> None:
        """Note the beginning."""
        self._began = time.perf_counter(), time.thread_time()

    def ended(self) -> None:
        """Note what the training took."""
        self.seconds = time.perf_counter() - self._began[0]
        self.computing = time.thread_time() - self._began[1]


class Stopwatch:
    """Adds up how long methods of a class take, by the clock and in the time that their thread computes."""

    def __init__(self, owner: type, *methods: str) -> None:
        self.seconds = self.computing = 0.0
        for name in methods:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **options: Any) -> Any:
            began, computed = time.perf_counter(), time.thread_time()
            try:
                return method(*args, **options)
            finally:
                self.seconds += time.perf_counter() - began
                self.computing += time.thread_time() - computed

        return timed


def sized(size: tuple[int, int], validation: int = 5000, **training: Any) -> mlpkit.Spec:
    """Return the main spec with other sizes and no number of steps."""
    units, batch_size = size
    hidden = {"layers.Affine1.units": units, "layers.Affine2.units": units, "data.mnist.validation": validation}
    changes: dict[str, Any] = {"batch_size": batch_size, "iterations": None, "evaluate_every": None, **training}
    return mlpkit.load_spec(SPEC, overrides=hidden | {f"training.{key}": value for key, value in changes.items()})


def checkpoints(options: argparse.Namespace) -> Iterator[Cost]:
    """Train with checkpoints and without."""

    def seconds(checkpoint: dict[str, int] | None) -> float:
        clock = Clock()
        overrides = {"training.iterations": options.steps, "training.checkpoint": checkpoint}
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides), f"{folder}/run", observer=clock, quiet=True)
        return clock.seconds

    found = interleaved({"without": partial(seconds, None), "with": partial(seconds, {"every": 100})}, options.rounds)
    compared = ratio(found["with"], found["without"])
    yield Cost("every 100 steps", compared.median - 1, 0.03, f"with / without {compared}")


def health(options: argparse.Namespace) -> Iterator[Cost]:
    """Train with the health monitor, which every run folder gets."""
    for size, most in SIZES.items():
        clock = Clock()
        monitor = Stopwatch(HealthMonitor, "__init__", "began", "before_evaluated_step", "evaluated")
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            mlpkit.run(sized(size, epochs=options.epochs), f"{folder}/run", observer=clock, quiet=True)
        details = f"{monitor.computing * 1000:.1f} ms of {clock.computing:.2f} s"
        yield Cost(str(size), monitor.computing / clock.computing, most, details)


def live(options: argparse.Namespace) -> Iterator[Cost]:
    """Train with many evaluations while a client reads the live page."""
    pausable = PausableStopRequest()
    look = timeit(lambda: pausable.reason, number=LOOKS) - timeit(lambda: StopRequest().reason, number=LOOKS)
    for size, most in SIZES.items():
        clock, stop = Clock(), PausableStopRequest()
        server, observer = Stopwatch(LiveServer, "stream"), Stopwatch(LiveRun, "stepped", "evaluated")
        run = LiveRun("main job", Path(), stop)
        spec = sized(size, 59_000, seconds=options.seconds, evaluate_every=2000 // size[1] + 5)
        with LiveServer("main job", run.runs, {}) as page:
            client = subprocess.Popen([sys.executable, "-c", CLIENT, page.address])
            done = mlpkit.run(spec, observer=ObserverGroup((clock, run)), stop=stop)
        client.wait()
        shares = {
            "server": server.computing / server.seconds,
            "observer": observer.computing / clock.computing,
            "looks": done.steps * max(0.0, look) / LOOKS / clock.computing,
        }
        details = ", ".join(f"{name} {share:.3%}" for name, share in shares.items())
        yield Cost(str(size), sum(shares.values()), most, f"{details}, {len(done.history)} evaluations")


def plugins(options: argparse.Namespace) -> Iterator[Cost]:
    """Run commands with the plugins on the import path and without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(options.plugins, folder / "site")

        def seconds(arguments: list[str], path: str) -> float:
            environment = {**os.environ, "PYTHONPATH": path}
            with tempfile.TemporaryDirectory(dir=folder) as current:
                command = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, cwd=current, env=environment)
                return seconds_of(lambda: command([*MLPKIT, *arguments]))

        for command, (arguments, most) in COMMANDS.items():
            ways = {"without": partial(seconds, arguments, ""), "with": partial(seconds, arguments, f"{folder}/site")}
            interleaved(ways, 1)  # fills caches
            found = interleaved(ways, options.rounds)
            more = statistics.median(a - b for a, b in zip(found["with"], found["without"], strict=True))
            details = f"in addition to {statistics.median(found['without']):.3f} s"
            yield Cost(f"mlpkit {command}", more, most, details)
        imported = len(list((folder / "site").glob("*.imported")))
        yield Cost("plugins that were imported", imported, 0, f"of {options.plugins}")


COSTS: Final = {each.__name__: each for each in (checkpoints, health, live, plugins)}


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__, rounds=11)
    add_names(parser, "costs", COSTS)
    parser.add_argument("--steps", type=int, default=2000, help="of a training with checkpoints or without")
    parser.add_argument("--epochs", type=int, default=10, help="of a training with health checks")
    parser.add_argument("--seconds", type=int, default=10, help="of a training with a live page")
    parser.add_argument("--plugins", type=int, default=200, help="how many are installed")
    options = parser.parse_args()
    found = {name: list(COSTS[name](options)) for name in options.costs}
    lines = []
    for name, costs in found.items():
        for each in costs:
            shown = "{:.2%}" if name != "plugins" else "{:.3g}"
            verdict = limit(each.cost, each.limit, shown.format(each.limit))
            lines.append(f"{name}: {each.what}: {shown.format(each.cost)}, {each.details}; {verdict}")
    print_report(options, {name: [each._asdict() for each in costs] for name, costs in found.items()}, lines)


if __name__ == "__main__":
    main()

"""Times what an open live page takes from a training.

    python benchmarks/live_cost.py [--seconds 10] [--json]

The main job is trained with other sizes for some seconds, with many evaluations, while a client in another process
reads what a live page would get. Timed, as the time that a thread computes, so that other load affects nothing:

- what the page's server computes, per second of the training: it sends so often a second, however fast the steps are;
- what the observer of the run computes, and what it takes longer to read whether to stop when one can also pause, per
  second that the training computes.

The sum is the share that the page takes from a training, were there but one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from timeit import timeit
from typing import Any, Final

from machine import heading, machine

import mlpkit
from mlpkit.training.events import Observer, ObserverGroup, StopRequest
from mlpkit.verbs.live.pause import PausableStopRequest
from mlpkit.verbs.live.server import LiveServer
from mlpkit.verbs.live.watched import LiveRun

SPEC: Final = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"
LIMITS: Final = {(256, 1000): 0.01, (50, 32): 0.03}
"""Units of a hidden layer and examples of a minibatch, and the share of the time that may be spent."""
CLIENT: Final = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + 'events').read()"
READINGS: Final = 1_000_000


class Clock(Observer):
    """Notes how long training took, by the clock and in the time that its thread computes."""

    def started(self, total_steps: int | None) -> None:
        """Note the beginning."""
        self.began = time.perf_counter(), time.thread_time()

    def ended(self) -> None:
        """Note the end."""
        self.seconds = time.perf_counter() - self.began[0]
        self.computing = time.thread_time() - self.began[1]


class TimedServer(LiveServer):
    """Notes how long it computes for its reader, and for how long it is read."""

    computing = reading = 0.0

    def stream(self, send: Any) -> None:
        """Note both."""
        computed, began = time.thread_time(), time.perf_counter()
        try:
            super().stream(send)
        finally:
            self.computing = time.thread_time() - computed
            self.reading = time.perf_counter() - began


class TimedRun(LiveRun):
    """Notes how long its events take."""

    computing = 0.0

    def stepped(self, *details: Any) -> None:
        """Note it."""
        began = time.thread_time()
        super().stepped(*details)
        self.computing += time.thread_time() - began

    def evaluated(self, *details: Any) -> None:
        """Note it."""
        began = time.thread_time()
        super().evaluated(*details)
        self.computing += time.thread_time() - began


def cost_of_a_look() -> float:
    """Return by how many seconds a step is longer if the run can also be paused."""
    plain, pausable = StopRequest(), PausableStopRequest()
    look = timeit(lambda: pausable.reason, number=READINGS) - timeit(lambda: plain.reason, number=READINGS)
    return max(0.0, look) / READINGS


def measured(hidden: int, batch_size: int, seconds: int) -> dict[str, Any]:
    """Train, and return the shares that the page takes."""
    overrides = {
        "layers.Affine1.units": hidden,
        "layers.Affine2.units": hidden,
        "data.mnist.validation": 59_000,
        "training.batch_size": batch_size,
        "training.iterations": None,
        "training.seconds": seconds,
        "training.evaluate_every": 2000 // batch_size + 5,
    }
    stop, clock = PausableStopRequest(), Clock()
    run = TimedRun("main job", Path(), stop)
    spec = mlpkit.load_spec(SPEC, overrides=overrides)
    with TimedServer("main job", run.runs, {}) as server:
        client = subprocess.Popen([sys.executable, "-c", CLIENT, server.address])
        done = mlpkit.run(spec, observer=ObserverGroup((clock, run)), stop=stop)
    client.wait()
    shares = {
        "server": server.computing / server.reading,
        "observer": run.computing / clock.computing,
        "looks": done.steps * cost_of_a_look() / clock.computing,
    }
    return {"hidden": hidden, "batch_size": batch_size, "steps": done.steps, "evaluations": len(done.history), **shares}


def main(arguments: list[str]) -> int:
    """Time each size, print the shares, and return 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    sizes = [measured(*size, options.seconds) | {"limit": limit} for size, limit in LIMITS.items()]
    missed = False
    for size in sizes:
        size["share"] = size["server"] + size["observer"] + size["looks"]
        missed |= size["share"] > size["limit"]
    if options.json:
        print(json.dumps({"machine": machine(), "sizes": sizes}))
        return int(missed)
    print(heading(machine()))
    for size in sizes:
        print(
            f"({size['hidden']}, {size['batch_size']}): {size['share']:.2%} with {size['evaluations']} evaluations in "
            f"{size['steps']:,} steps: server {size['server']:.2%}, observer {size['observer']:.3%}, looks "
            f"{size['looks']:.3%}; at most {size['limit']:.0%}: {'MISSED' if size['share'] > size['limit'] else 'met'}"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

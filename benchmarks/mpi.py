"""Times a training step on one rank and on two, each on one core, and says what more ranks and machines would bring.

    python benchmarks/mpi.py [--hidden 1024] [--batch-size 1024] [--steps 60] [--rounds 7] [--json]

The network is 784-H-H-10 on MNIST, in minibatches of B, with two slices and one thread. In each round the contestants
take turns, each as whole processes: one rank, one rank with minibatches of B/2, two ranks, and two ranks that only
reduce gradients. The ratio is that of one rank to two within a round. Four ranks then train once, for the memory of
each. Needs Linux, two cores, and mpi4py with its ``mpiexec``.

A step of P ranks takes, with N parameters of 4 bytes,

    T(P) = u + c B / P + R(P)        R(P) = l + 8 N (P - 1) / P / w   for P > 1, and R(1) = 0

of which u, the update and all else that each rank does for itself, and c B, the slices, follow from the steps of B and
of B/2 rows on one rank; l, the latency, and w, the bytes that a rank sends a second, from two ranks that reduce
gradients of two sizes. T(2) is compared with what was measured. For 4 to 64 ranks, and for the smallest minibatch at
which a second machine pays, networks between machines take the place of l and w.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from machine import heading, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ASKED: Final = 1.6
"""How many times as fast two ranks have to be as one, at the default shape."""

NETWORKS: Final = {"1 Gbit/s": (100e-6, 0.125e9), "10 Gbit/s": (50e-6, 1.25e9), "100 Gbit/s": (5e-6, 12.5e9)}
"""Seconds of latency, and bytes a second, between machines."""

REDUCED: Final = (100_000, 4_000_000)
"""Lengths of the gradients that are reduced to find latency and bandwidth."""

REDUCTIONS: Final = 20


def spec_of(hidden: int, batch_size: int, steps: int, slices: int) -> dict[str, Any]:
    """Return the spec; of its two evaluations, which are short, the first ends the warm-up."""
    layers = [{"Affine": {"units": hidden}}, "Relu"]
    return {
        "mlpkit": 1,
        "name": "ranks",
        "data": {"mnist": {"validation": 100}},
        "layers": [*layers, *layers, {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"sgd": {"learning_rate": 0.1}},
            "batch_size": batch_size,
            "iterations": 2 * steps,
            "evaluate_every": steps,
            "evaluate_train": False,
            "slices": slices,
            "threads": 1,
        },
    }


def parameters_of(hidden: int) -> int:
    """Return how many parameters the network has."""
    return (784 + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * 10


def start(ranks: int, arguments: list[str]) -> str:
    """Run this script with some arguments on so many ranks, a core each, and return what it prints."""
    command = [sys.executable, __file__, *arguments]
    cores: set[int] = set()
    if ranks == 1:
        cores = {min(os.sched_getaffinity(0))}
    else:
        beside = Path(sys.executable).with_name("mpiexec")
        command = [str(beside) if beside.exists() else shutil.which("mpiexec") or "mpiexec", "-n", str(ranks), *command]
    pin = partial(os.sched_setaffinity, 0, cores) if cores else None
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=pin).stdout


def as_rank(folder: Path, spec: str) -> None:
    """Train a spec as one of several ranks, and write down the most memory that this one took."""
    from mlpkit.cli.main import main as mlpkit  # noqa: PLC0415 - as in the program, nothing is loaded before

    def write_memory() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        (folder / f"memory-{os.getpid()}").write_text(str(peak))

    atexit.register(write_memory)
    sys.argv = ["mlpkit", "run", spec, "--out", str(folder / "run"), "--quiet", "--no-report"]
    mlpkit()


def as_reducing_rank() -> None:
    """Reduce gradients of two lengths, and print the seconds that each takes."""
    import numpy as np  # noqa: PLC0415 - the other ways to run this script need none of it

    from mlpkit.cli.mpi import join_ranks, load_mpi  # noqa: PLC0415 - for the same reason

    ranks = join_ranks(load_mpi())
    ranks.divide(ranks.size, fast=False)
    found = []
    for length in REDUCED:
        gradient = np.zeros(length, np.float32)
        times = []
        for _ in range(REDUCTIONS):
            ranks.all_gather([0.0], ranks.size)  # all begin together
            began = time.perf_counter()
            ranks.reduce_gradients([gradient], ranks.size)
            times.append(time.perf_counter() - began)
        found.append(statistics.median(times))
    if ranks.rank == 0:
        print(json.dumps(found))


class Training(NamedTuple):
    """A training that has ended.

    Args:
        step: seconds that a step took.
        memory: the most bytes that each rank had.
        model: the trained model's file.
    """

    step: float
    memory: list[int]
    model: bytes


def train(ranks: int, hidden: int, batch_size: int, steps: int) -> Training:
    """Train on so many ranks; the results of one and two have the same bits."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "spec.yaml"
        spec.write_text(json.dumps(spec_of(hidden, batch_size, steps, slices=max(2, ranks))))
        start(ranks, ["--as-rank", name, str(spec)])
        first, last = (json.loads(line) for line in (folder / "run/timing.jsonl").read_text().splitlines()[:2])
        memory = sorted(int(file.read_text()) for file in folder.glob("memory-*"))
        model = (folder / "run/model.safetensors").read_bytes()
        return Training((last["seconds"] - first["seconds"]) / steps, memory, model)


class CostModel(NamedTuple):
    """What a step costs, in seconds.

    Args:
        own: what each rank does for itself, u.
        row: the slices, by row of the minibatch, c.
        parameters: how many there are, N.
    """

    own: float
    row: float
    parameters: int

    def reduction(self, ranks: int, latency: float, bandwidth: float) -> float:
        """Return how long the ranks take to add up their gradients, R."""
        return latency + 8 * self.parameters * (ranks - 1) / ranks / bandwidth if ranks > 1 else 0.0

    def step(self, ranks: int, batch_size: int, latency: float, bandwidth: float) -> float:
        """Return how long a step takes, T."""
        return self.own + self.row * batch_size / ranks + self.reduction(ranks, latency, bandwidth)

    def smallest_batch(self, latency: float, bandwidth: float) -> int:
        """Return the rows of a minibatch from which on a second machine saves time."""
        return int(2 * self.reduction(2, latency, bandwidth) / self.row) + 1


def link_of(seconds: list[float]) -> tuple[float, float]:
    """Return latency and bandwidth of a link, from the times of two ranks that reduced gradients of two lengths."""
    few, many = (4 * length for length in REDUCED)  # 8 N (2 - 1) / 2
    bandwidth = (many - few) / max(1e-9, seconds[1] - seconds[0])
    return max(0.0, seconds[0] - few / bandwidth), bandwidth


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Time all contestants in turns, and derive the rest."""
    hidden, rows = options.hidden, options.batch_size
    trains = partial(train, hidden=hidden, steps=options.steps)
    contestants: dict[str, Callable[[], Any]] = {
        "one rank": partial(trains, 1, batch_size=rows),
        "half a minibatch": partial(trains, 1, batch_size=rows // 2),
        "two ranks": partial(trains, 2, batch_size=rows),
        "reductions": lambda: json.loads(start(2, ["--as-reducing-rank"])),
    }
    found: dict[str, list[Any]] = {name: [] for name in contestants}
    for number in range(options.rounds):
        for name in contestants if number % 2 else reversed(contestants):
            found[name].append(contestants[name]())
    steps = {name: [each.step for each in found[name]] for name in list(contestants)[:3]}
    one, half, two = (statistics.median(times) for times in steps.values())
    latency, bandwidth = link_of([statistics.median(times) for times in zip(*found["reductions"], strict=True)])
    row = 2 * max(1e-12, one - half) / rows
    costs = CostModel(max(0.0, one - row * rows), row, parameters_of(hidden))
    return {
        "seconds": steps,
        "ratios": [a / b for a, b in zip(steps["one rank"], steps["two ranks"], strict=True)],
        "same_bits": len({each.model for name in ("one rank", "two ranks") for each in found[name]}) == 1,
        "memory": {"one rank": found["one rank"][0].memory, "four ranks": trains(4, batch_size=rows).memory},
        "model": {**costs._asdict(), "latency": latency, "bandwidth": bandwidth},
        "two ranks": {"measured": two, "predicted": costs.step(2, rows, latency, bandwidth)},
        "networks": {name: predicted(costs, rows, *link) for name, link in NETWORKS.items()},
    }


def predicted(costs: CostModel, rows: int, latency: float, bandwidth: float) -> dict[str, Any]:
    """Return how many times as fast as one rank several would be, a machine each, and when a second one pays."""
    alone = costs.step(1, rows, latency, bandwidth)
    speedups = {ranks: alone / costs.step(ranks, rows, latency, bandwidth) for ranks in (2, 4, 8, 16, 32, 64)}
    return {"speedups": speedups, "smallest_batch": costs.smallest_batch(latency, bandwidth)}


def print_report(report: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Print what was measured and derived."""
    print(heading(report["machine"]))
    print(f"784-{options.hidden}-{options.hidden}-10, minibatches of {options.batch_size}, milliseconds a step")
    for name, times in report["seconds"].items():
        print(f"  {name:18}{1e3 * statistics.median(times):8.2f}")
    ratios = report["ratios"]
    verdict = "met" if statistics.median(ratios) >= ASKED else "MISSED"
    print(
        f"  one rank / two    {statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"at least {ASKED}: {verdict}"
    )
    print(f"  results {'the same' if report['same_bits'] else 'DIFFERENT'}")
    for name, memory in report["memory"].items():
        print(f"peak memory of {name}, MB: {', '.join(f'{peak / 1e6:.0f}' for peak in memory)}")
    costs, two = report["model"], report["two ranks"]
    print(
        f"own {1e3 * costs['own']:.2f} ms, {1e6 * costs['row']:.2f} µs a row, latency {1e6 * costs['latency']:.0f} µs, "
        f"{costs['bandwidth'] / 1e9:.2f} GB/s; two ranks: {1e3 * two['predicted']:.2f} ms predicted, "
        f"{1e3 * two['measured']:.2f} ms measured"
    )
    print("times as fast as one machine, predicted; and the smallest minibatch at which a second machine pays")
    for name, found in report["networks"].items():
        figures = "  ".join(f"{ranks}: {speedup:.1f}" for ranks, speedup in found["speedups"].items())
        print(f"  {name:12}{figures}  from {found['smallest_batch']} rows")


def main(arguments: list[str]) -> int:
    """Measure, print, and return 1 if the ranks' results differ."""
    if arguments[:1] == ["--as-rank"]:
        as_rank(Path(arguments[1]), arguments[2])
    if arguments == ["--as-reducing-rank"]:
        as_reducing_rank()
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    report = {"machine": machine(), **measured(options)}
    if options.json:
        print(json.dumps(report))
    else:
        print_report(report, options)
    return int(not report["same_bits"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

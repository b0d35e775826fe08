"""Times a training step on one rank and on two, each on one core, and predicts what more machines would bring.

    python benchmarks/mpi.py [--hidden 1024] [--batch-size 1024] [--steps 60] [--rounds 7] [--json]

The network is 784-H-H-10 on MNIST, in minibatches of B, with two slices and one thread. In each round the contestants
take turns, each as whole processes: one rank, one rank with minibatches of B/2, and two ranks. The ratio is that of one
rank to two within a round. Four ranks then train once, for the memory of each. Needs Linux, two cores, and mpi4py with
its ``mpiexec``.

A step of P ranks takes, with N parameters of 4 bytes,

    T(P) = u + c B / P + R(P)        R(P) = l + 8 N (P - 1) / P / w   for P > 1, and R(1) = 0

where u, the update and all else that each rank does for itself, and c B, the slices, follow from the steps of B and of
B/2 rows on one rank. The latency l and the bandwidth w are those of networks between machines.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

ASKED: Final = 1.6
"""How many times as fast two ranks have to be as one, at the default shape."""

NETWORKS: Final = {"1 Gbit/s": (100e-6, 0.125e9), "10 Gbit/s": (50e-6, 1.25e9), "100 Gbit/s": (5e-6, 12.5e9)}
"""Seconds of latency, and bytes a second, between machines."""


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


def start(ranks: int, arguments: list[str]) -> str:
    """Run this script on several ranks, with a core each, and return its output."""
    command = [sys.executable, __file__, *arguments]
    pin = None
    if ranks == 1:
        pin = partial(os.sched_setaffinity, 0, {min(os.sched_getaffinity(0))})
    else:
        own = Path(sys.executable).with_name("mpiexec")
        command = [str(own) if own.exists() else shutil.which("mpiexec") or "mpiexec", "-n", str(ranks), *command]
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


class Training(NamedTuple):
    """Seconds that a step took, the most bytes that each rank had, and the trained model's file."""

    step: float
    memory: list[int]
    model: bytes


def train(ranks: int, hidden: int, batch_size: int, steps: int) -> Training:
    """Train on one rank or several; the results have the same bits."""
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
    """The seconds of a step: u of each rank for itself, c of each row; and the number of parameters N."""

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


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Time all contestants in turns, and derive the rest."""
    from rounds import interleaved, ratio  # noqa: PLC0415 - ranks load none of it

    hidden, rows = options.hidden, options.batch_size
    trains = partial(train, hidden=hidden, steps=options.steps)
    trainings = interleaved(
        {
            "one rank": partial(trains, 1, batch_size=rows),
            "half a minibatch": partial(trains, 1, batch_size=rows // 2),
            "two ranks": partial(trains, 2, batch_size=rows),
        },
        options.rounds,
    )
    steps = {name: [each.step for each in found] for name, found in trainings.items()}
    one, half, _ = (statistics.median(times) for times in steps.values())
    row = 2 * max(1e-12, one - half) / rows
    parameters = 785 * hidden + (hidden + 1) * (hidden + 10)
    costs = CostModel(max(0.0, one - row * rows), row, parameters)
    return {
        "seconds": steps,
        "ratio": ratio(steps["one rank"], steps["two ranks"]).median,
        "same_bits": len({each.model for name in ("one rank", "two ranks") for each in trainings[name]}) == 1,
        "memory": {"one rank": trainings["one rank"][0].memory, "four ranks": trains(4, batch_size=rows).memory},
        "model": costs._asdict(),
        "networks": {name: predicted(costs, rows, *link) for name, link in NETWORKS.items()},
    }


def predicted(costs: CostModel, rows: int, latency: float, bandwidth: float) -> dict[str, Any]:
    """Return how many times as fast as one rank several would be, a machine each, and when a second one pays."""
    alone = costs.step(1, rows, latency, bandwidth)
    speedups = {ranks: alone / costs.step(ranks, rows, latency, bandwidth) for ranks in (2, 4, 8, 16, 32, 64)}
    return {"speedups": speedups, "smallest_batch": costs.smallest_batch(latency, bandwidth)}


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of what was measured and derived."""
    for name, times in report["seconds"].items():
        yield f"{name:18}{1e3 * statistics.median(times):8.2f} ms a step"
    verdict = "met" if report["ratio"] >= ASKED else "MISSED"
    yield f"one rank / two    {report['ratio']:8.2f}; at least {ASKED}: {verdict}"
    yield f"results {'the same' if report['same_bits'] else 'DIFFERENT'}"
    for name, memory in report["memory"].items():
        yield f"peak memory of {name}, MB: {', '.join(f'{peak / 1e6:.0f}' for peak in memory)}"
    yield f"own {1e3 * report['model']['own']:.2f} ms, {1e6 * report['model']['row']:.2f} µs a row"
    yield "times as fast as one machine, predicted; and the smallest minibatch at which a second machine pays"
    for name, found in report["networks"].items():
        figures = "  ".join(f"{ranks}: {speedup:.1f}" for ranks, speedup in found["speedups"].items())
        yield f"  {name:12}{figures}  from {found['smallest_batch']} rows"


def main(arguments: list[str]) -> int:
    """Measure, print, and return 1 if the ranks' results differ."""
    if arguments[:1] == ["--as-rank"]:
        as_rank(Path(arguments[1]), arguments[2])
    from report import parser_of, print_report  # noqa: PLC0415 - ranks load none of it

    parser = parser_of(__doc__, rounds=7)
    parser.add_argument("--hidden", type=int, default=1024, help="units of each hidden layer (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=1024, help="rows of a minibatch (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=60, help="of a training (default: %(default)s)")
    options = parser.parse_args(arguments)
    report = measured(options)
    print_report(options, report, lines_of(report))
    return int(not report["same_bits"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Compares mlpkit with its peers on this machine.

    python benchmarks/compare.py [--workload NAME ...] [--runs 7] [--json FILE] [--only PEER ...] [--vectors avx2]

Every measurement is a process of its own. In each round every contestant has one, in turn, so that other load on the
machine affects all. A figure is the median over the rounds; a ratio is that of the peer's figure to ours within each
round, its median over the rounds, with its lowest and highest value: above 1, mlpkit is faster. The limit of a step is
its matrix products alone on the best number of BLAS threads; its share of our time would be 1 if everything else were
free.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import in_process
import whole_runs
from comparison import Bench
from contestants.roster import PREDICTORS
from machine import heading
from processes import MACHINE, NOT_HELD, VECTORS, finished, workspace
from targets import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comparison import Comparison

WORKLOADS = {
    each.__name__: each
    for each in (
        in_process.sgd_step,
        in_process.adam_step,
        in_process.activations,
        in_process.lenet,
        in_process.predict,
        whole_runs.fast,
        whole_runs.accurate,
    )
}


def main() -> None:
    """Measure, print the tables, and write the requested file."""
    options = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the workspace and a running process are ended
    comparisons: list[Comparison] = []
    with workspace(options.vectors) as folder:
        about = json.loads(finished([sys.executable, str(MACHINE)]).stdout)
        bench = Bench(
            folder=folder,
            cores=about["cores"],
            only=tuple(options.only),
            rounds=options.runs,
            seconds=options.seconds,
            warm_up=options.warm_up,
            shapes=tuple(options.shape),
        )
        about["versions"] = {name: text for entry in bench.predictors for name, text in entry.versions().items()}
        print(heading(about), end="")
        if options.vectors:
            about["vectors"] = {"held_to": options.vectors, "not_held": NOT_HELD}
            exceptions = ", ".join(f"{name} ({what})" for name, what in NOT_HELD.items())
            print(f"held to {options.vectors}, except {exceptions}")
        print(", ".join(f"{name} {text}" for name, text in about["versions"].items()) or "no peers")
        for name, reason in bench.left_out.items():
            print(f"left out: {name}: {reason}")
        print(flush=True)
        for name in options.workload:
            for comparison in WORKLOADS[name](bench):
                print(comparison, flush=True)
                comparisons.append(comparison)
    if options.json is not None:
        found = [comparison.plain() for comparison in comparisons]
        report = {"machine": about, "left_out": bench.left_out, "comparisons": found}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    conclude(comparisons)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    names = [entry.name for entry in PREDICTORS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), help="default: all")
    parser.add_argument("--runs", type=int, default=7, help="rounds (default: %(default)s)")
    parser.add_argument("--only", nargs="*", choices=names, default=names, help="peers (default: all)")
    parser.add_argument(
        "--shape", nargs="+", type=shape, default=SHAPES, metavar="H,B", help="shapes of the steps (default: all six)"
    )
    parser.add_argument("--vectors", choices=VECTORS, help="hold all to narrower vectors than the processor has")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a process times steps (default: 1.5)")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds it trains before that (default: 0.5)")
    parser.add_argument("--json", type=Path, help="file for the results as JSON")
    return parser.parse_args()


def shape(text: str) -> tuple[int, int]:
    """Return units and examples of a minibatch from a text such as ``50,32``."""
    hidden, _, batch_size = text.partition(",")
    return int(hidden), int(batch_size)


def conclude(comparisons: Sequence[Comparison]) -> None:
    """Print how many targets were met, and exit with 1 if a contestant failed."""
    verdicts = [verdict for comparison in comparisons for verdict in comparison.verdicts]
    if verdicts:
        print(f"{sum(verdict.met for verdict in verdicts)} of {len(verdicts)} targets met")
    if any(comparison.failures for comparison in comparisons):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

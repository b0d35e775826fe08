"""Compares mlpkit with its peers on this machine.

    python benchmarks/compare.py [--workload NAME ...] [--runs 7] [--json FILE] [--plot FOLDER] [--only PEER ...]

Every measurement is a process of its own. In each round every contestant has one, in turn, so that other load on the
machine affects all. A figure is the median over the rounds; a ratio is that of the peer's figure to ours within each
round, its median over the rounds, with its lowest and highest value: above 1, mlpkit is ahead. Beside a step stands the
limit, the step's matrix products alone on the best number of BLAS threads; its share of our time would be 1 if
everything else were free.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import Bench, say
from contestants.roster import PREDICTORS
from machine import heading, machine
from processes import workspace
from report import plain, table
from targets import SHAPES
from workloads.activations import activations
from workloads.fast import accurate, fast
from workloads.job import job
from workloads.lenet import lenet
from workloads.memory import memory
from workloads.predict import predict
from workloads.scaling import scaling
from workloads.start import start
from workloads.steps import adam_step, sgd_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comparison import Comparison

WORKLOADS = {
    "sgd_step": sgd_step,
    "adam_step": adam_step,
    "activations": activations,
    "lenet": lenet,
    "start": start,
    "memory": memory,
    "predict": predict,
    "job": job,
    "fast": fast,
    "accurate": accurate,
    "scaling": scaling,
}


def main() -> None:
    """Measure, print the tables, and write the requested files."""
    options = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the workspace and a running process are ended
    about = machine()
    comparisons: list[Comparison] = []
    with workspace() as folder:
        bench = Bench(
            folder=folder,
            cores=about["cores"],
            only=tuple(options.only),
            runs=options.runs,
            seconds=options.seconds,
            warm_up=options.warm_up,
            shapes=tuple(options.shape or SHAPES),
            job_steps=options.steps,
        )
        about["versions"] = {name: text for entry in bench.predictors for name, text in entry.versions().items()}
        print(heading(about), end="")
        print(", ".join(f"{name} {text}" for name, text in about["versions"].items()) or "no peers")
        for name, reason in bench.left_out.items():
            print(f"left out: {name}: {reason}")
        print(flush=True)
        for name in options.workload:
            for comparison in WORKLOADS[name](bench):
                print(table(comparison), flush=True)
                comparisons.append(comparison)
        if options.json is not None:
            report = {"machine": about, "left_out": bench.left_out, "comparisons": plain(comparisons)}
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        if options.plot is not None:
            draw(comparisons, options.plot)
    conclude(comparisons)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), help="default: all")
    parser.add_argument("--runs", type=positive, help="rounds (default: 7; 3 for job and scaling)")
    parser.add_argument("--only", nargs="*", choices=[entry.name for entry in PREDICTORS], help="peers (default: all)")
    parser.add_argument("--shape", nargs="+", type=shape, metavar="H,B", help="shapes of the steps (default: all six)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a process times steps (default: 1.5)")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds it trains before that (default: 0.5)")
    parser.add_argument("--steps", type=positive, default=10_000, help="steps of the job (default: 10000)")
    parser.add_argument("--json", type=Path, help="file for the results as JSON")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="folder for plots (needs mlpkit[plot])")
    options = parser.parse_args()
    if options.only is None:
        options.only = [entry.name for entry in PREDICTORS]
    for name in ("json", "plot"):
        path = getattr(options, name)
        setattr(options, name, path.absolute() if path is not None else None)
    return options


def positive(text: str) -> int:
    """Return a whole number above 0."""
    number = int(text)
    if number < 1:
        msg = f"{number} is not above 0"
        raise argparse.ArgumentTypeError(msg)
    return number


def shape(text: str) -> tuple[int, int]:
    """Return units and examples of a minibatch from a text such as ``50,32``."""
    hidden, _, batch_size = text.partition(",")
    return positive(hidden), positive(batch_size)


def draw(comparisons: Sequence[Comparison], folder: Path) -> None:
    """Draw plots into a folder."""
    from plots import draw_plots  # noqa: PLC0415 - matplotlib is an extra

    for path in draw_plots(comparisons, folder):
        say(f"wrote {path}")


def conclude(comparisons: Sequence[Comparison]) -> None:
    """Print how many targets were met, and exit with 1 if a contestant failed."""
    verdicts: list[Any] = [verdict for comparison in comparisons for verdict in comparison.verdicts]
    if verdicts:
        print(f"{sum(verdict.met for verdict in verdicts)} of {len(verdicts)} targets met")
    if any(comparison.failures for comparison in comparisons):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

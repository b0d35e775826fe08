"""Ways to train the same runs, timed in turns and compared with the first of them."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from machine import heading, machine

from mlpkit.verbs.runs.compare import result_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Prepared = tuple[Callable[[], object], Iterable[Path]]
    """What to time, and the run folders that it fills."""

    Way = Callable[[Path], Prepared]
    """Prepares the runs in a folder."""


def timed(train: Callable[[], object]) -> dict[str, float]:
    """Return the seconds that a call takes, and those of all processors together."""
    before, began = os.times(), time.perf_counter()
    train()
    seconds, after = time.perf_counter() - began, os.times()
    return {"seconds": seconds, "processor_seconds": sum(after[:4]) - sum(before[:4])}


def compared(ways: Mapping[str, Way], rounds: int, other_bits: str | None = None) -> dict[str, Any]:
    """Time every way in turns; return the medians, and whether results have the bits of the first way's.

    Args:
        ways: the ways by name.
        rounds: turns of each.
        other_bits: a way whose results may differ.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    hashes: dict[str, Any] = {}
    for number in range(rounds):
        for name in ways if number % 2 else reversed(ways):
            with TemporaryDirectory(dir=Path.cwd()) as folder:
                train, runs = ways[name](Path(folder))
                found[name].append(timed(train))
                hashes[name] = [result_hashes(directory) for directory in runs]
    medians = {
        name: {key: statistics.median(each[key] for each in times) for key in times[0]} for name, times in found.items()
    }
    first = hashes[next(iter(ways))]
    return {"ways": medians, "same_bits": all(hashes[name] == first for name in ways if name != other_bits)}


def options_of(description: str | None, of: str, runs: int, seconds: float) -> argparse.ArgumentParser:
    """Return the options that all comparisons have.

    Args:
        description: what the script does.
        of: what is trained: seeds, say.
        runs: how many of them.
        seconds: how long the steps of a run take.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(f"--{of}", dest="runs", type=int, default=runs)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--shape", action="append", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--json", action="store_true")
    return parser


def report(of: str, options: argparse.Namespace, shapes: Iterable[Mapping[str, Any]]) -> int:
    """Print each shape's comparison, and return 1 if bits differ.

    Args:
        of: what is trained.
        options: what ``options_of`` read.
        shapes: what ``compared`` returned for each shape, with ``hidden``, ``batch_size`` and ``steps``.
    """
    about = machine()
    found = [*shapes]
    if options.json:
        print(json.dumps({"machine": about, of: options.runs, "shapes": found}))
    else:
        print(heading(about))
        for shape in found:
            print(f"({shape['hidden']}, {shape['batch_size']}), {options.runs} {of} of {shape['steps']} steps")
            _print_table(shape["ways"])
            print(f"  results {'the same' if shape['same_bits'] else 'DIFFERENT'}")
    return int(not all(shape["same_bits"] for shape in found))


def _print_table(ways: Mapping[str, Mapping[str, float]]) -> None:
    """Print the times of each way, and their ratios to the first one's."""
    first = next(iter(ways.values()))
    print(f"  {'':14}{'seconds':>9}{'ratio':>7}{'processor seconds':>19}{'ratio':>7}")
    for name, times in ways.items():
        columns = [(times[key], times[key] / first[key]) for key in ("seconds", "processor_seconds")]
        (seconds, ratio), (processors, ratio_of_processors) = columns
        print(f"  {name:14}{seconds:9.2f}{ratio:7.2f}{processors:19.2f}{ratio_of_processors:7.2f}")

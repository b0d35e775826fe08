"""Compares mlpkit's networks for tables with others and with trees, on fixed splits: test errors, times, sizes.

Run it as ``python benchmarks/tables.py FOLDER --out results.jsonl``. FOLDER has a folder for each table, with
train.csv.gz, validation.csv.gz, test.csv.gz, and table.json, which says ``task`` (classes or values), ``target`` and
``categorical``. An error is the percentage of wrong classes, or the root of the mean squared error, on the test rows.
For each table and seed the contestants take turns, each fit in a process of its own, on ``--threads`` threads. The file
gets a line of JSON for each fit, and what it has already is left out, so that the command may be stopped and run again.
``--show`` prints the file as tables, and whether errors agree.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from processes import ContestError, finished
from rounds import timed
from table_contestants.comparison import comparison
from table_contestants.roster import CONTESTANTS


def main() -> None:
    """Fit what is missing in the file, or show it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results.jsonl"), help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="default: all in the folder")
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="threads of a fit (default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="print the file as tables")
    parser.add_argument("--one", nargs=3, metavar=("TABLE", "NAME", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, contestant, seed = options.one
        print(json.dumps(measured(options.folder / name, contestant, int(seed), options.threads)))
        return
    if options.show:
        print(comparison(known(options.out)))
        return
    failed = False
    for name in options.tables or sorted(path.parent.name for path in options.folder.glob("*/table.json")):
        for seed in range(options.seeds):
            for contestant in options.contestants:
                failed |= fit_once(options, name, contestant, seed)
    sys.exit(failed)


def known(file: Path) -> list[dict[str, Any]]:
    """Return what the file has, a fit each."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def fit_once(options: argparse.Namespace, name: str, contestant: str, seed: int) -> bool:
    """Fit in a process of its own and append the result, unless the file has it; return whether that failed."""
    what = {"table": name, "contestant": contestant, "seed": seed, "threads": options.threads}
    if any(what.items() <= fit.items() for fit in known(options.out)):
        return False
    one = ["--threads", str(options.threads), "--one", name, contestant, str(seed)]
    command = [sys.executable, __file__, str(options.folder), *one]
    try:
        line = finished(command, threads=options.threads, longest=None).stdout.splitlines()[-1]
    except ContestError as error:
        print(f"{name} {contestant} {seed} failed: {error}", flush=True)
        return True
    with options.out.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    fit = json.loads(line)
    print(f"{name:12} {contestant:24} {seed}  {fit['error']:9.4f} {fit['seconds']:8.1f} s", flush=True)
    return False


def measured(folder: Path, contestant: str, seed: int, threads: int) -> dict[str, Any]:
    """Return the test error of a fit, its seconds by the processor and by the clock, and its size in bytes."""
    from table_contestants.real_table import Fitted, RealTable  # noqa: PLC0415 - pandas is only needed to fit

    table = RealTable(folder)
    table.frames  # noqa: B018 - reading the files isn't part of anybody's fit
    fit = CONTESTANTS[contestant].ready()
    fitted: list[Fitted] = []
    seconds = timed(lambda: fitted.append(fit(table, seed=seed, threads=threads)))
    error = table.error(fitted[0].predict())
    what = {"table": table.name, "contestant": contestant, "seed": seed, "threads": threads}
    return {**what, "error": error, **seconds, "bytes": fitted[0].size()}


if __name__ == "__main__":
    main()

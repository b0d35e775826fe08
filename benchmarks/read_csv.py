"""Times reading a table from a CSV file, beside pyarrow.

    python benchmarks/read_csv.py [--rows 100000] [--rounds 9] [--json]

The file has 22 columns: 18 of numbers, of which six have all digits of a float64 and six are whole, and some are
missing; two of categories, one of texts in quotes, and classes. mlpkit reads it as the data set ``csv`` does, up to the
arrays that are encoded: the file's checksum, its numbers in float64, and codes of its texts. pyarrow reads it into its
own arrays, on all cores and on one. The three take turns, and the numbers of both must have the same bits.

Ratios are pyarrow's time divided by mlpkit's in the same round; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv
from machine import heading, machine

from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NUMBERS = 18
MISSING = 0.02
CITIES = ("Oslo", "Bergen", "Trondheim", "Stavanger", "Tromsø", "Bodø", "Ålesund", "Molde")
NOTES = ('"none"', '"late, but complete"', '"said ""later"""', '"by post"')
WIDTHS = {"clock": 8, "processors": 18}
"""What is measured, and the width of its column."""
ASKED = 0.5
"""The ratio to pyarrow on all cores."""


def write_table(path: Path, rows: int) -> None:
    """Write the table that is read."""
    rng = np.random.default_rng(0)
    columns: list[list[str]] = []
    for index in range(NUMBERS):
        values = rng.normal(size=rows)
        texts = (
            list(map("{:.5f}".format, values.tolist())),
            list(map(repr, values.tolist())),
            list(map(str, (1000 * values).astype(int).tolist())),
        )[index % 3]
        for position in np.flatnonzero(rng.random(rows) < MISSING).tolist():
            texts[position] = ""
        columns.append(texts)
    columns.append(rng.choice(CITIES, rows).tolist())
    columns.append([f"group {number}" for number in rng.integers(100, size=rows).tolist()])
    columns.append(rng.choice(NOTES, rows, p=(0.7, 0.1, 0.1, 0.1)).tolist())
    columns.append(rng.choice(("yes", "no"), rows).tolist())
    header = [*(f"x{index}" for index in range(NUMBERS)), "city", "group", "note", "bought"]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(header) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))


def read_by_mlpkit(path: Path) -> Table:
    """Read the table as the data set does."""
    data = Csv(file=str(path), target="bought", categorical=("city", "group", "note"), missing="fill")
    source = data.source(path, str(path))
    return Table(source, data.columns(source, None), missing=data.missing, missing_texts=data.missing_texts)


def read_by_pyarrow(path: Path, *, on_all_cores: bool = True) -> Any:
    """Read the table with pyarrow."""
    return pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(use_threads=on_all_cores))


READERS: dict[str, Callable[[Path], Any]] = {
    "mlpkit": read_by_mlpkit,
    "pyarrow": read_by_pyarrow,
    "pyarrow, one core": lambda path: read_by_pyarrow(path, on_all_cores=False),
}


def expect_same_numbers(path: Path) -> None:
    """Make sure that mlpkit and pyarrow read the same numbers, to the bit."""
    ours, theirs = read_by_mlpkit(path), read_by_pyarrow(path)
    for name in ours.columns.numbers:
        column = theirs[name].to_numpy().astype(np.float64)
        present = ~np.isnan(column)
        if not np.array_equal(ours.number(name)[present].view(np.uint64), column[present].view(np.uint64)):
            raise SystemExit(f"the numbers of {name} differ")


def timed(read: Callable[[Path], Any], path: Path) -> dict[str, float]:
    """Return the milliseconds that reading takes, by the clock and of all processors together."""
    before, began = time.process_time(), time.perf_counter()
    read(path)
    clock, processors = time.perf_counter() - began, time.process_time() - before
    return {"clock": 1000 * clock, "processors": 1000 * processors}


def median_of(times: Sequence[Mapping[str, float]], key: str) -> float:
    """Return the median of the rounds."""
    return statistics.median(each[key] for each in times)


def ratio_to(theirs: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of the rounds' ratios."""
    pairs = list(zip(theirs, ours, strict=True))
    return {key: statistics.median(their[key] / our[key] for their, our in pairs) for key in WIDTHS}


def main(arguments: list[str]) -> int:
    """Time the readers in turns, print the medians, and return 1 if mlpkit takes longer than asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    about = machine()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, options.rows)
        expect_same_numbers(path)
        size = path.stat().st_size
        found: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
        for number in range(options.rounds):
            for name in READERS if number % 2 else reversed(READERS):
                found[name].append(timed(READERS[name], path))
    ratios = {name: ratio_to(times, found["mlpkit"]) for name, times in found.items()}
    if options.json:
        print(json.dumps({"machine": about, "rows": options.rows, "bytes": size, "ms": found, "ratios": ratios}))
    else:
        print(heading(about))
        print(f"{options.rows:,} rows of {NUMBERS + 4} columns, {size / 1e6:.1f} MB")
        print(f"{'':18}{'ms':>8}{'ratio':>7}{'ms of processors':>18}{'ratio':>7}")
        for name, ratio in ratios.items():
            columns = (f"{median_of(found[name], key):{width}.1f}{ratio[key]:7.2f}" for key, width in WIDTHS.items())
            print(f"{name:18}" + "".join(columns))
        print(f"ratio to pyarrow at least {ASKED}: {'met' if ratios['pyarrow']['clock'] >= ASKED else 'MISSED'}")
    return int(ratios["pyarrow"]["clock"] < ASKED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Times reading a table from a CSV file, against pyarrow.

    python benchmarks/read_csv.py [--rows 100000] [--rounds 9] [--json]

The file has 22 columns: 18 of numbers, six with all digits of a float64 and six with whole numbers, some of them
missing; two of categories, one of texts in quotes, and classes. mlpkit reads it as the data set ``csv`` does, up to the
arrays that are encoded: the file's checksum, its numbers in float64, and codes of its texts. pyarrow reads it into its
own arrays, on all cores and on one. The three take turns, and the numbers of both must have the same bits.

Ratios are pyarrow's time divided by mlpkit's in the same round; the median of the rounds counts.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv
from report import parser_of, print_report
from rounds import interleaved, ratio, timed

from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = 18
MISSING = 0.02
CITIES = ("Oslo", "Bergen", "Trondheim", "Stavanger", "Tromsø", "Bodø", "Ålesund", "Molde")
NOTES = ('"none"', '"late, but complete"', '"said ""later"""', '"by post"')
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


def main() -> int:
    """Time the readers in turns, print the medians, and return 1 if mlpkit takes longer than asked."""
    parser = parser_of(__doc__, rounds=9)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, options.rows)
        expect_same_numbers(path)
        ways = {name: partial(timed, partial(read, path)) for name, read in READERS.items()}
        found = interleaved(ways, options.rounds)
    ratios = {}
    lines = [f"{options.rows:,} rows of {NUMBERS + 4} columns"]
    for name, rounds in found.items():
        times = {key: [each[key] for each in rounds] for key in rounds[0]}
        ratios[name] = {key: ratio(times[key], [each[key] for each in found["mlpkit"]]).median for key in times}
        columns = (f"{1000 * median(times[key]):8.1f} ms {key:<18} {ratios[name][key]:5.2f}" for key in times)
        lines.append(f"{name:18}" + "   ".join(columns))
    met = ratios["pyarrow"]["seconds"] >= ASKED
    lines.append(f"ratio to pyarrow at least {ASKED}: {'met' if met else 'MISSED'}")
    print_report(options, {"rows": options.rows, "times": found, "ratios": ratios}, lines)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())

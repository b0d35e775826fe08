"""What rounding weights to eight bits costs and saves in a C file: results on the test split, bytes, and time.

Each spec is trained as it stands. Tables are folders with ``train.csv.gz``, ``test.csv.gz`` and ``table.json``, which
names the target; each is trained with the spec that ``mlpkit init --data`` writes. Times are the processor's, of a row
at a time on one thread, both files in turns.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from c_file import MLPKIT_CALL, ROUNDS, ROWS, TIMED, compiled
from machine import heading, machine

import mlpkit
from mlpkit.graph.model_graph import bare_network
from mlpkit.graph.quantization import with_int8_weights
from mlpkit_plugins.exporters.c_file import CFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit import Export, Sequential
    from mlpkit.graph import ModelGraph

SPECS: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
FLASH: Final = re.compile(r"Flash, without code: ([\d,]+) bytes")


def main() -> None:
    """Print a row for each spec and table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", action="append", help="a shipped spec; by default three of MNIST")
    parser.add_argument("--table", action="append", default=[], type=Path, help="the folder of a table")
    parser.add_argument("--set", action="append", default=[], help="as of mlpkit run, for specs")
    arguments = parser.parse_args()
    print(heading(machine()))
    print(f"{'':14} {'metric':>9} {'float32':>8} {'int8':>8} {'relabelled':>15} {'float32':>9} {'int8':>9} {'time':>5}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for spec in arguments.spec or SPECS:
            print(row(spec, Path("specs") / f"{spec}.yaml", folder, arguments.set), flush=True)
        for table in arguments.table:
            print(row(table.name, spec_of_table(table, folder), folder, []), flush=True)


def spec_of_table(table: Path, folder: Path) -> Path:
    """Return the spec that ``mlpkit init`` writes for a table."""
    for name, part in ((f"{table.name}.csv", "train"), (f"{table.name}_test.csv", "test")):
        (folder / name).write_bytes(gzip.decompress((table / f"{part}.csv.gz").read_bytes()))
    target = json.loads((table / "table.json").read_text("utf-8"))["target"]
    options = ["--data", f"{table.name}.csv", "--target", target, "--test", f"{table.name}_test.csv"]
    subprocess.run([sys.executable, "-m", "mlpkit", "init", *options], cwd=folder, check=True, capture_output=True)
    return folder / f"{table.name}.yaml"


def row(name: str, spec: Path, folder: Path, changes: list[str]) -> str:
    """Train, export both ways, and return a row: a metric, labels, bytes and the ratio of times."""
    run = folder / name
    loaded = mlpkit.load_spec(spec, overrides=changes)
    network = mlpkit.run(loaded, directory=run, quiet=True).network
    x = np.resize(mlpkit.load_data(loaded, "test")[0], (ROWS, *network.input_shape))
    mlpkit.export(run, folder / "exact.c")
    rounded = mlpkit.export(run, folder / "rounded.c", quantize="int8")
    sizes = [flash(folder / f"{each}.c") for each in ("exact", "rounded")]
    return f"{name:14} {results(rounded)} {sizes[0]:9,} {sizes[1]:9,} {slowdown(network, x, folder):5.2f}"


def results(found: Export) -> str:
    """Return a metric before and after, and how many rows have another label."""
    rounding = found.rounding
    assert rounding is not None
    assert found.exact == found.rows
    metric = next((name for name in ("accuracy", "r2") if name in rounding.before), "loss")
    relabelled = "" if rounding.relabelled is None else f"{rounding.relabelled} of {rounding.rows}"
    return f"{metric:>9} {rounding.before[metric]:8.4f} {rounding.after[metric]:8.4f} {relabelled:>15}"


def flash(file: Path) -> int:
    """Return the bytes of constants that a file gives in its first comment."""
    found = FLASH.search(file.read_text("ascii"))
    assert found is not None
    return int(found[1].replace(",", ""))


def slowdown(network: Sequential, x: NDArray[Any], folder: Path) -> float:
    """Return the time of a row with rounded weights, divided by that with exact ones."""
    (folder / "rows").write_bytes(x.tobytes())
    models = {
        "exact": bare_network(network, {}),
        "rounded": replace(bare_network(with_int8_weights(network)[0], {}), quantized=True),
    }
    timers = {name: timer(name, model, x[0].size, folder) for name, model in models.items()}
    return statistics.median(timers["rounded"]() / timers["exact"]() for _ in range(ROUNDS))


def timer(name: str, model: ModelGraph, features: int, folder: Path) -> Callable[[], float]:
    """Return what times a network as a C file."""
    CFile().write(model, folder / "model.c")
    call = MLPKIT_CALL.replace("out.prediction[0]", "*(float *)&out")  # which is no array if there is one
    program = TIMED.format(rows=ROWS, features=features, call=call)
    return compiled(name, (folder / "model.c").read_text("ascii"), program, [], folder)[0]


if __name__ == "__main__":
    main()

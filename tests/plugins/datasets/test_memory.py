"""Data sets that would not fit into the memory that a process may have: real processes, with a limit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from requirements import Optional

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux reports the size of a process"
)

MEGABYTE = 2**20
CHILD = """\
import resource, sys
from pathlib import Path
import mlpkit

def train(path):
    return mlpkit.run(mlpkit.load_spec(path))

train("small.yaml")  # all code is loaded, and the network has its memory
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(train("large.yaml").metrics["train"]["loss"], limit)
"""
PEAKS = """\
import re
from pathlib import Path
import mlpkit

def peak():  # ru_maxrss would begin with what the process had that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

def train(path):
    return mlpkit.run(mlpkit.load_spec(path)).metrics["train"]["loss"]

train("small.yaml")  # all code is loaded, and the network has its memory
base = peak()
print(train("large.yaml"), peak() - base)
"""
SPEC = """\
mlpkit: 1
data: {data}
layers:
  - Affine: {{units: 16}}
  - Relu
  - Affine: {{units: 2}}
  - SoftmaxWithLoss
training:
  optimizer: {{sgd: {{learning_rate: 0.1}}}}
  batch_size: 100
  {length}
  slices: 1
  threads: 1
"""


@pytest.fixture
def train(tmp_path):
    """Return a function that lets a process of its own train on a small and on a large data set."""

    def run(code, small, large, *arguments, length="iterations: 20"):
        for name, data in (("small", small), ("large", large)):
            (tmp_path / f"{name}.yaml").write_text(SPEC.format(data=data, length=length))
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def train_within(train):
    """Return a function that does so with a limit in bytes for the large one."""
    return lambda small, large, allowed, **length: train(CHILD, small, large, str(allowed), **length)


@pytest.fixture
def peak_of_training(train):
    """Return a function that returns by how many bytes the large data set takes the most memory ever in use further."""

    def run(small, large):
        done = train(PEAKS, small, large)
        assert done.returncode == 0, done.stderr
        loss, grown = map(float, done.stdout.split())
        assert loss < 0.7
        print(f"{grown / MEGABYTE:.1f} MiB")  # noqa: T201 - the figures of docs/performance.md
        return grown

    return run


def write_table(path, rows, columns):
    """Write random numbers and the sign of the first as a class; return the size of the file."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join([*(f"x{i}" for i in range(columns)), "sign"]) + "\n")
        for begin in range(0, rows, 10_000):
            block = rng.normal(size=(min(10_000, rows - begin), columns))
            text = "\n".join(
                f"{','.join(map('{:.5f}'.format, row))},{'minus' if row[0] < 0 else 'plus'}" for row in block.tolist()
            )
            file.write(text + "\n")
    return path.stat().st_size


def write_parquet(path, rows, columns):
    """Write a Parquet file, all rows in one row group."""
    rng = np.random.default_rng(0)
    schema = pa.schema([*((f"x{i}", pa.float64()) for i in range(columns)), ("sign", pa.string())])
    x = rng.normal(size=(columns, rows)).astype(np.float32)  # of which compression takes half
    signs = np.where(x[0] < 0, "minus", "plus")
    pq.write_table(pa.table([*(pa.array(values.astype(float)) for values in x), pa.array(signs)], schema), path)
    return path.stat().st_size


@pytest.mark.parametrize(("kind", "write"), [("csv", write_table), ("parquet", write_parquet)])
@pytest.mark.parametrize(
    ("rows", "columns", "used"), [(60_000, 60, 4), pytest.param(1_000_000, 30, 10, marks=pytest.mark.long)]
)
def test_a_table_takes_the_memory_of_the_columns_that_are_used(
    tmp_path, peak_of_training, kind, write, rows, columns, used
):
    for name, length in (("small", 500), ("large", rows)):
        write(tmp_path / f"{name}.{kind}", length, columns)

    def grown(inputs):
        names = ", ".join(f"x{i}" for i in range(inputs))
        data = f"{{{kind}: {{file: %s.{kind}, target: sign, inputs: [{names}]}}}}"
        return peak_of_training(data % "small", data % "large")

    of_columns = rows * (8 * used + 4)
    split_and_order = rows * (8 + 8 + 8)  # the rows of each split, their keys, and the order of an epoch
    pages = 3 * MEGABYTE * (used + 1) if kind == "parquet" else 0  # of each column, packed and unpacked, and its texts
    allowed = of_columns + split_and_order + pages + 9 * MEGABYTE
    assert grown(used) < allowed < grown(columns)


@pytest.mark.parametrize(
    ("rows", "columns", "used"), [(60_000, 60, 4), pytest.param(1_000_000, 30, 10, marks=pytest.mark.long)]
)
def test_a_csv_file_trains_within_the_memory_of_the_columns_that_are_used(tmp_path, train_within, rows, columns, used):
    write_table(tmp_path / "small.csv", 500, columns)
    size = write_table(tmp_path / "large.csv", rows, columns)
    inputs = [f"x{i}" for i in range(used)]
    data = f"{{csv: {{file: %s.csv, target: sign, inputs: [{', '.join(inputs)}]}}}}"
    of_columns = rows * (8 * used + 4)
    split_and_order = rows * (8 + 8 + 8)  # the rows of each split, their keys, and the order of an epoch
    allowed = of_columns + split_and_order + 12 * MEGABYTE
    assert allowed < size * 0.7
    done = train_within(data % "small", data % "large", allowed)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) < 0.7
    every_column = rows * 8 * columns
    assert allowed < every_column
    inputs = [f"x{i}" for i in range(columns)]
    data = f"{{csv: {{file: %s.csv, target: sign, inputs: [{', '.join(inputs)}]}}}}"
    done = train_within(data % "small", data % "large", allowed)
    assert "columns of the table don't fit into memory" in done.stderr


@pytest.mark.parametrize(("megabytes", "allowed"), [(96, 24), pytest.param(2000, 64, marks=pytest.mark.long)])
@pytest.mark.parametrize("format_", ["npy", "npz"])
def test_arrays_larger_than_the_memory_of_the_process_train(tmp_path, train_within, megabytes, allowed, format_):
    rng = np.random.default_rng(0)
    for name, rows in (("small", 1000), ("large", megabytes * MEGABYTE // 800)):
        x = np.lib.format.open_memmap(tmp_path / f"{name}_x.npy", mode="w+", dtype=np.float64, shape=(rows, 100))
        t = np.empty(rows, np.uint8)
        for begin in range(0, rows, 10_000):
            part = rng.normal(size=(min(10_000, rows - begin), 100))
            x[begin : begin + len(part)], t[begin : begin + len(part)] = part, part[:, 0] > 0
        np.save(tmp_path / f"{name}_t.npy", t)
        if format_ == "npz":
            np.savez(tmp_path / f"{name}.npz", x=x, t=t)
        del x
    data = "{npz: {file: %s.npz}}" if format_ == "npz" else "{npy: {inputs: %s_x.npy, targets: %s_t.npy}}"
    small, large = (data.replace("%s", name) for name in ("small", "large"))
    done = train_within(small, large, allowed * MEGABYTE, length="epochs: 1")
    assert done.returncode == 0, done.stderr
    loss, limit = map(float, done.stdout.split())
    assert loss < 0.5
    if megabytes > 1000:
        assert limit < megabytes * MEGABYTE / 5

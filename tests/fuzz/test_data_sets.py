"""Files that a spec names as its data: whatever is in them, they are refused in our words, or read as they say."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fuzzing.damage import flipped_bits, mutants, truncations
from fuzzing.watch import Limits, campaign

from mlpkit.training.divergence import without_warnings
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.datasets.npy import Npy
from mlpkit_plugins.datasets.npz import Npz

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit import Dataset

X = np.random.default_rng(0).normal(size=(10, 6)).astype(np.float32)
T = np.arange(10) % 3
ROWS = np.column_stack([X, T])
LIMITS = Limits(memory=4_000_000)
counts = pytest.mark.parametrize(
    "count", [pytest.param(150, id="short"), pytest.param(10_000, id="long", marks=pytest.mark.fuzz)]
)


def written(save: Callable[..., None], *arrays: NDArray[Any], **named: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


NPY = written(np.save, X)
NPZ = written(np.savez, x=X, t=T)
PACKED = written(np.savez_compressed, x=X, t=T)
CSV = "a,b,c,kind,e,f,class\n" + "".join(
    f'{row[0]:.3f},{row[1]:.3f},{row[2]:.3f},"sort {i % 2}",{row[4]:.3f},{row[5]:.3f},{"xyz"[i % 3]}\n'
    for i, row in enumerate(X)
)
NO_SHARES: dict[str, Any] = {"validation": 0, "test": 0}


def npy(path: Path) -> Dataset:
    np.save(path.with_name("t.npy"), T)
    return Npy(str(path), str(path.with_name("t.npy")), **NO_SHARES)


def npz(path: Path) -> Dataset:
    return Npz(str(path), **NO_SHARES)


def csv(path: Path) -> Dataset:
    return Csv(str(path), "class", categorical=("kind",), missing="fill", **NO_SHARES)


FILES = {
    "array.npy": (npy, NPY),
    "stored.npz": (npz, NPZ),
    "packed.npz": (npz, PACKED),
    "table.csv": (csv, CSV.encode()),
}
ARCHIVES = ("stored.npz", "packed.npz")


def reading(dataset: Callable[[Path], Dataset]) -> Callable[[Path], NDArray[Any]]:
    """Return a function that reads all rows of a data set's file, inputs and targets side by side, as training does."""

    def read(path: Path) -> NDArray[Any]:
        found = dataset(path)
        shape = found.describe().input_shape
        split = found.open(0)["train"]
        x, t = np.empty((len(split), *shape), np.float32), np.empty(len(split), np.int64)
        with without_warnings():
            split.take(np.arange(len(split)), (x, t))
        return np.column_stack([x.reshape(len(split), -1), t])

    return read


def same(found: NDArray[Any]) -> bool:
    return np.array_equal(found, ROWS)


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_read(tmp_path: Path, name: str) -> None:
    dataset, content = FILES[name]
    (tmp_path / name).write_bytes(content)
    found = reading(dataset)(tmp_path / name)
    assert found.shape == (10, 8) if name == "table.csv" else same(found)


@pytest.mark.parametrize("name", FILES)
def test_every_truncation(tmp_path: Path, name: str) -> None:
    """A table cut off at the end of a value can't be distinguished from a shorter one."""
    dataset, content = FILES[name]
    accept = (lambda found: len(found) <= 10) if name == "table.csv" else lambda found: False
    report = campaign(reading(dataset), truncations(content), tmp_path / name, may_accept=accept, limits=LIMITS)
    assert report.accepted <= (40 if name == "table.csv" else 0)


@pytest.mark.parametrize("every", [pytest.param(7, id="short"), pytest.param(1, id="long", marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_flipped_bit_of_an_archive_changes_nothing(tmp_path: Path, name: str, every: int) -> None:
    dataset, content = FILES[name]
    flipped = list(flipped_bits(content))[::every]
    campaign(reading(dataset), flipped, tmp_path / name, may_accept=same, limits=LIMITS)


@pytest.mark.parametrize("every", [pytest.param(7, id="short"), pytest.param(1, id="long", marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("name", ["array.npy", "table.csv"])
def test_a_flipped_bit_of_a_file_without_a_checksum_does_no_harm(tmp_path: Path, name: str, every: int) -> None:
    dataset, content = FILES[name]
    flipped = list(flipped_bits(content))[::every]
    campaign(reading(dataset), flipped, tmp_path / name, may_accept=lambda found: len(found) <= 10, limits=LIMITS)


@counts
@pytest.mark.parametrize("name", FILES)
def test_mutants(tmp_path: Path, name: str, count: int) -> None:
    print("seed 10")  # noqa: T201 - to repeat a failure
    dataset, content = FILES[name]
    accept = same if name in ARCHIVES else lambda found: len(found) <= 10_000
    changed = mutants(content, random.Random(10), count)
    campaign(reading(dataset), changed, tmp_path / name, may_accept=accept, limits=LIMITS)


WIDE = 50_000
TABLES = {
    "many columns": (",".join(map("c{}".format, range(WIDE))) + ",class\n" + ("1," * WIDE + "a\n") * 2, {}),
    "many columns without a name": ("," * WIDE + "class\n" + "," * WIDE + "a\n", {}),
    "many columns of one name": ("x," * WIDE + "class\n", {}),
    "a misspelt target among many": (",".join(map("column{}".format, range(WIDE))) + "\n1\n", {"target": "colum"}),
    "many classes": ("a,class\n" + "".join(map("1,c{}\n".format, range(WIDE))), {}),
    "many categories": ("a,class\n" + "".join(map("c{},x\n".format, range(WIDE))), {"categorical": ("a",)}),
    "many categories in the spec": (
        ",".join(map("c{}".format, range(WIDE))) + ",class\n",
        {"categorical": tuple(map("c{}".format, range(9_000)))},
    ),
    "a long value": ('class,a\n"' + "x" * 1_000_000 + '",1\n', {}),
    "a quote that is not closed": ('class,a\n"' + "x\n" * 500_000, {}),
    "empty lines": ("a,class\n" + "\n" * 500_000, {}),
    "a long number": ("a,class\n" + "9" * 100_000 + ",x\n", {}),
    "blanks": ("a,class\n" + (" " * 100_000 + "1,x\n") * 5, {}),
}


@pytest.mark.parametrize("bomb", TABLES)
def test_a_table_made_to_cost_time_is_refused_soon(tmp_path: Path, bomb: str) -> None:
    content, options = TABLES[bomb]

    def described(path: Path) -> Any:
        return Csv(str(path), options.get("target", "class"), categorical=options.get("categorical", ())).describe()

    campaign(described, [content.encode()], tmp_path / "x.csv", names_file=False)

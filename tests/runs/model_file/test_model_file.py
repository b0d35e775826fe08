"""A model file gives back what was saved, and the same model has the same bytes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from safetensors.numpy import load_file, save

from mlpkit.errors import StorageError
from mlpkit.runs.model_file import LARGEST_HEADER, NUMPY_DTYPES, load_model_file, require_storable, save_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Say whether two arrays have the same dtype, shape and bits."""
    b = np.asarray(b, b.dtype.newbyteorder("="))
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def test_what_was_saved_is_loaded(path: Path, small_model: Any) -> None:
    arrays, metadata = small_model
    save_model(path, arrays, metadata)
    loaded = load_model_file(path)
    assert loaded.metadata == metadata
    assert loaded.arrays.keys() == arrays.keys()
    assert all(same(loaded.arrays[name], array) for name, array in arrays.items())


LAYOUTS: dict[str, Any] = {
    "as it is": lambda x: x,
    "Fortran order": lambda x: np.asarray(x, order="F"),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: x[::-1] if x.ndim else x,
    "transposed": lambda x: x.T,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}
ARRAYS = st.sampled_from([np.float32, np.float64, np.int64]).flatmap(
    lambda dtype: stn.arrays(dtype, stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__")


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(NAMES, st.tuples(ARRAYS, st.sampled_from(list(LAYOUTS))), max_size=4), st.text())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, chosen: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.safetensors"
    arrays = {name: LAYOUTS[layout](array) for name, (array, layout) in chosen.items()}
    save_model(path, arrays, {"text": text})
    loaded = load_model_file(path)
    assert loaded.metadata == {"text": text}
    assert loaded.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert same(loaded.arrays[name], array)
        assert loaded.arrays[name].flags.writeable
        assert loaded.arrays[name].flags.aligned
    other = load_file(path)
    assert all(same(other[name], array) for name, array in arrays.items())


@pytest.mark.parametrize("dtype", NUMPY_DTYPES.values())
def test_every_dtype_comes_back(path: Path, dtype: str) -> None:
    array = np.arange(5).astype(dtype)
    save_model(path, {"x": array}, {})
    assert same(load_model_file(path).arrays["x"], array)


def test_bits_are_kept(path: Path) -> None:
    array = np.array([-0.0, np.nan, -np.nan, np.inf, 5e-324])
    save_model(path, {"x": array}, {"pi": 0.1 + 0.2, "negative zero": -0.0})
    loaded = load_model_file(path)
    assert same(loaded.arrays["x"], array)
    assert repr(loaded.metadata["pi"]) == "0.30000000000000004"
    assert repr(loaded.metadata["negative zero"]) == "-0.0"


def test_arrays_are_writable_and_apart_from_each_other(path: Path, saved: bytes) -> None:
    arrays = load_model_file(path).arrays
    before = {name: array.copy() for name, array in arrays.items()}
    arrays["Affine1.W"][...] = 9
    assert all(same(arrays[name], before[name]) for name in arrays if name != "Affine1.W")
    assert path.read_bytes() == saved


def test_a_model_without_arrays_and_metadata(path: Path) -> None:
    save_model(path, {}, {})
    loaded = load_model_file(path)
    assert (loaded.arrays, loaded.metadata) == ({}, {})


def test_names_and_texts_that_look_like_the_checksum_do_no_harm(path: Path) -> None:
    zeros = "0" * 64
    names = [zeros, f'"mlpkit":"{{\\"sha256\\":\\"{zeros}\\"}}"', "mlpkit", '{"format":1}']
    metadata = {"sha256": zeros, "format": 9, "zzz": f'"sha256":"{zeros}"}}', "metadata": {}}
    save_model(path, {name: np.ones(1) for name in names}, metadata)
    loaded = load_model_file(path)
    assert loaded.metadata == metadata
    assert loaded.arrays.keys() == set(names)


def test_neither_the_save_nor_the_order_changes_a_byte(path: Path, saved: bytes, small_model: Any) -> None:
    arrays, metadata = small_model
    shuffle = random.Random(0)
    for _ in range(200):
        names, keys = list(arrays), list(metadata)
        shuffle.shuffle(names)
        shuffle.shuffle(keys)
        save_model(path, {name: arrays[name] for name in names}, {key: metadata[key] for key in keys})
        assert path.read_bytes() == saved


def test_neither_strides_nor_byte_order_change_a_byte(path: Path, saved: bytes, small_model: Any) -> None:
    arrays, metadata = small_model
    for layout in ("Fortran order", "strided", "big-endian"):
        save_model(path, {name: LAYOUTS[layout](array) for name, array in arrays.items()}, metadata)
        assert path.read_bytes() == saved


PROGRAM = """
import pathlib, sys
import numpy as np
from mlpkit.runs.model_file import save_model
names = {"Affine%d.W" % i for i in range(20)}
save_model(pathlib.Path(sys.argv[1]), {n: np.full(3, len(n), np.float32) for n in names}, {n: 1 for n in names})
"""


def test_another_process_writes_the_same_bytes(path: Path) -> None:
    written = set()
    for seed in "0", "1", "2":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", PROGRAM, str(path)], env=environment, check=True)
        written.add(path.read_bytes())
    assert len(written) == 1


def test_the_checksum_is_the_sha256_of_the_file_with_its_digits_zeroed(path: Path, saved: bytes) -> None:
    digits = load_model_file(path).sha256
    assert saved.count(digits.encode()) == 1
    assert hashlib.sha256(saved.replace(digits.encode(), b"0" * 64)).hexdigest() == digits


def test_the_layout_is_the_agreed_one(path: Path) -> None:
    save_model(path, {"b": np.zeros(1, np.float32)}, {"z": (1, None), "a": 0.5})
    content = path.read_bytes()
    digits = load_model_file(path).sha256
    text = f'{{"format":1,"metadata":{{"a":0.5,"z":[1,null]}},"sha256":"{digits}"}}'
    header = {
        "__metadata__": {"mlpkit": text},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    assert json.loads(content[8:-4]) == header


def test_another_weight_another_checksum(path: Path, small_model: Any) -> None:
    arrays, metadata = small_model
    save_model(path, arrays, metadata)
    first = load_model_file(path).sha256
    arrays["Affine1.b"][3] = 1e-30
    save_model(path, arrays, metadata)
    assert load_model_file(path).sha256 != first


@pytest.mark.parametrize(
    ("arrays", "metadata", "message"),
    [
        ({"x": np.zeros(1, complex)}, {}, "array 'x' has the dtype complex128; expected booleans, or integers"),
        ({"x": np.array(["a"])}, {}, "array 'x' has the dtype <U1; expected booleans, or integers"),
        ({"x": np.array([None])}, {}, "array 'x' has the dtype object; expected booleans, or integers"),
        ({"x": np.zeros(1, "f4,i4")}, {}, "array 'x' has the dtype [('f0', '<f4'), ('f1', '<i4')]; expected"),
        ({"__metadata__": np.zeros(1)}, {}, "no array can have the name '__metadata__'; give it another"),
        ({"\ud800": np.zeros(1)}, {}, "no array can have the name '\\ud800'; give it another"),
        ({1: np.zeros(1)}, {}, "no array can have the name 1; give it another"),
        ({}, {"loss": float("nan")}, "metadata.loss is nan, and JSON has only finite numbers"),
        ({}, {"x": np.zeros(1)}, "metadata.x is of type ndarray; expected plain data"),
        ({}, {1: 2}, "metadata has the key 1; expected only strings as keys"),
        ({}, {"x": "x" * LARGEST_HEADER}, "names and metadata take"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(
    path: Path, saved: bytes, arrays: Any, metadata: Any, message: str
) -> None:
    with pytest.raises(StorageError) as raised:
        save_model(path, arrays, metadata)
    assert str(raised.value).startswith(f"{path}: can't be written: {message}")
    assert path.read_bytes() == saved


@pytest.mark.parametrize("check", [save_model, require_storable])
def test_what_could_not_be_read_again_is_not_written(path: Path, saved: bytes, check: Any) -> None:
    arrays = {str(i): np.zeros((1, 1), np.float32) for i in range(25_100)}
    with pytest.raises(
        StorageError, match=r"can't be written: 25,100 arrays, with their metadata, are too many: it has"
    ):
        check(path, arrays, {})
    assert path.read_bytes() == saved
    fewer = dict(list(arrays.items())[:24_900])
    require_storable(path, fewer, {})
    save_model(path, fewer, {})
    assert load_model_file(path).arrays.keys() == fewer.keys()


def test_the_bytes_are_those_of_the_safetensors_package(path: Path, small_model: Any) -> None:
    arrays, metadata = small_model
    arrays = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    save_model(path, arrays, metadata)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    texts = json.loads(content[8 : 8 + length])["__metadata__"]
    assert save(arrays, texts) == content


@pytest.mark.parametrize("function", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["ENOSPC", "Ctrl+C"]
)
def test_a_failed_save_leaves_the_earlier_model(
    path: Path, saved: bytes, failing: Any, function: str, failure: BaseException
) -> None:
    expected = StorageError if isinstance(failure, OSError) else KeyboardInterrupt
    with failing(function, failure), pytest.raises(expected):
        save_model(path, {"x": np.zeros(3)}, {})
    assert path.read_bytes() == saved
    assert list(path.parent.iterdir()) == [path]

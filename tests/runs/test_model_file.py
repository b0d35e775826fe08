"""A model file gives back what was saved, the same model has the same bytes, and damage is always noticed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from safetensors.numpy import load_file, save, save_file

from mlpkit.errors import ModelFileError, StorageError
from mlpkit.runs import model_file
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.runs.safetensors_header import LARGEST_HEADER, NUMPY_DTYPES, Header

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ADVICE = "expected the model.safetensors of a run folder"
REPAIR = "restore it from a copy, or train again"


def small_model() -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    rng = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {
        "Affine1.W": rng.normal(size=(6, 20)).astype(np.float32),
        "Affine1.b": np.zeros(20, np.float32),
        "Affine2.W": rng.normal(size=(20, 3)),
        "steps": np.array(7),
    }
    return arrays, {"spec": {"name": "small", "layers": [{"Affine": {"units": 20}}]}, "classes": ["ä", "b"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(path: Path) -> bytes:
    """Return the bytes of a small model, which is saved at ``path``."""
    save_model(path, *small_model())
    return path.read_bytes()


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as raised:
        load_model_file(path)
    return str(raised.value)


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Say whether two arrays have the same dtype, shape and bits."""
    b = np.asarray(b, b.dtype.newbyteorder("="))
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


# Saving and loading


def test_what_was_saved_is_loaded(path: Path) -> None:
    arrays, metadata = small_model()
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


# Same model, same bytes


def test_neither_the_save_nor_the_order_changes_a_byte(path: Path, saved: bytes) -> None:
    arrays, metadata = small_model()
    shuffle = random.Random(0)
    for _ in range(200):
        names, keys = list(arrays), list(metadata)
        shuffle.shuffle(names)
        shuffle.shuffle(keys)
        save_model(path, {name: arrays[name] for name in names}, {key: metadata[key] for key in keys})
        assert path.read_bytes() == saved


def test_neither_strides_nor_byte_order_change_a_byte(path: Path, saved: bytes) -> None:
    arrays, metadata = small_model()
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


def test_another_weight_another_checksum(path: Path) -> None:
    arrays, metadata = small_model()
    save_model(path, arrays, metadata)
    first = load_model_file(path).sha256
    arrays["Affine1.b"][3] = 1e-30
    save_model(path, arrays, metadata)
    assert load_model_file(path).sha256 != first


# What can't be saved


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


def test_a_header_of_unknown_form_is_not_written(path: Path, saved: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(arrays: Any, metadata: dict[str, str]) -> bytes:
        return save(arrays, metadata).replace(b'"mlpkit":', b'"mlpkit" :')

    monkeypatch.setattr(safetensors.numpy, "save", other)
    with pytest.raises(StorageError, match="this version of safetensors writes its header in an unknown way"):
        save_model(path, *small_model())
    assert path.read_bytes() == saved


@pytest.mark.skipif(np.__version__ < "2", reason="NumPy 1 itself has at most 32 axes")
def test_more_axes_than_every_numpy_can_hold_are_refused(path: Path) -> None:
    save_model(path, {"x": np.zeros((1,) * 32)}, {})
    assert load_model_file(path).arrays["x"].ndim == 32
    with pytest.raises(StorageError, match="array 'x' has 33 axes; expected up to 32"):
        save_model(path, {"x": np.zeros((1,) * 33)}, {})


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


# Damage


def test_every_truncation_is_refused(path: Path, saved: bytes) -> None:
    for size in range(len(saved)):
        path.write_bytes(saved[:size])
        assert refusal(path).startswith(f"{path}: ")


def test_every_flipped_bit_is_refused(path: Path, saved: bytes) -> None:
    assert 1500 < len(saved) < 2500
    damaged = bytearray(saved)
    with path.open("r+b", buffering=0) as file:
        for position in range(len(saved)):
            for bit in range(8):
                damaged[position] ^= 1 << bit
                os.pwrite(file.fileno(), damaged[position : position + 1], position)
                with pytest.raises(ModelFileError):
                    load_model_file(path)
                damaged[position] ^= 1 << bit
            os.pwrite(file.fileno(), saved[position : position + 1], position)
    load_model_file(path)


def mutant(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a few bytes replaced, inserted, removed, moved or repeated."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        a, b = sorted(rng.randrange(len(changed)) for _ in range(2))
        match rng.randrange(6):
            case 0:
                changed[a] = rng.randrange(256)
            case 1:
                changed[a:a] = rng.randbytes(rng.randint(1, 20))
            case 2:
                del changed[a : a + rng.randint(1, 20)]
            case 3:
                changed[a:a] = changed[b : b + 50]
            case 4:
                changed[:8] = rng.randrange(2 ** rng.randint(1, 64)).to_bytes(8, "little")
            case 5:
                changed[a : a + 1] = rng.choice([b"{", b"[", b'"', b"-1", b"9" * 30, b"\\", b"NaN", b"null"])
    return bytes(changed)


def test_random_damage_is_refused(path: Path, saved: bytes) -> None:
    rng = random.Random(1)
    for _ in range(2000):
        damaged = mutant(saved, rng)
        if damaged != saved:
            path.write_bytes(damaged)
            assert refusal(path).startswith(f"{path}: ")


def test_random_damage_under_a_right_checksum_raises_nothing_foreign(path: Path, forge: Any) -> None:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    content = {"format": 1, "metadata": {"a": [1, 2.5]}, "sha256": "0" * 64}
    whole = forge({"x": entry}, bytes(8), content=content)
    path.write_bytes(whole)
    assert load_model_file(path).metadata == {"a": [1, 2.5]}
    digits = load_model_file(path).sha256.encode()
    rng = random.Random(2)
    refused = 0
    for _ in range(2000):
        zeroed = mutant(whole.replace(digits, b"0" * 64), rng)
        path.write_bytes(zeroed.replace(b"0" * 64, hashlib.sha256(zeroed).hexdigest().encode(), 1))
        try:
            load_model_file(path)
        except ModelFileError:
            refused += 1
    assert refused > 1000


@pytest.mark.parametrize(
    "content",
    [
        [],
        1,
        {"format": 1, "metadata": {}},
        {"format": 1, "metadata": {}, "sha256": "0" * 64, "more": 1},
        {"format": True, "metadata": {}, "sha256": "0" * 64},
        {"format": 0, "metadata": {}, "sha256": "0" * 64},
        {"format": 1, "metadata": [], "sha256": "0" * 64},
        {"format": 1, "metadata": {}, "sha256": ["0" * 64]},
        {"format": 1, "metadata": {}, "sha256": "A" * 64},
        {"format": 1, "metadata": {}, "sha256": "0" * 63},
    ],
)
def test_metadata_of_another_form_is_refused(path: Path, forge: Any, content: Any) -> None:
    path.write_bytes(forge({}, content=content))
    assert refusal(path) == f"{path}: is damaged: its metadata is not what mlpkit writes; {REPAIR}"


def test_a_right_checksum_is_needed_and_enough(path: Path, forge: Any) -> None:
    path.write_bytes(forge({}))
    assert load_model_file(path).arrays == {}
    path.write_bytes(forge({}, metadata={"mlpkit": '{"format":1,"metadata":{},"sha256":"%s"}' % ("1" * 64)}))
    assert "checksum doesn't match" in refusal(path)


# Messages


def test_messages(path: Path, saved: bytes, forge: Any) -> None:
    length = int.from_bytes(saved[:8], "little")

    def message(content: bytes) -> str:
        path.write_bytes(content)
        return refusal(path).removeprefix(f"{path}: ")

    assert message(b"") == f"is empty; {REPAIR}"
    assert message(b"abc") == f"is not a model file; {ADVICE}"
    assert message(b"mlpkit: 1\nname: mnist\n") == f"is not a model file; {ADVICE}"
    assert message(saved[:100]) == (f"is cut off: it has 100 bytes, and expected are {8 + length}; {REPAIR}")
    assert message(saved[:-1]) == (
        f"is cut off: it has {len(saved) - 1} bytes, and expected are {len(saved)}; {REPAIR}"
    )
    assert message(saved + b"x") == (
        f"is damaged: it has {len(saved) + 1} bytes, and expected are {len(saved)}; {REPAIR}"
    )
    assert message(saved[:-1] + b"x") == (f"is damaged: its checksum doesn't match its content; {REPAIR}")
    assert message(saved.replace(b'"F32"', b'"F33"', 1)).startswith(
        "is not a model file, or is damaged: in its header: array 'Affine1.W' has the dtype 'F33'; expected"
    )
    assert message(saved.replace(b'\\"format\\":1', b'\\"format\\":x', 1)) == (
        f"is damaged: in its metadata: Expecting value: line 1 column 11 (char 10); {REPAIR}"
    )
    assert message(forge({}, content={"format": 2, "anything": "else"})) == (
        "has format 2, and this mlpkit reads up to 1; upgrade mlpkit"
    )


def test_a_safetensors_file_of_another_program_is_told_apart(path: Path) -> None:
    for metadata in (None, {"format": "pt"}):
        save_file({"x": np.zeros(2)}, path, metadata)
        assert refusal(path) == f"{path}: is a safetensors file, but not one of mlpkit's; {ADVICE}"


def test_messages_about_what_is_no_file(tmp_path: Path, path: Path) -> None:
    assert refusal(path) == f"{path}: there is no such file; {ADVICE}"
    assert refusal(tmp_path) == f"{tmp_path}: is a folder; {ADVICE}"
    save_model(path, {}, {})
    assert refusal(tmp_path) == f"{tmp_path}: is a folder; give {path}"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(pipe) == f"{pipe}: is not a regular file; {ADVICE}"
    inside = path / "x"
    assert refusal(inside) == (f"{inside}: can't be read: Not a directory; check the path and who may read it")
    assert "there is no such file" in refusal(tmp_path / "a\0b")
    assert "can't be read: File name too long" in refusal(tmp_path / ("x" * 300))


def test_a_header_is_bounded(path: Path) -> None:
    for length in (LARGEST_HEADER + 1, 2**63, 2**64 - 1):
        path.write_bytes(length.to_bytes(8, "little") + b"{}")
        assert refusal(path) == f"{path}: is not a model file; {ADVICE}"


def test_a_file_that_claims_much_takes_no_memory(path: Path, forge: Any) -> None:
    size = 2**50
    path.write_bytes(forge({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}))
    assert "is cut off" in refusal(path)


def test_a_file_that_shrinks_while_it_is_read_is_refused(
    path: Path, saved: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = model_file.parse_header

    def shrink(text: bytes) -> Header:
        os.truncate(path, len(saved) - 1)
        return real(text)

    monkeypatch.setattr(model_file, "parse_header", shrink)
    assert refusal(path) == f"{path}: became shorter while it was read; try again when nobody writes to it"


def test_a_file_larger_than_the_memory_is_refused(path: Path, forge: Any) -> None:
    size = 2**43  # the file is sparse: it takes no room on the disk
    content = forge({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    path.write_bytes(content)
    os.truncate(path, len(content) + size)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**42, limits[1]))
    try:
        message = refusal(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert message == f"{path}: is larger than the free memory; close other programs, or use a larger machine"


def test_loading_takes_about_as_much_memory_as_the_file_has(path: Path) -> None:
    array = np.zeros(2**21)
    save_model(path, {"x": array}, {})
    tracemalloc.start()
    try:
        load_model_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < array.nbytes + 2**20

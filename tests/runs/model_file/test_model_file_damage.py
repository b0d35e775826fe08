"""Damage to a model file is always noticed, and what is no model file is named."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from mlpkit.errors import ModelFileError
from mlpkit.runs import model_file
from mlpkit.runs.model_file import LARGEST_HEADER, load_model_file, save_model

if TYPE_CHECKING:
    from pathlib import Path


ADVICE = "expected the model.safetensors of a run folder"
DAMAGED = "is damaged: its checksum doesn't match its content; restore it from a copy, or train again"


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as raised:
        load_model_file(path)
    return str(raised.value)


def test_every_truncation_is_refused(path: Path, saved: bytes) -> None:
    for size in range(len(saved)):
        path.write_bytes(saved[:size])
        assert refusal(path) == f"{path}: {f'is not a model file; {ADVICE}' if 0 < size < 8 else DAMAGED}"


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
    assert refusal(path) == f"{path}: {DAMAGED}"


def test_a_right_checksum_is_needed_and_enough(path: Path, forge: Any) -> None:
    path.write_bytes(forge({}))
    assert load_model_file(path).arrays == {}
    path.write_bytes(forge({}, metadata={"mlpkit": '{"format":1,"metadata":{},"sha256":"%s"}' % ("1" * 64)}))
    assert "checksum doesn't match" in refusal(path)


def test_a_header_written_in_another_way_is_refused(path: Path, saved: bytes) -> None:
    length = int.from_bytes(saved[:8], "little") + 1
    path.write_bytes(length.to_bytes(8, "little") + saved[8:].replace(b'"mlpkit":', b'"mlpkit" :', 1))
    assert refusal(path) == f"{path}: {DAMAGED}"


def test_messages(path: Path, saved: bytes, forge: Any) -> None:
    def message(content: bytes) -> str:
        path.write_bytes(content)
        return refusal(path).removeprefix(f"{path}: ")

    assert message(b"") == DAMAGED
    assert message(b"abc") == f"is not a model file; {ADVICE}"
    assert message(b"mlpkit: 1\nname: mnist\n") == f"is not a model file; {ADVICE}"
    for damaged in (
        saved + b"x",
        saved[:-1] + b"x",
        saved.replace(b'"F32"', b'"F33"', 1),
        saved.replace(b'\\"format\\":1', b'\\"format\\":x', 1),
        forge({"x": {"dtype": "F33", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
        forge({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(9)),
    ):
        assert message(damaged) == DAMAGED
    assert message(forge({}, content={"format": 2, "sha256": "0" * 64})) == (
        "has format 2, and this mlpkit reads up to 1; upgrade mlpkit"
    )
    assert message(forge({}, content={"format": 2, "anything": "else"})) == (
        "has format 2, and this mlpkit reads up to 1; upgrade mlpkit"
    )


def test_a_safetensors_file_of_another_program_has_its_own_message(path: Path) -> None:
    for metadata in (None, {"format": "pt"}):
        save_file({"x": np.zeros(2)}, path, metadata)
        assert refusal(path) == f"{path}: is a safetensors file, but not one of mlpkit's; {ADVICE}"


def test_messages_about_what_is_no_file(tmp_path: Path, path: Path) -> None:
    assert refusal(path) == f"{path}: no such file; {ADVICE}"
    assert refusal(tmp_path) == f"{tmp_path}: is a folder; {ADVICE}"
    save_model(path, {}, {})
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(pipe) == f"{pipe}: is not a regular file; {ADVICE}"
    inside = path / "x"
    assert refusal(inside) == (f"{inside}: can't be read: Not a directory; check the path and who may read it")
    assert "no such file" in refusal(tmp_path / "a\0b")
    assert "can't be read: File name too long" in refusal(tmp_path / ("x" * 300))


def test_a_header_is_bounded(path: Path) -> None:
    for length in (LARGEST_HEADER + 1, 2**63, 2**64 - 1):
        path.write_bytes(length.to_bytes(8, "little") + b"{}")
        assert refusal(path) == f"{path}: is not a model file; {ADVICE}"


def test_a_file_that_claims_much_takes_no_memory(path: Path, forge: Any) -> None:
    size = 2**50
    path.write_bytes(forge({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}))
    assert refusal(path) == f"{path}: {DAMAGED}"


def test_a_file_that_shrinks_while_it_is_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(path, {"x": np.zeros(2**17)}, {})

    def shrink(*arguments: Any) -> Any:
        os.truncate(path, 2**20)
        return parse(*arguments)

    parse = model_file._parse
    monkeypatch.setattr(model_file, "_parse", shrink)
    assert refusal(path) == f"{path}: {DAMAGED}"


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [1] * 70 + [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]},
    ],
)
def test_an_array_that_numpy_cannot_have_is_refused(path: Path, forge: Any, entry: dict[str, Any]) -> None:
    path.write_bytes(forge({"x": entry}, bytes(entry["data_offsets"][1])))
    assert refusal(path) == f"{path}: {DAMAGED}"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS sets no bound on a process's memory")
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

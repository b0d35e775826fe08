"""Every byte of a safetensors file is accounted for by its header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from mlpkit.runs.model_file import NUMPY_DTYPES, Entry, format_header, parse_header

if TYPE_CHECKING:
    from numpy.typing import NDArray


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_header_of_the_safetensors_package_is_understood() -> None:
    arrays: dict[str, NDArray[Any]] = {
        "b": np.ones((2, 3), np.float32),
        "a": np.ones((), np.float64),
        "c": np.ones((0, 7), np.float64),
        "d": np.ones(3, np.uint8),
    }
    header = parse_header(save(arrays, {"who": "me"})[8:].split(b"}}")[0] + b"}}")
    assert header.metadata == {"who": "me"}
    assert header.entries == (
        Entry("a", "<f8", (), 0, 8),
        Entry("c", "<f8", (0, 7), 8, 8),
        Entry("b", "<f4", (2, 3), 8, 32),
        Entry("d", "|u1", (3,), 32, 35),
    )
    assert header.data_size == 35


def test_a_header_is_compact_json_in_utf_8_filled_up_with_spaces() -> None:
    text, order = format_header({"é": ("|u1", (3,)), "b": ("<f4", (2,)), "a": ("<f4", ())}, {"who": "ü"})
    expected = (
        '{"__metadata__":{"who":"ü"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},'
        '"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"é":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}'
    ).encode()
    assert (text.rstrip(b" "), order) == (expected, ["a", "b", "é"])
    assert len(text) == -(-len(expected) // 8) * 8


SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.tuples(st.sampled_from(list(NUMPY_DTYPES.values())), SHAPES),
    ),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    ),
)
def test_what_was_formatted_is_parsed(arrays: Any, metadata: dict[str, str]) -> None:
    arrays.pop("__metadata__", None)
    text, order = format_header(arrays, metadata)
    assert len(text) % 8 == 0
    header = parse_header(text)
    assert header.metadata == metadata
    assert [entry.name for entry in header.entries if entry.end > entry.begin] == [
        name for name in order if np.zeros(arrays[name][1]).size
    ]
    assert {entry.name: (entry.dtype, entry.shape) for entry in header.entries} == arrays
    assert all(entry.begin % int(entry.dtype[2:]) == 0 for entry in header.entries)


@pytest.mark.parametrize(("name", "dtype"), NUMPY_DTYPES.items())
def test_names_of_dtypes_are_those_of_the_safetensors_package(name: str, dtype: str) -> None:
    assert f'"dtype":"{name}"'.encode() in save({"x": np.zeros(1, dtype)})
    assert np.dtype(dtype).newbyteorder("<").str == dtype


@pytest.mark.parametrize(
    "entries",
    [
        {"a": 1},
        {"a": {**entry(), "more": 1}},
        {"a": entry("BF16")},
        {"a": entry(["F32"])},
        {"a": entry(shape=2)},
        {"a": entry(shape={}, offsets=[0, 4])},
        {"a": entry(shape=[-1, -2])},
        {"a": entry(shape=[2.0])},
        {"a": entry(shape=[2, True])},
        {"a": entry(shape=[2**62, 2])},
        {"a": entry(offsets=8)},
        {"a": entry(offsets=[0, 8, 8])},
        {"a": entry(offsets=[0, 8.0])},
        {"a": entry(offsets=[-8, 0])},
        {"a": entry(offsets=[8, 0])},
        {"a": entry(offsets=[0, 9])},
        {"a": entry(offsets=[1, 9])},
        {"a": entry(), "b": entry()},
        {"a": entry(), "b": entry(offsets=[4, 12])},
        {"a": entry(), "b": entry(offsets=[9, 17])},
        {"__metadata__": []},
        {"__metadata__": {"a": 1}},
        [],
    ],
)
def test_a_wrong_header_is_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match="not the header of a safetensors file"):
        parse_header(json.dumps(entries).encode())


def test_a_name_that_comes_twice_is_refused() -> None:
    one = json.dumps(entry())
    with pytest.raises(ValueError, match="'a' appears twice"):
        parse_header(f'{{"a":{one},"a":{one}}}'.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*NUMPY_DTYPES, "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*NUMPY_DTYPES]) | JSON,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | JSON,
        "data_offsets": st.tuples(st.integers(-1, 64), st.integers(-1, 64)) | JSON,
    }
)


@given(st.dictionaries(st.sampled_from(["__metadata__", "a", "b"]), ENTRIES | JSON) | JSON)
def test_any_json_is_either_refused_or_leads_to_arrays_that_numpy_can_make(content: Any) -> None:
    try:
        header = parse_header(json.dumps(content).encode())
    except ValueError:
        return
    data = bytearray(header.data_size)
    made = [np.ndarray(e.shape, e.dtype, buffer=data, offset=e.begin) for e in header.entries]
    assert sum(array.nbytes for array in made) == header.data_size

"""The header of an .npy file, as NumPy wrote it, and what is said of one that is damaged."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlpkit import DataError, read_npy_header

NUMBERS = ("?", "i1", "<u8", ">i4", "<f2", ">f8")


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read_npy_header(io.BytesIO(content), "x.npy", len(content))
    return str(caught.value)


@given(
    array_shapes(min_dims=0),
    st.sampled_from(NUMBERS),
    st.sampled_from("CF"),
    st.sampled_from([(1, 0), (2, 0)]),
    st.binary(max_size=9),
)
def test_says_what_numpy_wrote_wherever_it_begins(shape, dtype, order, version, before):
    array = np.zeros(shape, dtype, order)
    content = saved(array, version)
    file = io.BytesIO(before + content)
    file.seek(len(before))
    header = read_npy_header(file, "x.npy", len(content))
    assert (header.dtype, header.shape, header.size) == (array.dtype, array.shape, array.nbytes)
    assert header.fortran_order == (np.isfortran(array))
    assert header.start == len(before) + len(content) - array.nbytes


def test_says_what_is_wrong_and_where():
    content = saved(np.zeros((3, 4), "<f4"))
    assert refusal(b"") == "x.npy, byte 0: the file is empty; expected an .npy file"
    assert refusal(b"label,pixel").startswith("x.npy, byte 0: is not an .npy file: the magic string is not correct")
    assert refusal(content[:6] + b"\3" + content[7:]) == "x.npy, byte 6: has the .npy format 3.0; expected 1.0 or 2.0"
    assert refusal(content[:50]).startswith(
        "x.npy, byte 8: is not an .npy file: EOF: reading array header, expected 118 "
    )
    assert refusal(content[:-1]) == "x.npy, byte 0: the header declares float32 of shape (3, 4), 48 bytes; 47 follow"
    assert refusal(content.replace(b"(3, 4)", b"(3,-4)")) == (
        "x.npy, byte 8: has the shape (3, -4); expected up to 32 dimensions, with at least one value in each"
    )
    assert refusal(content.replace(b"(3, 4)", b"f(3,4)")).endswith("malformed node or string on line 1: <ast.Call>")


def test_reads_no_more_than_a_header_can_have():
    content = saved(np.zeros(10**6))
    file = io.BytesIO(content)
    read_npy_header(file, "x.npy", len(content))
    assert file.tell() == 10_012


@pytest.mark.parametrize(
    ("array", "fault"),
    [
        (np.zeros((1,) * 32), ""),
        (np.zeros((2, 0)), "has the shape (2, 0); expected up to 32 dimensions, with at least one value in each"),
        (np.zeros(2, "f8"), ""),
        (np.zeros(2, "c8"), "holds complex64; expected numbers of up to 64 bits"),
        (np.zeros(2, "datetime64[s]"), "holds datetime64[s]; expected numbers of up to 64 bits"),
        (np.array(["a", "b"]), "holds <U1; expected numbers of up to 64 bits; if they name classes, np.unique(t, retu"),
        (np.array([{}]), "holds Python objects, which can run code; expected numbers of up to 64 bits"),
        (np.zeros(2, [("a", "f4")]), "holds [('a', '<f4')]; expected numbers of up to 64 bits"),
    ],
)
def test_holds_numbers_in_a_shape_that_numpy_can_handle(array, fault):
    content = saved(array)
    if fault:
        assert refusal(content).startswith(f"x.npy, byte 8: {fault}")
    else:
        assert read_npy_header(io.BytesIO(content), "x.npy", len(content)).shape == array.shape


@pytest.mark.parametrize(("shape", "refused"), [("(1, " * 3 + ")", True), ((1,) * 33, True), ((2**59,), False)])
def test_a_shape_has_bounds(shape, refused):
    header = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).encode().ljust(437) + b"\n"
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
    assert refusal(content).startswith("x.npy, byte 8: " if refused else "x.npy, byte 0: the header declares float32")

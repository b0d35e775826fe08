"""The kernels in NumPy, for arrays of any layout, and for use without compiled kernels."""

from __future__ import annotations

from math import sqrt
from threading import local

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array
from mlpkit_plugins.files.regular_file import read_at
from mlpkit_plugins.kernels.elementwise_with_numpy import *
from mlpkit_plugins.kernels.features_with_numpy import *
from mlpkit_plugins.kernels.images_with_numpy import *

PRODUCTS_BY = "NumPy"
"""The implementation of float32 matrix products, on which their bits depend."""

INSTRUCTIONS = ""
"""The instruction set that compiled kernels use for products; empty without a supported one."""

_SIGN, _MAGNITUDE, _LEAST_NORMAL, _INFINITY, _NAN = np.array(
    [0x80000000, 0x7FFFFFFF, 0x00800000, 0x7F800000, 0x7FC00000], np.uint32
)
_UPPER_BITS, _HALF_OF_LAST_BIT = np.array([0xFFFF0000, 0x7FFF], np.uint32)
"""bfloat16 is the upper half of the bits of a float32; adding almost half of its last bit rounds to nearest."""

BLOCK = 4096
"""Numbers per block of scratch memory."""


class _Mode(local):
    """The thread's open calls of ``begin_bfloat16`` and ``begin_row_order``."""

    bfloat16 = 0
    row_order = 0


_MODE = _Mode()


def to_bfloat16(x: Array) -> NDArray[np.float32]:
    """Round float32 numbers to bfloat16, half to even, and return them as float32.

    bfloat16 has the exponents of float32 and 8 of its 24 significant bits. Subnormal numbers become zero, as in AVX-512
    and AMX; the largest numbers may become infinite.
    """
    bits = np.array(x, np.float32).view(np.uint32)
    magnitudes = bits & _MAGNITUDE
    is_nan = magnitudes > _INFINITY
    bits += _HALF_OF_LAST_BIT + (bits >> 16 & 1)
    bits &= _UPPER_BITS
    bits[magnitudes < _LEAST_NORMAL] &= _SIGN
    bits[is_nan] = _NAN
    return bits.view(np.float32)


def product(a: Array, b: Array, out: Array) -> Array:
    """Set out to the matrix product a b, and return it.

    Between ``begin_bfloat16`` and ``end_bfloat16``, the factors are rounded to bfloat16 first, if they are float32
    matrices and no row order has begun.

    Shapes: a (rows, inner) or (inner,), b (inner, columns), out (rows, columns) or (columns,).
    """
    rounds = _MODE.bfloat16 and not _MODE.row_order
    if rounds and a.ndim == 2 and a.dtype.type is b.dtype.type is np.float32:
        a, b = to_bfloat16(a), to_bfloat16(b)
    return np.matmul(a, b, out=out)


def product_plus_row(a: Array, b: Array, row: Array, out: Array) -> Array:
    """Set out to the matrix product a b, as in ``product``, plus a row, and return it.

    Shapes: a (rows, inner), b (inner, columns), row (columns,), out (rows, columns).
    """
    product(a, b, out)
    return np.add(out, row, out=out)


def philox_words(key: NDArray[np.uint64], counter: NDArray[np.uint64], out: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Fill out, contiguous, of any shape, with the next bits of NumPy's generator Philox, and return it.

    The key has shape (2,), and the counter of the last block (4,). A block has four draws, and a draw four words.

    Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011).
    """
    from numpy.random import Philox  # noqa: PLC0415 - slow to import

    draws = Philox(key=key, counter=counter).random_raw(-(-out.size // 4))
    words = draws.astype("<u8", copy=False).view("<u2")[: out.size]
    out[...] = words.reshape(out.shape)
    return out


def shift_transposed(x: Array, out: Array) -> Array:
    """Set out to the transpose of x minus each row's largest element, and return it.

    Shapes: x (rows, classes), out (classes, rows), since NumPy is faster at reducing the first axis.
    """
    np.copyto(out, x.T)
    return np.subtract(out, np.maximum.reduce(out, axis=0), out=out)


def pick_labels(p: Array, t: Array, out: Array) -> Array:
    """Set out to each column's element at its label, and return it.

    Shapes: p (classes, rows), t integers (rows,), out (rows,).

    Raises:
        IndexError: a label is out of range.
    """
    classes, rows = p.shape
    if rows and t.min() < 0:  # NumPy would count from the end
        msg = f"label {t.min()} is out of range for {classes} classes"
        raise IndexError(msg)
    out[...] = p[t, np.arange(rows)]
    return out


def normalize_columns(p: Array, total: Array) -> Array:
    """Set total to the sum of each column of p, divide the columns by it in place, and return total.

    Shapes: p (classes, rows), total (rows,).
    """
    if p.flags.c_contiguous and min(p.shape) > 1:
        np.add.reduce(p, axis=0, out=total)
    else:  # NumPy would add contiguous numbers in another order
        np.copyto(total, np.add.accumulate(p, axis=0)[-1])
    np.divide(p, total, out=p)
    return total


def softmax(x: Array, out: Array) -> Array:
    """Set out to exp(x - max x) / Σ exp(x - max x), row by row, summed from the first class to the last, and return it.

    Shapes: x and out, which may be x itself, (rows, classes).
    """
    p = shift_transposed(x, np.empty(x.shape[::-1], x.dtype))
    np.exp(p, out=p)
    normalize_columns(p, np.empty(len(x), x.dtype))
    np.copyto(out, p.T)
    return out


def cross_entropy_gradient(p: Array, t: Array, scale: float, out: Array) -> Array:
    """Set out to (pᵀ - one-hot t) scale, and return it.

    Shapes: p (classes, rows), t class numbers (rows,), out (rows, classes).
    """
    np.copyto(out, p.T)
    out[np.arange(len(t)), t] -= 1
    return np.multiply(out, scale, out=out)


def descend(value: Array, gradient: Array, length: float) -> None:
    """Subtract length gradient from value in place; the gradient is scratch from then on."""
    np.multiply(gradient, length, out=gradient)
    np.subtract(value, gradient, out=value)


def descend_adaptively(
    value: Array,
    gradient: Array,
    m: Array,
    v: Array,
    beta1: float,
    beta2: float,
    correction1: float,
    correction2: float,
    epsilon: float,
    learning_rate: float,
    kept: float,
) -> None:
    """Take a step of Adam in place; the gradient is scratch from then on.

        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        value ← kept value - learning_rate (m / correction1) / (√(v / correction2) + epsilon)

    Subnormal numbers in m and v become 0, as in ``flush_subnormal``. Epsilon is at least the root of the smallest v
    that is kept: without that bound, 0 / 0 or too long a step would follow.

    Args:
        value: of any shape.
        gradient: of the same shape, as are m and v.
        m: mean of the gradient.
        v: mean of its square.
        beta1: decay rate of m.
        beta2: decay rate of v.
        correction1: divisor of m.
        correction2: divisor of v.
        epsilon: number added to the root.
        learning_rate: the step length.
        kept: factor of the value; 1 without weight decay.
    """
    epsilon = max(epsilon, sqrt(float(np.finfo(v.dtype).smallest_normal) / (1 - beta2)))
    np.multiply(v, beta2, out=v)
    with np.nditer(
        (v, gradient), ("buffered", "external_loop", "zerosize_ok"), (("readwrite",), ("readonly",)), buffersize=BLOCK
    ) as blocks:
        for part, gradients in blocks:
            squares = np.square(gradients)
            np.add(part, np.multiply(squares, 1 - beta2, out=squares), out=part)
    flush_subnormal(v)
    np.multiply(gradient, 1 - beta1, out=gradient)
    np.multiply(m, beta1, out=m)
    np.add(m, gradient, out=m)
    flush_subnormal(m)
    np.sqrt(v, out=gradient)
    np.multiply(gradient, 1 / sqrt(correction2), out=gradient)
    np.add(gradient, epsilon, out=gradient)
    np.divide(m, gradient, out=gradient)
    np.multiply(gradient, learning_rate / correction1, out=gradient)
    if kept != 1:
        np.multiply(value, kept, out=value)
    np.subtract(value, gradient, out=value)


def flush_subnormal(x: Array) -> None:
    """Set subnormal numbers to 0, in place.

    A mean that is multiplied by 0.9 at every step becomes subnormal after a thousand steps without a gradient, such as
    for pixels that are dark in nearly all images. Some processors take a hundred times as long for subnormal numbers.
    """
    least = np.finfo(x.dtype).smallest_normal
    with np.nditer(x, ["buffered", "external_loop", "zerosize_ok"], ["readwrite"], buffersize=BLOCK) as blocks:
        for _ in blocks:
            np.copyto(blocks[0], 0, where=np.abs(blocks[0]) < least)


def take_scaled(numbers: NDArray[np.uint8], indices: Array, scale: float, out: Array) -> Array:
    """Set out to the entries of an array of bytes at some positions of its first axis, times scale, and return it.

    Raises:
        IndexError: a position is outside the array.
    """
    out[...] = numbers.take(indices, 0)
    return np.multiply(out, scale, out=out)


def take_rows(numbers: Array, indices: Array, out: Array) -> Array:
    """Set out, of the same dtype, to the entries of an array at some positions of its first axis, and return it.

    Raises:
        IndexError: a position is outside the array.
    """
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(numbers):
        msg = f"a position is out of range for {len(numbers)} examples"
        raise IndexError(msg)
    numbers.take(indices, 0, out=out, mode="clip")  # nothing is clipped, but "raise" would make another copy
    return out


def begin_sharing_threads(*_: object) -> None:
    """Do nothing: without compiled kernels there are no threads to share."""


def end_sharing_threads(*_: object) -> None:
    """Undo one ``begin_sharing_threads``; after the last one, BLAS uses its own threads again."""


def begin_row_order(*_: object) -> None:
    """Disable rounding to bfloat16; NumPy has no fixed order of rows."""
    _MODE.row_order += 1


def end_row_order(*_: object) -> None:
    """Undo one ``begin_row_order``."""
    _MODE.row_order -= 1


def begin_bfloat16(*_: object) -> None:
    """Round the factors of float32 matrix products to bfloat16 in this thread, and sum in float32."""
    _MODE.bfloat16 += 1


def end_bfloat16(*_: object) -> None:
    """Undo one ``begin_bfloat16``."""
    _MODE.bfloat16 -= 1


def read_rows(descriptor: int, start: int, indices: Array, out: Array) -> bool:
    """Set out to rows of an array in an open file, and return whether the file has all of them.

    Args:
        descriptor: the file.
        start: offset in bytes of the array's first row.
        indices: positions of rows, from 0, shape (rows,).
        out: shape (rows, ...), its rows contiguous.
    """
    for row, index in zip(out.reshape(len(out), -1), indices.tolist(), strict=True):
        view = row.data.cast("B")
        place = start + index * len(view)
        while view:
            received = read_at(descriptor, place, view)
            if not received:
                return False
            view, place = view[received:], place + received
    return True


def read_csv_records(
    data: bytes,
    begin: int,
    syntax: tuple[bytes, bytes, bytes, bytes, bytes, int],
    places: NDArray[np.int32],
    rows: NDArray[np.int64],
    fields: NDArray[np.int32],
    numbers: NDArray[np.float64],
    are_numbers: NDArray[np.bool_],
) -> tuple[int, int, int, bool]:
    """Find the fields and numbers of CSV records, equal to Python's ``csv`` and ``float``; in NumPy, leave all to them.

    Empty records and comments are left out. Reading stops at an incomplete, wrong or unusual record.

    Args:
        data: a part of a file.
        begin: the offset of the first record.
        syntax: the values of a ``FieldSyntax``.
        places: the position of each column of the file in the arrays below, -1 if it is not read; without columns,
            records may have any number of fields.
        rows: set to the positions of the records, shape (records,).
        fields: set to offset and length of each field, shape (records, columns read, 2); the length is ``~length`` if
            the field has doubled quotes.
        numbers: set to the numbers in columns of numbers, NaN if missing, shape (records, columns read).
        are_numbers: which columns hold numbers; set to False for columns with another text.

    Returns:
        The number of records read, the number of records that aren't left out, the offset of the next record, and
        whether that one is wrong or unusual.
    """
    return 0, 0, begin, True


def distinct_fields(
    data: bytes, fields: NDArray[np.int32], place: int, codes: NDArray[np.int32], firsts: NDArray[np.int32]
) -> int:
    """Number the distinct fields of a column in order of occurrence, and return their count.

    Args:
        data: a part of a file.
        fields: offset and length of each field, from ``read_csv_records``, shape (rows, columns, 2).
        place: the column.
        codes: set to the number of each row's field, shape (rows,).
        firsts: its beginning is set to the first row of each distinct field, shape (rows,).
    """
    known: dict[tuple[bytes, bool], int] = {}
    for row, (begin, length) in enumerate(fields[:, place].tolist()):
        text = data[begin : begin + (~length if length < 0 else length)]
        codes[row] = known.setdefault((text, length < 0), len(known))
    firsts[: len(known)] = np.unique(codes, return_index=True)[1]
    return len(known)

"""Subnormal numbers count as zero while a network is trained.

A float32 below 2^-126 has fewer bits than others, and many processors take a hundred times as long over it. Gradients
through saturated activations are full of such numbers, which change no result that matters.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from math import nextafter
from typing import Final, NamedTuple

import numpy as np

_Words = ctypes.c_uint32 * 64  # more than any C library's fenv_t

_FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO: Final = 0x8040  # of MXCSR, the control register of x86
_FLUSH_TO_ZERO: Final = 1 << 24  # of FPCR, that of ARM

_WHERE: Final = {
    ("linux", "x86_64"): (7, _FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO),
    ("linux", "aarch64"): (0, _FLUSH_TO_ZERO),
    ("darwin", "x86_64"): (1, _FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO),
    ("darwin", "arm64"): (2, _FLUSH_TO_ZERO),
}
"""Which word of the C library's ``fenv_t`` is the control register, and its bits to set."""


_LEAST: Final = nextafter(0.0, 1.0)


class _FloatMode(NamedTuple):
    """The C library's ``fegetenv`` and ``fesetenv``; the word of the control register, and its bits that flush."""

    get: Callable[[ctypes.Array[ctypes.c_uint32]], int]
    set: Callable[[ctypes.Array[ctypes.c_uint32]], int]
    word: int
    bits: int


def flushed_subnormals() -> AbstractContextManager[None]:
    """Let subnormal numbers be zero inside the block, in the thread that enters it, as operands and as results.

    Where the processor or the system is one that this module doesn't know, nothing changes.
    """
    return _Subnormals(flushed=True)


def kept_subnormals() -> AbstractContextManager[None]:
    """Compute with subnormal numbers inside the block, as IEEE 754 has it, in the thread that enters it."""
    return _Subnormals(flushed=False)


def subnormals_are_flushed() -> bool:
    """Return whether subnormal numbers are zero in this thread, as operands or as results."""
    return _LEAST + _LEAST == 0  # a tenth of the time of asking the C library


class _Subnormals:
    """A block in which subnormal numbers are zero, or kept; a class, since a generator takes twice the time."""

    def __init__(self, *, flushed: bool) -> None:
        self._flushed = flushed
        self._restore: Callable[[], object] | None = None

    def __enter__(self) -> None:
        float_mode = _float_mode()
        if float_mode is None:
            return
        get_mode, set_mode, word, bits = float_mode
        mode = _Words()
        get_mode(mode)
        before = mode[word]
        mode[word] = before | bits if self._flushed else before & ~bits
        if mode[word] != before:
            set_mode(mode)
            mode[word] = before
            self._restore = partial(set_mode, mode)

    def __exit__(self, *raised: object) -> None:
        if self._restore is not None:
            self._restore()


@cache
def _float_mode() -> _FloatMode | None:
    """Return how the mode is changed here; None if it can't be, or if changing it has no effect."""
    try:
        word, bits = _WHERE[sys.platform, platform.machine()]
        library = ctypes.PyDLL(None)
        get_mode, set_mode = library.fegetenv, library.fesetenv
    except (KeyError, AttributeError, OSError):
        return None
    for dtype in (np.float32, np.float64):
        np.finfo(dtype)  # measured once a process: while they are flushed, it would find no subnormal number, and warn
    mode = _Words()
    get_mode(mode)
    before = mode[word]
    mode[word] |= bits
    set_mode(mode)
    works = sys.float_info.min / 2 == 0
    mode[word] = before
    set_mode(mode)
    return _FloatMode(get_mode, set_mode, word, bits) if works else None

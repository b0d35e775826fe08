"""Compares a submission's arrays with the expected ones, and names the likely mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.verbs.homework.isolation import SubmissionError

TOLERANCE: Final = 1e-6
"""Largest difference, relative to the largest expected element."""

AT_ZERO: Final = 1e-9
"""Largest difference from elements that are all 0."""


def require_equal(name: str, found: Array, expected: Array, known: Mapping[str, Array] | None = None) -> None:
    """Check an array of a submission.

    Args:
        name: what it is called in messages, such as ``dx``.
        found: the submission's.
        expected: the built-in's.
        known: arrays and numbers that a mistake may involve, by name: ``x``, ``dy``, ``the number of rows``.

    Raises:
        SubmissionError: it differs; with the likely mistake, or the element that differs most.
    """
    expected = np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        transposed = found.ndim == 2 and _are_equal(found.T, expected)
        cause = "; it is transposed" if transposed else ""
        raise SubmissionError(f"{name} has shape {found.shape}, expected {expected.shape}{cause}")
    if not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0])
        value = found[place]
        raise SubmissionError(
            f"{_element(name, place)} is {value}, expected {expected[place]:.6g}{_input_at(place, found, known or {})}"
        )
    if not _are_equal(found, expected):
        raise SubmissionError(_cause(name, found, expected, known or {}) or _worst(name, found, expected, known or {}))


def _are_equal(found: Array, expected: Array) -> bool:
    size = float(np.abs(expected).max(initial=0.0))
    return found.shape == expected.shape and bool((np.abs(found - expected) <= TOLERANCE * size + AT_ZERO).all())


def _cause(name: str, found: Array, expected: Array, known: Mapping[str, Array]) -> str:
    """Return what the whole array is in place of what is expected; an empty text if that isn't known."""
    if found.size > 1 and not found.any():
        return f"{name} is zero everywhere, expected {_sample(expected)}"
    for what, array in known.items():
        if array.ndim and _are_equal(found, array):
            return f"{name} equals {what}, expected {_sample(expected)}"
    squares = float((expected * expected).sum())
    factor = float((found * expected).sum()) / squares if squares else 1.0
    if found.size > 1 and factor and _are_equal(found, factor * expected):
        if abs(factor + 1) < TOLERANCE:
            return f"{name} has the wrong sign"
        numbers = {what: float(array) for what, array in known.items() if not array.ndim}
        causes = [f", {what}" for what, number in numbers.items() if abs(factor - number) < TOLERANCE * number]
        causes += [
            f": divide by {what} only once" if number > 1 else ""
            for what, number in numbers.items()
            if number != 1 and abs(factor * number - 1) < TOLERANCE
        ]
        return f"{name} is {factor:.4g} times what is expected, everywhere{causes[0] if causes else ''}"
    offset = found - expected
    if found.size > 1 and _are_equal(offset, np.full_like(offset, offset.mean())):
        return f"{name} differs from what is expected by {offset.mean():.4g} everywhere"
    return ""


def _worst(name: str, found: Array, expected: Array, known: Mapping[str, Array]) -> str:
    """Return how many elements are wrong, and the one that differs most."""
    errors = np.abs(found - expected)
    wrong = int((errors > TOLERANCE * np.abs(expected).max(initial=0.0) + AT_ZERO).sum())
    place = np.unravel_index(int(errors.argmax()), errors.shape)
    counted = f"; {wrong} of {errors.size} elements are wrong" if errors.size > 1 else ""
    return (
        f"{_element(name, place)} is {found[place]:.6g}, expected {expected[place]:.6g}, error {errors[place]:.2g}"
        f"{_input_at(place, found, known)}{counted}"
    )


def _element(name: str, place: tuple[np.intp, ...]) -> str:
    return f"{name}[{', '.join(str(int(each)) for each in place)}]" if place else name


def _input_at(place: tuple[np.intp, ...], found: Array, known: Mapping[str, Array]) -> str:
    x = known.get("x")
    return f", where x is {x[place]:.4g}" if x is not None and x.shape == found.shape and place else ""


def _sample(expected: Array) -> str:
    place = np.unravel_index(int(np.abs(expected).argmax()), expected.shape)
    return f"{expected[place]:.6g} at {[int(each) for each in place]}" if place else f"{expected[()]:.6g}"

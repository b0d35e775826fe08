"""Compares a submission's arrays with the expected ones, and names the likely mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.verbs.homework.isolation import SubmissionError

TOLERANCE: Final = 1e-6
"""Largest difference, relative to the largest expected element."""

AT_ZERO: Final = 1e-9
"""Largest difference from elements that are all 0."""


def require_equal(
    name: str, found: Array, expected: Array, known: Mapping[str, Array], counts: Mapping[str, int] | None = None
) -> None:
    """Check an array of a submission.

    Args:
        name: what it is called in messages, such as ``dx``.
        found: the submission's.
        expected: the built-in's.
        known: arrays that a mistake may pass on, by name, such as ``dy``.
        counts: numbers that a mistake may multiply or divide by, by name, such as ``the number of rows``.

    Raises:
        SubmissionError: it differs; with the likely mistake, or the element that differs most.
    """
    if found.shape != expected.shape:
        cause = "; it is transposed" if found.ndim == 2 and _are_equal(found.T, expected) else ""
        raise SubmissionError(f"{name} has shape {found.shape}, expected {expected.shape}{cause}")
    if not _are_equal(found, expected):
        cause = next(_causes(name, found, expected, known, counts or {}), "") if np.isfinite(found).all() else ""
        raise SubmissionError(cause or _worst(name, found, expected, known))


def _wrong(found: Array, expected: Array) -> Array:
    most = TOLERANCE * float(np.abs(expected).max(initial=0.0)) + AT_ZERO
    return np.asarray(~(np.abs(found - expected) <= most))  # NaN is wrong


def _are_equal(found: Array, expected: Array) -> bool:
    return found.shape == expected.shape and not _wrong(found, expected).any()


def _causes(
    name: str, found: Array, expected: Array, known: Mapping[str, Array], counts: Mapping[str, int]
) -> Iterator[str]:
    """Yield what the whole array is in place of what is expected."""
    if found.size == 1:
        return
    if not found.any():
        yield f"{name} is zero everywhere"
    for what, array in known.items():
        if _are_equal(found, array):
            yield f"{name} equals {what}"
    factor = float((found * expected).sum()) / (float((expected * expected).sum()) or 1.0)
    if factor and _are_equal(found, factor * expected):
        if abs(factor + 1) < TOLERANCE:
            yield f"{name} has the wrong sign"
        times = [f", {what}" for what, count in counts.items() if abs(factor / count - 1) < TOLERANCE]
        times += [f": it is divided by {what}" for what, count in counts.items() if abs(factor * count - 1) < TOLERANCE]
        yield f"{name} is {factor:.4g} times what is expected, everywhere{''.join(times[:1])}"
    if _are_equal(found - expected, np.full_like(found, (found - expected).mean())):
        yield f"{name} differs from what is expected by {(found - expected).mean():.4g} everywhere"


def _worst(name: str, found: Array, expected: Array, known: Mapping[str, Array]) -> str:
    """Return the element that differs most, what is expected there, and how many are wrong."""
    errors = np.nan_to_num(np.abs(found - expected), nan=np.inf)
    place = tuple(int(each) for each in np.unravel_index(int(errors.argmax()), errors.shape))
    x = known.get("x")
    where = f", where x is {x[place]:.4g}" if place and x is not None and x.shape == found.shape else ""
    element = f"{name}{list(place) if place else ''} is {found[place] + 0.0:.6g}, expected {expected[place] + 0.0:.6g}"
    wrong = f"; {int(_wrong(found, expected).sum())} of {errors.size} elements are wrong" if place else ""
    return f"{element}, error {errors[place]:.2g}{where}{wrong}"

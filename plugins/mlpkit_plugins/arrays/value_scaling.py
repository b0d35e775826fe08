"""The scaling of target values by the training examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import numpy as np

from mlpkit import Array, ParameterError, ValuesScaling
from mlpkit_plugins.arrays.scaling import Scaling

ScaleTarget: TypeAlias = Literal["standardize", "log", "none"]

DEVIATION_OVERFLOWS: Final = "the numbers are so large that their deviation overflows"


def values_scaling(parts: Iterable[Array], shape: tuple[int, ...], *, log: bool) -> ValuesScaling:
    """Return mean and standard deviation of each value, or of its logarithm.

    Args:
        parts: the values of the training examples, block by block.
        shape: the shape of one example's values.
        log: whether the logarithms are scaled.

    Raises:
        ValueError: a value has no finite standard deviation.
    """
    fitted = Scaling(shape).fitted(np.log(part, dtype=np.float64) if log else part for part in parts)
    assert fitted.means is not None
    assert fitted.stds is not None
    return ValuesScaling(tuple(fitted.means.ravel().tolist()), tuple(fitted.stds.ravel().tolist()), log)


def values_range(parts: Iterable[Array]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the minimum and maximum of each value, in the order of a flat array.

    Args:
        parts: the values of the training examples, block by block.
    """
    ends = np.array([(part.min(axis=0).ravel(), part.max(axis=0).ravel()) for part in parts], np.float64)
    return tuple(ends[:, 0].min(axis=0).tolist()), tuple(ends[:, 1].max(axis=0).tolist())


def check_clippable(clip_predictions: bool, predict: str, scale_target: ScaleTarget) -> None:
    """Check that ``clip_predictions`` is only set for scaled values.

    Raises:
        ParameterError: it is set for other predictions.
    """
    if clip_predictions and predict not in ("values", "auto"):
        message = f"it is only for values, but predict is {predict}"
        raise ParameterError("clip_predictions", message, remedy="leave it out, or set predict: values")
    if clip_predictions and scale_target == "none":
        message = "values that aren't scaled can't be clipped"
        raise ParameterError("clip_predictions", message, remedy="leave out scale_target, or set it to standardize")


def no_logarithm(value: float) -> str:
    """Return the message for a value that has no logarithm."""
    return f"{value:g} has no logarithm, which scale_target: log asks for; set scale_target: standardize"

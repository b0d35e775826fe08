"""Advice about inputs with an axis of ensemble members."""

from __future__ import annotations


def remedy_for_axes(input_shape: tuple[int, ...], axes: int, otherwise: str) -> str:
    """Return what to do about inputs of a wrong shape, which may have an axis of ensemble members.

    Args:
        input_shape: their shape.
        axes: how many axes the loss takes.
        otherwise: what to do if that isn't the cause.
    """
    if len(input_shape) != axes + 1:
        return otherwise
    return f"{otherwise}; for members of an ensemble, put the loss into EnsembleLoss"

"""The numbers and the memory layouts on which the suite tries components."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt

from mlpkit import Layer
from mlpkit.testing.check_plugin import all_checks, run_check
from mlpkit.testing.suite.checks.operation import LAYOUTS
from mlpkit.testing.suite.plugin_under_test import subjects_of
from mlpkit_plugins.initializers.normal import Normal

BUILT = []


class Limited(Layer):
    """Leaves its inputs alone, and notes what it is built with.

    Args:
        parts: an integer from 4 to 9.
        few: an integer.
        share: a number between 0 and 0.5.
        rate: a number.
        name: a text.
    """

    def __init__(
        self,
        parts: Annotated[int, Ge(4), Le(9)] = 5,
        few: int = 6,
        share: Annotated[float, Gt(0), Lt(0.5)] = 0.25,
        rate: float = 2.5,
        name: str = "",
    ) -> None:
        BUILT.append((parts, few, share, rate))

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def test_a_constructor_is_tried_at_the_limits_of_its_annotations_and_just_inside():
    (subject,) = subjects_of(Limited)
    (check,) = (check for check in all_checks() if check.name == "odd_parameters_are_refused_with_our_errors")
    run_check(check, subject)
    parts, few, share, rate = (
        sorted(set(values) - {usual}) for *values, usual in zip(*BUILT, (5, 6, 0.25, 2.5), strict=True)
    )
    assert (parts, few, rate) == ([4, 8, 9], [-1, 0, 1], [-1.0, 0.0, 1.0])
    assert share == [1e-9, 0.5 - 1e-9]


@pytest.mark.parametrize("shape", [(7,), (7, 6), (7, 2, 3)])
def test_layouts_hold_the_same_numbers_otherwise_in_memory(shape):
    x = np.random.default_rng(0).normal(size=shape)
    laid_out = {name: lay_out(x) for name, lay_out in LAYOUTS.items()}
    for array in laid_out.values():
        np.testing.assert_array_equal(array, x)
    strides = {name: array.strides for name, array in laid_out.items()}
    inside = x.strides[1:]
    assert strides["every other row of a larger array"] == (2 * x.strides[0], *inside)
    assert strides["rows backwards"] == (-x.strides[0], *inside)
    if inside:
        assert strides["columns in order"] == x.T.copy().T.strides != x.strides
        assert strides["part of a wider array"] == np.empty((*shape[:-1], shape[-1] + 3)).strides


class Seeing(Normal):
    """Keeps what it is shown: its values, and the outputs of the layer with them, with none, and with ones."""

    seen: ClassVar = []

    def adapt(self, values, outputs, unit_axis, rng):
        shown = [outputs(each) for each in (values, np.zeros_like(values), np.ones_like(values))]
        self.seen.append((values, shown, unit_axis))
        return values

    @classmethod
    def examples(cls):
        return [({"std": 2.0}, shape) for shape in ((5, 3), (2, 3, 4), (4,), (1,), ())]


def test_an_initializer_adapts_to_rows_with_a_feature_for_each_weight_or_to_the_outputs_of_a_bias():
    (subject,) = subjects_of(Seeing)
    (check,) = (check for check in all_checks() if check.name == "adapted_values_can_be_trained")
    Seeing.seen.clear()
    run_check(check, subject)
    shapes = [values.shape for values, *_ in Seeing.seen[::4]]
    assert shapes == [(5, 3), (2, 3, 4), (4,), (1,)]  # without axes, there are no units
    for number, (values, (outputs, of_none, of_ones), unit_axis) in enumerate(Seeing.seen):
        dtype = ("float32", "float64")[number % 4 // 2]
        units = values.shape[-1]
        assert (values.dtype, outputs.dtype, outputs.shape, unit_axis) == (dtype, dtype, (6, units), -1)
        is_constant = number % 2 == 1
        if values.ndim == 1:
            np.testing.assert_allclose(outputs - of_none, np.tile(values, (6, 1)), atol=1e-6)
            assert len(np.unique(of_none)) == (1 if is_constant else 6 * units)
        else:
            assert not of_none.any()
            assert outputs.any() == of_ones.any() != is_constant
            assert len(np.unique(of_ones)) == (1 if is_constant else 6)

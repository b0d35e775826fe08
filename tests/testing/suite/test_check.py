"""Comparing results."""

from __future__ import annotations

import re
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from mlpkit.testing import CheckFailure
from mlpkit.testing.suite.check import check_close, check_same_bits, unchanged_object
from mlpkit_plugins.layers.relu import Relu


def test_equal_bits_are_equal_even_if_they_are_nan():
    odd = np.array([0.0, -0.0, np.nan, np.inf])
    check_same_bits({"y": odd}, {"y": odd.copy()}, "when repeated", "")
    check_close({"y": odd}, {"y": odd.copy()}, "when repeated", "", tolerance=1e-9)


def test_a_message_says_which_array_and_by_how_much():
    message = r"^y changed by up to 0\.25 when repeated; expected the same bits; look again$"
    with pytest.raises(CheckFailure, match=message):
        check_same_bits(
            {"x": np.ones(2), "y": np.array([1.25, 1])},
            {"x": np.ones(2), "y": np.ones(2)},
            "when repeated",
            "look again",
        )
    with pytest.raises(CheckFailure, match=r"^y changed \(one of them contains NaN\)"):
        check_close({"y": np.array([np.nan])}, {"y": np.ones(1)}, "when repeated", "", tolerance=1e-9)


def test_shapes_and_dtypes_are_compared_first():
    with pytest.raises(CheckFailure, match=r"^y became float32 of shape \(2,\) .*expected float64 of shape \(3,\)"):
        check_close({"y": np.ones(2, np.float32)}, {"y": np.ones(3)}, "when repeated", "", tolerance=1)


def test_a_zero_with_another_sign_is_other_bits_and_yet_close():
    check_close({"y": np.array([0.0])}, {"y": np.array([-0.0])}, "when repeated", "", tolerance=0)
    with pytest.raises(CheckFailure, match="changed by up to 0"):
        check_same_bits({"y": np.array([0.0])}, {"y": np.array([-0.0])}, "when repeated", "")


def test_rounding_is_measured_against_the_largest_element():
    check_close({"y": np.array([1e9 + 0.5, 0])}, {"y": np.array([1e9, 0])}, "when repeated", "", tolerance=1e-9)
    with pytest.raises(CheckFailure):
        check_close({"y": np.array([1e9 + 1.5, 0])}, {"y": np.array([1e9, 0])}, "when repeated", "", tolerance=1e-9)
    check_close({"y": np.empty((0, 3))}, {"y": np.empty((0, 3))}, "when repeated", "", tolerance=0)


class Inner:
    """An object of the author's that says nothing about itself."""

    def __init__(self):
        self.sums = np.zeros(3000)


class Named(Inner):
    """One that does: what its repr leaves out, such as a cache, may change."""

    def __repr__(self):
        return f"Named({self.sums[0]})"


class Component(SimpleNamespace):
    """One with an attribute of each kind."""

    def __init__(self):
        super().__init__(count=1, far=np.zeros(3000), inner=Inner(), named=Named(), layer=Relu(), lock=object())
        self.seen = []


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (lambda it: None, ""),
        (lambda it: setattr(it, "far", it.far.copy()), ""),
        (lambda it: it.named.sums.__setitem__(1500, 1.0), ""),
        (lambda it: setattr(it.layer, "x", 2), ""),  # a component has checks of its own
        (lambda it: it.named.sums.__setitem__(0, 1.0), "self.named"),
        (lambda it: it.far.__setitem__(1500, 1e-12), "self.far"),
        (lambda it: it.inner.sums.__setitem__(1500, 1.0), "self.inner"),
        (lambda it: setattr(it.inner, "more", 1), "self.inner"),
        (lambda it: setattr(it, "lock", object()), "self.lock"),
        (lambda it: setattr(it, "new", None), "self.new"),
        (lambda it: (it.seen.append(4), setattr(it, "count", 2)), "self.count, self.seen"),
    ],
)
def test_an_object_changes_if_what_it_holds_does(change, changed):
    component = Component()
    message = f"update changed {changed}; expected an object that doesn't change; use slots"
    failure = pytest.raises(CheckFailure, match=f"^{re.escape(message)}$") if changed else nullcontext()
    with failure, unchanged_object("update", component, remedy="use slots"):
        change(component)

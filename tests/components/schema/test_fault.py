"""A fault in one line."""

from __future__ import annotations

from mlpkit.components.schema.checking import Fault


def test_a_fault_says_where_what_and_what_to_do():
    assert str(Fault((), "is wrong")) == "is wrong"
    assert str(Fault(("layers", 0, "units"), "is wrong")) == "layers.0.units: is wrong"
    assert str(Fault(("a",), "is wrong", expected="right", remedy="mend it")) == "a: is wrong; expected right; mend it"

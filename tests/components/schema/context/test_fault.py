"""A fault in one line."""

from __future__ import annotations

from mlpkit.components.schema.context import Problem


def test_a_fault_says_where_what_and_what_to_do():
    assert str(Problem((), "is wrong")) == "is wrong"
    assert str(Problem(("layers", 0, "units"), "is wrong")) == "layers.0.units: is wrong"
    assert (
        str(Problem(("a",), "is wrong", expected="right", remedy="mend it")) == "a: is wrong; expected right; mend it"
    )

"""How a value is written in a spec."""

from __future__ import annotations

import pytest

from mlpkit.specfile.yaml_writer import to_inline_yaml


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1, "0.1"),
        (None, "null"),
        (True, "true"),
        ("he_normal", "he_normal"),
        ("3", "'3'"),
        ((), "[]"),
        (["accuracy"], "[accuracy]"),
        ({"normal": {"std": 0.01}}, "{normal: {std: 0.01}}"),
        ({"x": "a " * 100}, "{x: '" + "a " * 100 + "'}"),
        (pytest, str(pytest)),
    ],
)
def test_a_value_is_written_on_one_line_as_in_a_spec(value, text):
    assert to_inline_yaml(value) == text

"""How shapes are written."""

from __future__ import annotations

import pytest

from mlpkit.terminal.formatting import shape


@pytest.mark.parametrize(("lengths", "text"), [((784,), "784"), ((1, 28, 28), "1 x 28 x 28"), ((), "")])
def test_a_shape_has_no_brackets(lengths, text):
    assert shape(lengths) == text

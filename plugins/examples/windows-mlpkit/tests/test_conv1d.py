"""The layer Conv1d."""

import pytest
from windows_mlpkit.conv1d import Conv1d

from mlpkit import ShapeError


def test_patches_longer_than_the_inputs_are_refused():
    with pytest.raises(ShapeError, match="reaches over 7 steps, and its inputs have 6"):
        Conv1d(2, 4, dilation=2).build((6, 2))

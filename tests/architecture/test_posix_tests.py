"""The table of tests that need POSIX."""

from pathlib import Path

import pytest
from posix_tests import REASONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", REASONS)
def test_each_row_is_a_test_and_has_a_reason(name):
    file, _, function = name.partition("::")
    assert f"def {function}" in (ROOT / file).read_text("utf-8")
    assert len(REASONS[name]) > 10

"""Golden files are compared with, and written only if that was asked for."""

from __future__ import annotations

import pytest
from golden_files import compare_or_renew


def test_a_text_that_differs_fails_and_the_message_says_how_to_renew_the_file(tmp_path):
    path = tmp_path / "case.txt"
    path.write_text("before\n")
    compare_or_renew(path, "before\n", renew=False)
    with pytest.raises(AssertionError, match=r"case.txt .* pytest --renew-golden"):
        compare_or_renew(path, "after\n", renew=False)
    assert path.read_text() == "before\n"


def test_a_file_that_is_missing_fails(tmp_path):
    with pytest.raises(AssertionError):
        compare_or_renew(tmp_path / "case.txt", "said\n", renew=False)


def test_renewing_writes_what_differs_and_leaves_the_rest_alone(tmp_path):
    stale, right = tmp_path / "stale.txt", tmp_path / "right.txt"
    right.write_text("é\n", encoding="utf-8")
    before = right.stat().st_mtime_ns
    compare_or_renew(stale, "é\n", renew=True)
    compare_or_renew(right, "é\n", renew=True)
    assert stale.read_text("utf-8") == "é\n"
    assert right.stat().st_mtime_ns == before

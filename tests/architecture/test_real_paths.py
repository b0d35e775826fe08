"""Links are followed by one function, for which a loop of them is no exception of its own."""

from __future__ import annotations

from pathlib import Path

import mlpkit
from mlpkit.system import real_path


def test_a_loop_of_links_is_an_error_only_when_it_is_opened(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert not real_path(tmp_path / "loop" / "file").exists()


def test_no_other_function_follows_links():
    sources = Path(mlpkit.__file__).parent.rglob("*.py")
    assert [path for path in sources if ".resolve()" in path.read_text("utf-8")] == []

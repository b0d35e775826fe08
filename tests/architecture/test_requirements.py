"""Where CI expects something of its machine, a test that needs it fails instead of being skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
FILES = {
    "test": "from requirements import require\ndef test(): require('flush', False, 'nothing is flushed')",
    "module": "from requirements import require\nrequire('flush', False, 'nothing is flushed')\ndef test(): pass",
    "mark": "from requirements import requires\n@requires('flush', False, 'nothing is flushed')\ndef test(): pass",
    "import": "from requirements import require_module\nrequire_module('flush', 'no_such_module')\ndef test(): pass",
}


@pytest.mark.parametrize("expected", ["", "kernels", "kernels,flush", "tea"])
@pytest.mark.parametrize("kind", FILES)
def test_a_skip_is_a_failure_where_the_thing_is_expected(kind, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("MLPKIT_EXPECT", expected)
    (tmp_path / "test_it.py").write_text(FILES[kind], "utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {SUPPORT}\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if expected == "tea":
        assert "MLPKIT_EXPECT: tea: the words are browser, compiler" in done.stdout
    elif "flush" in expected:
        assert done.returncode in {1, 2}
        assert "MLPKIT_EXPECT lists 'flush', but: " in done.stdout
    else:
        assert "1 skipped" in done.stdout
        reason = "needs no_such_module: pip install" if kind == "import" else "nothing is flushed"
        assert reason in done.stdout

"""The benchmark of first specs trains a table unedited, and prints its row."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from requirements import require_package

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "first_tables.py"


def printed(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_a_table_that_is_not_there():
    require_package("sklearn")
    done = printed("titanik")
    assert done.returncode == 2
    assert "error: argument NAME: titanik is unknown; expected weather, " in done.stderr


def test_several_targets_of_a_small_table():
    require_package("sklearn")
    done = printed("linnerud")
    assert (done.returncode, done.stderr) == (0, "")
    *_, row = done.stdout.splitlines()
    assert re.fullmatch(r"\| linnerud \(r²\) \| 20 x 6( \| -?[\d.]+){3} \|", row)

"""Wrong specs, and word for word what is said about each.

A case is a file ``wrong_specs/<case>.yaml``. Beside it ``<case>.txt`` holds the whole message, and ``<case>.set``,
if there is one, the overrides, one a line. Files that cases extend are in ``wrong_specs/bases``.

To add a case, write its YAML and run this file: the failure shows the message. Read it as a user would; if it says
what is wrong, where, and what to do, save it by ``pytest tests/specfile/test_wrong_specs.py --renew-golden``. Then add
a line to ``wrong_specs.expected``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpkit.errors import SpecError
from mlpkit.specfile.spec import read_spec
from mlpkit.verbs.run.check import check

FOLDER = Path(__file__).parent / "wrong_specs"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_message(case, monkeypatch, golden):
    monkeypatch.chdir(FOLDER)
    overrides = Path(f"{case}.set")
    given = overrides.read_text("utf-8").splitlines() if overrides.exists() else ()
    with pytest.raises(SpecError) as caught:
        check(read_spec(f"{case}.yaml", overrides=given))
    golden(Path(f"{case}.txt"), f"{caught.value}\n")


def test_no_message_without_a_spec():
    strays = [path.name for path in FOLDER.iterdir() if path.is_file() and path.stem not in CASES]
    assert strays == []

"""How many files of the core one has to read to follow a spec from its text to a checked value."""

from __future__ import annotations

import sys
from pathlib import Path

import mlpkit
from mlpkit.specfile.spec import read_spec

CORE = Path(mlpkit.__file__).parent
MOST = 25


def test_a_spec_enters_few_modules_on_its_way():
    spec = CORE / "shipped_specs" / "mnist_3layer.yaml"
    read_spec(spec)  # what this imports is no part of the way
    entered = set()

    def note(frame, event, argument):
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(CORE):
            entered.add(file.relative_to(CORE).as_posix())

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        read_spec(spec)
    finally:
        sys.setprofile(before)
    assert len(entered) <= MOST, sorted(entered)

"""A run whose output can't be written."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(params=["full disk", "closed pipe"])
def unwritable(request):
    """Yield a descriptor that can't be written, and the exit code of a program that tries."""
    if request.param == "full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        os.close(reading)
    yield descriptor, 1 if request.param == "full disk" else 141
    os.close(descriptor)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_ends_in_order_and_is_resumed_to_the_same_bits(options, unwritable, mlpkit, cwd):
    descriptor, code = unwritable
    done = mlpkit("run", "tiny.yaml", "--out", "cut", *options, stdout=descriptor)
    assert done.code == code
    assert ("the run so far is saved in cut" in done.err) == (code == 1)
    assert not (cwd / "cut" / "metrics.json").exists()
    assert mlpkit("resume", "cut").code == 0
    assert mlpkit("run", "tiny.yaml", "--out", "whole").code == 0
    for name in ("model.safetensors", "history.jsonl", "metrics.json"):
        assert (cwd / "cut" / name).read_bytes() == (cwd / "whole" / name).read_bytes()

"""Values that are too long to be read are shortened in messages, whatever verb prints them."""

from __future__ import annotations

import pytest

LONG = "x" * 20_000


@pytest.mark.parametrize(
    "arguments",
    [
        [LONG],
        [f"--{LONG}"],
        ["check", LONG],
        ["check", "tiny.yaml", "--set", f"seed={LONG}"],
        ["check", "tiny.yaml", "--set", f"training.{LONG}=1"],
        ["check", "tiny.yaml", "--plugin", LONG],
        ["check-plugin", LONG],
        ["compare", LONG, LONG],
        ["data", "tiny.yaml", "--rows", LONG],
        ["evaluate", LONG],
        ["explain", "tiny.yaml", LONG],
        ["explain", "tiny.yaml", f"layers.{'x y ' * 5000}"],
        ["init", LONG],
        ["init", "flowers", "--to", LONG],
        ["new-plugin", LONG],
        ["new-plugin", "acme", "--out", LONG],
        ["new-plugin", "acme", "--kind", LONG],
        ["plugins", LONG],
        ["predict", LONG, LONG],
        ["repro", LONG],
        ["resume", LONG],
        ["run", LONG],
        ["run", "tiny.yaml", "--out", LONG],
        ["schema", LONG],
        ["show", LONG],
        ["show", f"a.{'b c ' * 5000}"],
    ],
    ids=lambda arguments: " ".join(argument[:20] for argument in arguments),
)
def test_a_message_stays_short(arguments, invoke):
    done = invoke(*arguments)
    assert (done.code in (1, 2), done.out) == (True, "")
    assert 20 < len(done.err) < 3000
    assert "xxxxx" in done.err or "x y x" in done.err or "b c b" in done.err
    assert "..." in done.err
    assert "internal error" not in done.err

"""What a page shows is held against what a command printed, word by word but for numbers."""

from __future__ import annotations

import pytest
from walkthrough import expect_printed

PRINTED = "step  loss\n100   0.5\nerror: too fast; slow down\nkept in runs/a\n"


@pytest.mark.parametrize(
    "shown",
    [
        PRINTED,
        "",
        PRINTED.replace("0.5", "0.25"),
        PRINTED.replace("step  loss", "step loss"),
        "step  loss\n...\n",
        "...\nkept in runs/a\n",
        "step  loss\n...\nkept in runs/a\n",
        PRINTED.replace("too fast; slow down", "too fast; ..."),
    ],
)
def test_what_is_shown_was_printed(shown):
    expect_printed(shown, PRINTED)


@pytest.mark.parametrize(
    "shown",
    [
        PRINTED.replace("slow down", "slow up"),
        PRINTED.replace("runs/a", "runs/b"),
        "step  loss\n",
        "100   0.5\n...\n",
        "saved in runs/a\n...\nstep  loss\n",
        "...\nerror: too fast\n...\n",
        PRINTED + "and more\n",
    ],
)
def test_what_is_shown_was_not_printed(shown):
    with pytest.raises(AssertionError):
        expect_printed(shown, PRINTED)

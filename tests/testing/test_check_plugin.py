"""What every check of the suite has."""

from __future__ import annotations

import pytest

from mlpkit.components.kinds import KINDS
from mlpkit.testing.check_plugin import PREREQUISITES, all_checks, checks_for


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_a_check_says_what_it_asks_and_why(check):
    assert check.asks.endswith("?")
    assert check.function.__doc__.partition("\n\n")[2].strip().endswith(".")
    assert set(check.kinds) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_checks_of_its_own(kind):
    names = [check.name for check in checks_for(kind)]
    assert len(names) == len(set(names))
    assert set(PREREQUISITES) <= set(names)
    common = [check for check in all_checks() if len(check.kinds) == len(KINDS)]
    assert len(names) >= len(common) + 3

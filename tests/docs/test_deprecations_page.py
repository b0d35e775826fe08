"""The page of deprecations lists what the code declares."""

from __future__ import annotations

from generators.deprecations import deprecations

import mlpkit
from mlpkit import Deprecation
from mlpkit.cli import verbs


def test_the_page_lists_commands_and_names_and_nothing_else(monkeypatch):
    assert deprecations() == "Nothing is deprecated.\n"
    old_verb = verbs.VERBS["runs"]._replace(deprecated=Deprecation("use mlpkit compare", "0.2", "0.4"))
    monkeypatch.setitem(verbs.VERBS, "runs", old_verb)
    monkeypatch.setitem(mlpkit._DEPRECATED, "train", ("mlpkit.verbs.run.run:run", Deprecation("use run", "0.3")))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in deprecations().splitlines()]
    assert rows[0] == ["what", "since", "removed in", "instead"]
    assert rows[2:] == [["`mlpkit runs`", "0.2", "0.4", "use mlpkit compare"], ["`mlpkit.train`", "0.3", "", "use run"]]

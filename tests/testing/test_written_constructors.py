"""Plugins whose classes write their constructors, and annotate attributes as they like, pass every check."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpkit.testing.check_plugin import check_plugin

PLUGINS = Path(__file__).parent / "written_constructors"


@pytest.mark.parametrize(
    ("plugin", "names"),
    [
        ("written_layer", ["written_layer.Swish", "written_layer.Centered"]),
        ("written_loss", ["written_loss.HingeLoss"]),
        ("written_optimizer", ["written_optimizer.momentum"]),
    ],
)
def test_a_plugin_with_written_constructors_passes_every_check(plugin, names):
    checked = list(check_plugin(str(PLUGINS / f"{plugin}.py")))
    assert sorted(each.name for each in checked) == sorted(names)
    assert [each.failed for each in checked] == [()] * len(names)

"""Which distribution is the one that is running."""

from __future__ import annotations

import json
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

import mlpkit
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.distributions import InstalledDistribution, holds_this_program

SOURCE = Path(mlpkit.__file__).parents[1]


def distribution(folder):
    info = folder / "mlpkit-1.0.dist-info"
    info.mkdir(exist_ok=True)
    return InstalledDistribution(PathDistribution(info))


def test_a_distribution_beside_the_program_holds_it(tmp_path):
    assert not holds_this_program(distribution(tmp_path))
    tmp_path.joinpath("mlpkit").symlink_to(SOURCE / "mlpkit")
    assert holds_this_program(distribution(tmp_path))


@pytest.mark.parametrize(
    ("url", "holds"),
    [(SOURCE.as_uri(), True), ("file:///elsewhere", False), ("https://example.org/mlpkit", False)],
)
def test_an_editable_installation_holds_what_it_points_at(tmp_path, url, holds):
    found = distribution(tmp_path)
    (tmp_path / "mlpkit-1.0.dist-info" / "direct_url.json").write_text(json.dumps({"url": url}))
    assert holds_this_program(found) == holds


def test_a_garbled_url_points_nowhere(tmp_path):
    found = distribution(tmp_path)
    for text in ("", "[", "[]", "{}"):
        (tmp_path / "mlpkit-1.0.dist-info" / "direct_url.json").write_text(text)
        assert not holds_this_program(found)


@pytest.mark.parametrize("entries", [["mlpkit = rogue_plugin"], ["rogue = rogue_plugin"], []])
def test_an_impostor_earlier_on_the_path_takes_nothing_away(distributions, entries):
    distributions.install("mlpkit", module="rogue_plugin", entries=entries, version="99")
    built_in = [plugin for plugin in installed_plugins() if plugin.built_in]
    assert [plugin.version for plugin in built_in if plugin.usable] == [mlpkit.__version__]

"""What a distribution's own metadata says of the version of mlpkit that it needs."""

from __future__ import annotations

import sys

import pytest

import mlpkit
from mlpkit.registry.registry import Registry


def require(distributions, *requirements):
    distributions.install("acme")
    metadata = distributions.folder / "acme-1.2.dist-info" / "METADATA"
    lines = [f"Requires-Dist: {requirement}\n" for requirement in requirements]
    metadata.write_text(metadata.read_text() + "".join(lines))


@pytest.mark.parametrize(
    "requirements",
    [
        [],
        ["numpy>=99"],
        ["mlpkit"],
        [f"mlpkit=={mlpkit.__version__}"],
        ["mlpkit[images] (>=0.0.1)"],
        ["mlpkit-extras>=99", "mlpkit_extras>=99", "mlpkit.extras>=99"],
        ['mlpkit>=99; extra == "later"', 'mlpkit>=99; python_version < "3"'],
    ],
)
def test_a_plugin_for_this_version_is_loaded(distributions, requirements):
    require(distributions, *requirements)
    assert Registry.discover().create("layer", "acme.Swish").beta == 1.0


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("mlpkit>=99", f"it requires mlpkit>=99, and this is mlpkit {mlpkit.__version__}"),
        ("MLPKIT (<0.0.1)", f"it requires mlpkit<0.0.1, and this is mlpkit {mlpkit.__version__}"),
        ("mlpkit>=banana", "its metadata requires 'mlpkit>=banana', which is not a requirement"),
    ],
)
def test_a_plugin_for_another_version_is_refused_and_not_imported(distributions, requirement, reason):
    require(distributions, "numpy", requirement)
    registry = Registry.discover()
    for _ in range(2):
        with pytest.raises(mlpkit.UnknownComponentError) as caught:
            registry.find(("layer",), "acme.Swish")
        assert str(caught.value) == (
            f"layer 'acme.Swish' is missing: the plugin 'acme' (acme 1.2) is refused: {reason}"
        )
    assert "acme_plugin" not in sys.modules
    assert all(entry.plugin.namespace != "acme" for entry in registry.components())

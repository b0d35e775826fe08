"""Doing without plugins or single components: the rest still works, and what is missing is said."""

from __future__ import annotations

import pytest

import mlpkit_plugins
from mlpkit import UnknownComponentError
from mlpkit.components.kinds import in_words
from mlpkit.registry.plugin import Status
from mlpkit.registry.registry import Registry

BUILT_IN = {declared.name: declared.kind for declared in mlpkit_plugins.mlpkit_components()}


def explanation(registry, kind, name):
    with pytest.raises(UnknownComponentError) as caught:
        registry.find((kind,), name)
    return str(caught.value)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("spelling", ["{}", "mlpkit.{}"])
def test_any_single_built_in_can_be_done_without(name, spelling):
    registry = Registry.discover(blocked=[spelling.format(name)])
    assert explanation(registry, BUILT_IN[name], name) == (
        f"{in_words(BUILT_IN[name])} '{name}' is blocked by name; leave out --no-plugin"
    )
    assert {entry.name for entry in registry.components()} == set(BUILT_IN) - {name}
    for other in set(BUILT_IN) - {name}:
        assert registry.find((BUILT_IN[other],), other).name == other


@pytest.mark.parametrize("name", BUILT_IN)
def test_all_built_ins_can_be_done_without_at_once(name):
    registry = Registry.discover(blocked=["mlpkit"])
    assert registry.components() == []
    version = registry.plugins[0].version
    kind = BUILT_IN[name]
    assert explanation(registry, kind, name) == (
        f"{in_words(kind)} '{name}' is missing: the plugin 'mlpkit' (mlpkit {version}) is blocked: blocked by name"
    )


def test_a_registry_without_plugins_says_what_is_missing():
    assert explanation(Registry([]), "layer", "Affine") == (
        "layer 'Affine' is missing: the built-in components are not installed; reinstall mlpkit"
    )


def test_other_plugins_work_without_the_built_ins(distributions):
    distributions.install("acme")
    registry = Registry.discover(blocked=["mlpkit"])
    assert [entry.name for entry in registry.components()] == ["acme.Swish"]
    assert registry.create("layer", "acme.Swish").beta == 1.0
    assert explanation(registry, "layer", "Swish").startswith("layer 'Swish' is missing: the plugin 'mlpkit'")


def test_a_plugin_or_one_of_its_components_can_be_done_without(distributions):
    distributions.install("acme")
    registry = Registry.discover(blocked=["acme"])
    (plugin,) = (plugin for plugin in registry.plugins if plugin.namespace == "acme")
    assert (plugin.status, plugin.usable) == (Status.BLOCKED, False)
    assert explanation(registry, "layer", "acme.Swish") == (
        "layer 'acme.Swish' is missing: the plugin 'acme' (acme 1.2) is blocked: blocked by name"
    )
    registry = Registry.discover(blocked=["acme.Swish", "Relu"])
    assert explanation(registry, "layer", "acme.Swish") == (
        "layer 'acme.Swish' is blocked by name; leave out --no-plugin"
    )
    assert [entry.name for entry in registry.components(("layer",))] == [
        "Affine",
        "Sigmoid",
        "Tanh",
        "LeakyRelu",
        "Prelu",
        "Elu",
        "Selu",
        "Gelu",
        "Silu",
        "Mish",
        "Softplus",
        "Parametric",
        "Dropout",
        "BatchNorm",
        "LayerNorm",
        "Flatten",
        "Reshape",
        "Conv2d",
        "MaxPool2d",
        "AveragePool2d",
        "Sequence",
        "Residual",
        "Parallel",
        "Repeat",
        "Scale",
        "Maxout",
        "DropConnect",
        "Columns",
        "ColumnAffine",
        "Embedding",
        "EnsembleView",
        "BatchEnsembleAffine",
        "EnsembleAffine",
        "Periodic",
    ]


def test_a_bare_name_blocks_nothing_of_another_plugin(distributions):
    distributions.install("acme")
    assert Registry.discover(blocked=["Swish"]).find(("layer",), "acme.Swish").name == "acme.Swish"


def test_a_plugin_that_would_break_can_be_left_out(distributions):
    distributions.install("acme", "raise SystemExit")
    assert "is blocked: blocked by name" in explanation(Registry.discover(blocked=["acme"]), "layer", "acme.Swish")


def test_a_refused_plugin_says_why(distributions):
    distributions.install("acme", entries=["shared = acme_plugin"])
    distributions.install("bcme", entries=["shared = bcme_plugin"])
    assert explanation(Registry.discover(), "layer", "shared.Swish") == (
        "layer 'shared.Swish' is missing: the plugin 'shared' (acme 1.2) is refused: "
        "the namespace 'shared' is claimed by bcme too"
    )


def test_built_ins_that_are_blocked_are_not_mistaken_for_a_claim_to_their_namespace(distributions):
    distributions.install("acme", entries=["mlpkit = acme_plugin"])
    message = explanation(Registry.discover(blocked=["mlpkit"]), "layer", "Affine")
    assert message.endswith("is blocked: blocked by name")


def test_a_refused_plugin_stays_refused(distributions):
    distributions.install("acme", entries=["ac-me = acme_plugin"])
    registry = Registry.discover(blocked=["ac-me"])
    assert [plugin.status for plugin in registry.plugins if plugin.source == "acme"] == [Status.REFUSED]

"""Broken plugins: they are listed with the problem, and affect no other plugin."""

from __future__ import annotations

from textwrap import dedent

import pytest

import mlpkit_plugins
from mlpkit import PluginError
from mlpkit.registry.plugin import Status
from mlpkit.registry.registry import Registry

BUILT_IN = [declared.name for declared in mlpkit_plugins.mlpkit_components() if declared.kind == "layer"]

IMPORTS = "from mlpkit import Layer, Loss, Metric, component, hookimpl\n"

SOUND_CLASS = """
class Same(Layer):
    def forward(self, x):
        return x
    def backward(self, dy):
        return dy
"""


A_LIST = "expected a list, as in return [mlpkit.component('layer', 'Swish', Swish)]"


def hook(body):
    return f"{IMPORTS}{dedent(SOUND_CLASS)}\n@hookimpl\ndef mlpkit_components():\n    {body}\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import no_such_library",
            "ModuleNotFoundError: No module named 'no_such_library' (acme_plugin.py, line 1)",
        ),
        (
            "raise ImportError('libacme.so.3: cannot open')",
            "ImportError: libacme.so.3: cannot open (acme_plugin.py, line 1)",
        ),
        ("raise SystemExit(3)", "SystemExit: 3 (acme_plugin.py, line 1)"),
        ("import sys; sys.exit('I quit')", "SystemExit: I quit (acme_plugin.py, line 1)"),
        ("def f(:", "SyntaxError: invalid syntax (acme_plugin.py, line 1)"),
        ("1 / 0", "ZeroDivisionError: division by zero (acme_plugin.py, line 1)"),
        (
            "x = 1",
            "it has no hook mlpkit_components; expected a function of that name, marked with @mlpkit.hookimpl",
        ),
        (
            "def mlpkit_component():\n    return []",
            "it has no hook mlpkit_components, but mlpkit_component; expected a function of that name, marked with "
            "@mlpkit.hookimpl",
        ),
        (
            "def mlpkit_components():\n    return []",
            "its function mlpkit_components is not marked; put @mlpkit.hookimpl above it",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef mlpkit_component():\n    return []",
            "its hook 'mlpkit_component' is not one of mlpkit's; the only one is mlpkit_components",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef mlpkit_components(registry):\n    return []",
            "mlpkit_components is called without arguments, but takes registry",
        ),
        (hook("raise KeyError('colour')"), "KeyError: 'colour' (acme_plugin.py, line 11)"),
        (hook("raise SystemExit"), "SystemExit (acme_plugin.py, line 11)"),
        (
            hook("pass"),
            f"mlpkit_components returned nothing; {A_LIST}",
        ),
        (
            hook("return component('layer', 'Same', Same)"),
            f"mlpkit_components returned ComponentDeclaration; {A_LIST}",
        ),
        (
            hook("return {'Same': Same}"),
            f"mlpkit_components returned dict; {A_LIST}",
        ),
        (
            hook("yield component('layer', 'Same', Same)"),
            f"mlpkit_components returned generator; {A_LIST}",
        ),
        (
            hook("return [Same]"),
            "mlpkit_components returned an item of type ComponentType; expected mlpkit.component(...)",
        ),
        (
            hook("return [component(kind, 'Same', Same) for kind in ('layer', 'loss')]"),
            "the component Same is declared twice",
        ),
        (
            hook("return [component('layer', 'same', Same)]"),
            "'same' can't be the name of a layer; expected CamelCase (acme_plugin.py, line 11)",
        ),
        (
            hook("return [component('layer', 'Same', Same, deprecated='')]"),
            "layer Same: deprecated='' is not advice; expected what to use instead (acme_plugin.py, line 11)",
        ),
    ],
)
def test_a_broken_plugin_is_listed_and_only_who_needs_it_fails(distributions, code, reason):
    distributions.install("acme", code)
    distributions.install("bcme")
    registry = Registry.discover()
    assert [entry.name for entry in registry.components(("layer",))] == [*BUILT_IN, "bcme.Swish"]
    (plugin,) = (plugin for plugin in registry.plugins if plugin.namespace == "acme")
    assert (plugin.status, plugin.reason) == (Status.BROKEN, reason)
    with pytest.raises(PluginError) as caught:
        registry.find(("layer",), "acme.Same")
    assert str(caught.value) == f"the plugin 'acme' (acme 1.2) is broken: {reason}"


def test_an_interrupt_is_no_fault_of_a_plugin(distributions):
    distributions.install("acme", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Registry.discover().find(("layer",), "acme.Same")


def test_an_entry_point_that_names_nothing_is_broken(distributions):
    distributions.install("acme", entries=["acme = acme_plugin:plugin", "bcme = no_such_module", "ccme = not valid!"])
    registry = Registry.discover()
    registry.components()
    reasons = {plugin.namespace: plugin.reason for plugin in registry.plugins if plugin.status is Status.BROKEN}
    assert reasons["acme"] == "AttributeError: module 'acme_plugin' has no attribute 'plugin'"
    assert reasons["bcme"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert (
        reasons["ccme"] == "ValueError: 'not valid!' names no object; expected package.module or package.module:object"
    )
    assert registry.find(("layer",), "Relu").name == "Relu"


def test_an_entry_point_may_name_an_object(distributions):
    code = """
        from mlpkit import Layer, component, hookimpl
        class Plugin:
            @hookimpl
            def mlpkit_components(self):
                return (component("metric", "always", "mlpkit_plugins.metrics.accuracy:Accuracy"),)
        plugin = Plugin()
    """
    distributions.install("acme", code, entries=["acme = acme_plugin:plugin"])
    assert Registry.discover().create("metric", "acme.always").result() != 0


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (
            "'layer', 'Same', 'no_such_module:Same'",
            "can't be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            "'layer', 'Same', 'acme_parts.missing:Same'",
            "can't be imported: ModuleNotFoundError: No module named 'acme_parts.missing'",
        ),
        (
            "'layer', 'Same', 'acme_parts.needs:Same'",
            "can't be imported: ModuleNotFoundError: No module named 'acme_parts_library' (needs.py, line 1)",
        ),
        (
            "'layer', 'Same', 'acme_parts.needs:Same', extra='parts'",
            'needs the package acme_parts_library; install it with: pip install "acme[parts]"',
        ),
        (
            "'layer', 'Same', 'acme_parts.missing:Same', extra='parts'",
            "can't be imported: ModuleNotFoundError: No module named 'acme_parts.missing'",
        ),
        (
            "'layer', 'Same', 'no_such_module:Same', extra='parts'",
            "can't be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            "'layer', 'Same', 'acme_plugin:Other'",
            "can't be imported: AttributeError: module 'acme_plugin' has no attribute 'Other'",
        ),
        ("'layer', 'Same', ':Same'", "can't be imported: ValueError: Empty module name"),
        (
            "'layer', 'Same', 'acme_parts.nameless:Same', extra='parts'",
            "can't be imported: ModuleNotFoundError: the parts are missing (nameless.py, line 1)",
        ),
        ("'layer', 'Same', 'acme_parts.exits:Same'", "can't be imported: SystemExit: 4 (exits.py, line 1)"),
        ("'layer', 'Same', 'acme_parts.fails:Same'", "can't be imported: OSError: no device (fails.py, line 1)"),
        ("'layer', 'Same', 'acme_plugin:hookimpl'", "its target is a HookimplMarker, not a class"),
        ("'layer', 'Same', int", "int is not a subclass of mlpkit.Layer; write class int(Layer)"),
        ("'loss', 'Same', Same", "Same is a layer; declare it as that, or derive it from mlpkit.Loss"),
        ("'layer', 'Same', Layer", "Layer is missing backward(self, dy) and forward(self, x)"),
        (
            "'layer', 'Same', Untyped",
            "acme_plugin.Untyped: parameter 'units' of its constructor has no annotation; expected the type that a "
            "spec may give, as in units: float",
        ),
        ("'layer', 'Same', Secretive", "Secretive.computed_by is null; expected a string"),
        ("'layer', 'Same', Arbitrary", "Arbitrary.computed_by_reason is 7; expected a string"),
    ],
)
def test_a_component_that_is_not_what_it_says_is_explained(distributions, declaration, message):
    code = hook(f"return [component({declaration}), component('layer', 'Good', Same)]")
    faulty = "class Untyped(Same):\n    def __init__(self, units):\n        pass\n"
    faulty += "class Secretive(Same):\n    computed_by = None\n"
    faulty += "class Arbitrary(Same):\n    computed_by_reason = 7\n"
    distributions.install("acme", code.replace("@hookimpl", faulty + "@hookimpl"))
    distributions.module("acme_parts.needs", "import acme_parts_library")
    distributions.module("acme_parts.nameless", "raise ModuleNotFoundError('the parts are missing')")
    distributions.module("acme_parts.exits", "raise SystemExit(4)")
    distributions.module("acme_parts.fails", "raise OSError('no device')")
    registry = Registry.discover()
    kind = "loss" if "'loss'" in declaration else "layer"
    entry = registry.find((kind,), "acme.Same")
    assert (entry.kind, entry.name) == (kind, "acme.Same")  # listed all the same
    with pytest.raises(PluginError) as caught:
        _ = entry.component
    separator = " " if message.startswith(("can't", "needs")) else ": "
    assert str(caught.value) == f"{kind} acme.Same of acme 1.2{separator}{message}"
    assert registry.create("layer", "acme.Good").forward(3) == 3

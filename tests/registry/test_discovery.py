"""Finding plugins: installed distributions, local files, modules."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mlpkit
from mlpkit import UsageError
from mlpkit.registry.discovery import installed_plugins, local_plugins
from mlpkit.registry.plugin import PluginOrigin, Status
from mlpkit.registry.registry import Registry


def found():
    """Return what was found besides the built-ins: namespace, source, version, status, reason."""
    return [
        (plugin.namespace, plugin.source, plugin.version, plugin.status.value, plugin.reason)
        for plugin in installed_plugins()
        if plugin.source != "mlpkit"
    ]


def loaded(registry, namespace):
    (plugin,) = (plugin for plugin in registry.plugins if plugin.namespace == namespace)
    plugin.load()
    return plugin


def test_the_built_ins_are_a_plugin_like_any_other():
    (plugin,) = (plugin for plugin in installed_plugins() if plugin.built_in)
    assert (plugin.namespace, plugin.source, plugin.version) == ("mlpkit", "mlpkit", mlpkit.__version__)
    assert (plugin.status, plugin.usable) == (Status.FOUND, True)


def test_an_installed_plugin_is_found_and_not_imported(distributions):
    distributions.install("acme")
    assert found() == [("acme", "acme", "1.2", "found", "")]
    assert "acme_plugin" not in sys.modules


def test_one_distribution_may_have_several_namespaces(distributions):
    distributions.install("acme", entries=["vision = acme_plugin", "audio = acme_plugin"])
    assert [plugin[:2] for plugin in found()] == [("audio", "acme"), ("vision", "acme")]


@pytest.mark.parametrize("name", ["rogue", "aaa", "zzz", "mlpkit2", "not-mlpkit"])
def test_the_built_in_namespace_belongs_to_mlpkit(distributions, name):
    distributions.install(name, module="rogue_plugin", entries=["mlpkit = rogue_plugin"])
    refused = ("mlpkit", name, "1.2", "refused", "the built-in namespace 'mlpkit' belongs to the distribution mlpkit")
    assert found() == [refused]
    affine = Registry.discover().find(("layer",), "Affine")
    assert affine.component.__module__ == "mlpkit_plugins.layers.affine"
    assert "rogue_plugin" not in sys.modules


def test_a_namespace_that_two_distributions_claim_is_refused_to_both(distributions):
    distributions.install("one", entries=["shared = one_plugin", "single = one_plugin"])
    distributions.install("two", entries=["shared = two_plugin"])
    assert found() == [
        ("shared", "one", "1.2", "refused", "the namespace 'shared' is claimed by two too"),
        ("shared", "two", "1.2", "refused", "the namespace 'shared' is claimed by one too"),
        ("single", "one", "1.2", "found", ""),
    ]


def test_a_namespace_is_an_identifier(distributions):
    distributions.install("acme", entries=["ac-me = acme_plugin"])
    reason = "'ac-me' can't be a namespace; expected letters, digits and underscores"
    assert found() == [("ac-me", "acme", "1.2", "refused", reason)]


def test_a_distribution_without_metadata_is_called_after_its_folder(distributions):
    distributions.install("acme", metadata=False)
    assert found() == [("acme", "acme", "1.2", "found", "")]


def test_a_distribution_whose_entry_points_can_not_be_read_hides_no_other(distributions):
    distributions.install("garbled", entries=["garbled"])
    distributions.install("acme")
    distributions.install("nameless", metadata=False)
    distributions.install("unnamed", metadata=False)
    distributions.folder.joinpath("other-1.0.dist-info").mkdir()
    distributions.folder.joinpath("other-1.0.dist-info", "METADATA").write_text("Name: other\nVersion: 1.0\n")
    distributions.folder.joinpath("other-1.0.dist-info", "entry_points.txt").write_text("[console_scripts]\nother\n")
    acme, garbled, nameless, unnamed = found()
    assert acme == ("acme", "acme", "1.2", "found", "")
    assert nameless == ("nameless", "nameless", "1.2", "found", "")
    assert unnamed == ("unnamed", "unnamed", "1.2", "found", "")
    assert garbled[:4] == ("garbled", "garbled", "1.2", "broken")
    assert garbled[4] == "its entry_points.txt can't be read; expected lines such as 'name = module'"
    affine = Registry.discover().find(("layer",), "Affine")
    assert affine.component.__module__ == "mlpkit_plugins.layers.affine"


def test_a_distribution_hides_the_same_one_later_on_the_path(distributions, tmp_path, monkeypatch):
    distributions.install("acme")
    earlier = tmp_path / "earlier"
    info = earlier / "ACME-2.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: ACME\nVersion: 2.0\n")
    info.joinpath("entry_points.txt").write_text("[mlpkit]\nacme = acme_plugin\n")
    monkeypatch.syspath_prepend(earlier)
    assert found() == [("acme", "ACME", "2.0", "found", "")]
    distributions.install("garbled", entries=["garbled"])
    assert found()[0] == ("acme", "ACME", "2.0", "found", "")
    assert len(found()) == 2


def test_a_file_is_a_plugin_called_after_its_stem(distributions):
    path = distributions.module("swishes")
    assert [plugin.source for plugin in Registry.discover(plugins=str(path)).plugins][-1] == str(path)
    registry = Registry.discover(plugins=[str(path)])
    assert "mlpkit_local_swishes" not in sys.modules
    plugin = loaded(registry, "swishes")
    assert (plugin.source, plugin.version, plugin.reason) == (str(path), "", "")
    layer = registry.create("layer", {"swishes.Swish": {"beta": 2}})
    assert (layer.registered_name, layer.beta) == ("swishes.Swish", 2.0)
    assert sys.modules["mlpkit_local_swishes"].__file__ == str(path)
    assert local_plugins([path])[0].source == str(path)


def test_a_file_that_fails_is_broken_and_leaves_nothing_behind(distributions):
    path = distributions.module("failing", "raise OSError('no such device')")
    plugin = loaded(Registry.discover(plugins=[path]), "failing")
    assert (plugin.status, plugin.reason) == (Status.BROKEN, "OSError: no such device (failing.py, line 1)")
    assert "mlpkit_local_failing" not in sys.modules


def test_a_module_is_a_plugin_called_after_the_last_part_of_its_name(distributions, swish):
    distributions.module("acme_package.swishes")
    registry = Registry.discover(plugins=["acme_package.swishes"])
    assert "acme_package" not in sys.modules
    assert registry.create("layer", "swishes.Swish").beta == 1.0
    made = ModuleType("somewhere.made")
    exec(swish, made.__dict__)
    sys.modules["made"] = made  # as in a notebook, where no file is behind it
    try:
        assert local_plugins(["made"])[0].namespace == "made"
    finally:
        del sys.modules["made"]
    registry = Registry.discover(plugins=[made])
    assert loaded(registry, "made").source == "module somewhere.made"
    assert type(registry.create("layer", "made.Swish")) is made.Swish


def test_a_module_inside_a_package_that_is_not_there_is_broken(distributions):
    distributions.module("acme_package.swishes")
    plugin = loaded(Registry.discover(plugins=["acme_package.missing"]), "missing")
    assert (plugin.status, plugin.reason) == (
        Status.BROKEN,
        "ModuleNotFoundError: No module named 'acme_package.missing'",
    )


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("FOLDER/missing.py", "the plugin file FOLDER/missing.py doesn't exist"),
        ("FOLDER", "the plugin 'FOLDER' is neither a Python file nor a module that can be imported"),
        ("missing_package", "the plugin 'missing_package' is neither a Python file nor a module that can be imported"),
        (
            "missing_package.a",
            "the plugin 'missing_package.a' is neither a Python file nor a module that can be imported",
        ),
        ("", "the plugin '' is neither a Python file nor a module that can be imported"),
        (
            "FOLDER/two-words.py",
            "the plugin file FOLDER/two-words.py: its stem is the namespace; expected letters, digits, underscores",
        ),
        ("FOLDER/mlpkit.py", "the built-in namespace 'mlpkit' can't be that of FOLDER/mlpkit.py; rename it"),
        (
            "FOLDER/acme.py",
            "the namespace 'acme' of FOLDER/acme.py is taken by acme; rename it, "
            "or leave the other out with --no-plugin acme",
        ),
    ],
)
def test_a_local_plugin_that_can_not_be_one_is_refused(distributions, plugin, message):
    folder = str(distributions.folder)
    distributions.install("acme")
    for name in ("two-words", "mlpkit", "acme"):
        distributions.module(name)
    with pytest.raises(UsageError) as caught:
        Registry.discover(plugins=[plugin.replace("FOLDER", folder)])
    assert str(caught.value).replace(folder, "FOLDER") == message


def test_two_local_plugins_of_one_name_are_refused(distributions):
    first, second = distributions.module("a.swishes"), distributions.module("b.swishes")
    with pytest.raises(UsageError) as caught:
        Registry.discover(plugins=[first, second])
    assert str(caught.value) == f"the namespace 'swishes' of {second} is taken by {first}; rename it"


def test_a_local_plugin_takes_the_place_of_one_that_is_left_out(distributions):
    distributions.install("acme", "raise ImportError('the old one')")
    path = distributions.module("local.acme")
    registry = Registry.discover(plugins=[path], blocked=["acme"])
    assert registry.create("layer", "acme.Swish").beta == 1.0
    assert [plugin.status.value for plugin in registry.plugins if plugin.namespace == "acme"] == ["blocked", "loaded"]


def test_a_file_is_read_as_it_is_now_and_nothing_is_left_beside_it(distributions, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = distributions.module("acme")
    for name in ("Swish", "Swash"):  # as long as each other, and written within one tick of the file's clock
        path.write_text(path.read_text("utf-8").replace('"Swish"', f'"{name}"'), encoding="utf-8")
        os.utime(path, (0, 0))
        plugin = loaded(Registry(local_plugins([path])), "acme")
        assert list(plugin.declarations) == [name]
    assert [entry.name for entry in path.parent.iterdir()] == ["acme.py"]


def test_the_extras_of_an_entry_point_are_no_part_of_its_object():
    assert PluginOrigin("json:loads [fast]").load() is json.loads
    assert PluginOrigin("json").load() is json


def test_the_file_of_a_plugin_is_known_before_it_is_loaded(distributions, monkeypatch):
    package = distributions.module("acme_package.swishes").parent
    (package / "__init__.py").write_text("1 / 0")
    monkeypatch.chdir(package)
    files = {
        "acme_package.swishes:plugin": str(package / "__init__.py"),  # the module itself can't be found without it
        "json.decoder : JSONDecoder": json.decoder.__file__,
        "acme_missing": "",
        "sys": "",
        Path("swishes.py"): str(package / "swishes.py"),
    }
    assert {reference: PluginOrigin(reference).file for reference in files} == files
    assert PluginOrigin(None, carrier=json).file == json.__file__
    assert PluginOrigin(None, carrier=object()).file == ""

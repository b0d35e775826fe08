"""Probing plugins in a subprocess."""

from __future__ import annotations

import os
import sys

import pytest

from mlpkit.registry.plugin import Status
from mlpkit.registry.probe import ProbeResult, Provided, examine
from mlpkit.registry.registry import Registry

SOUND = ProbeResult("", (Provided("layer", "Swish"),))


def third_parties():
    return [plugin for plugin in Registry.discover().plugins if not plugin.built_in]


def verdicts(**options):
    plugins = third_parties()
    return {plugin.namespace: verdict for plugin, verdict in zip(plugins, examine(plugins, **options), strict=True)}


def test_nothing_is_loaded_into_this_process(distributions):
    distributions.install("acme")
    assert verdicts() == {"acme": SOUND}
    assert "acme_plugin" not in sys.modules


def test_one_plugins_fault_is_not_put_on_another(distributions, swish):
    distributions.install("a_first", f"{swish}\nimport mlpkit\nmlpkit.Layer = None\n")  # sound by itself
    distributions.install("b_next", swish)
    distributions.install("c_broken", "import no_such_library")
    distributions.install("d_last", swish)
    found = verdicts()
    assert found["a_first"] == found["b_next"] == found["d_last"] == SOUND
    assert found["c_broken"].reason.startswith("ModuleNotFoundError: No module named 'no_such_library'")


def test_a_plugin_that_takes_for_ever_is_given_up(distributions, swish):
    distributions.install("a_sleeper", "import time; time.sleep(3600)")
    distributions.install("b_next", swish)
    for seconds in (1, 4, 16, 64):  # a sound plugin takes less than one, unless the machine is busy
        found = verdicts(longest_load=seconds)
        assert found["a_sleeper"] == ProbeResult(f"it was still loading after {seconds} s")
        if found["b_next"] == SOUND:
            return
    pytest.fail(f"a sound plugin took more than a minute: {found['b_next']}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os._exit(7)", "it ended the process that loaded it, with exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "it ended the process that loaded it, by SIGKILL"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (acme_plugin.py, line 1)"),
        ("import os; os.closerange(0, 100)", "it ended the process that loaded it, with exit code 1"),
    ],
)
def test_a_plugin_that_ends_its_process_affects_no_other(distributions, code, reason):
    distributions.install("acme", code)
    distributions.install("bcme")
    assert verdicts() == {"acme": ProbeResult(reason), "bcme": SOUND}


def test_components_are_looked_at_too_unless_that_is_not_wanted(distributions, swish):
    distributions.install("acme", swish.replace('"Swish", Swish', '"Swish", "acme_plugin:Swash", deprecated="stop"'))
    ((component,),) = (verdict.provided for verdict in verdicts().values())
    assert component[:3] == ("layer", "Swish", "stop")
    assert "has no attribute 'Swash'" in component.fault
    ((component,),) = (verdict.provided for verdict in verdicts(with_components=False).values())
    assert component == Provided("layer", "Swish", "stop")


def test_plugins_that_are_not_to_be_loaded_are_not(distributions):
    distributions.install("acme", "raise SystemExit('loaded')")
    registry = Registry.discover(blocked=["acme"])
    found = examine([plugin for plugin in registry.plugins if plugin.namespace == "acme"])
    assert found == [ProbeResult("blocked by name")]


def test_what_was_found_broken_is_not_loaded_afterwards(distributions):
    distributions.install("acme", "import os; os._exit(0)")
    registry = Registry.discover()
    registry.examined()
    (plugin,) = (plugin for plugin in registry.plugins if plugin.namespace == "acme")
    assert plugin.status is Status.BROKEN
    assert "acme" not in {entry.plugin.namespace for entry in registry.components()}


def test_a_file_is_found_from_wherever_the_process_is(distributions, monkeypatch):
    distributions.module("swishes")
    monkeypatch.chdir(distributions.folder)
    registry = Registry.discover(plugins=["swishes.py"])
    os.chdir("/")
    (plugin,) = (plugin for plugin in registry.plugins if plugin.namespace == "swishes")
    monkeypatch.chdir(distributions.folder)
    assert examine([plugin]) == [SOUND]


def test_a_component_that_is_done_without_is_not_listed():
    ((_, verdict),) = Registry.discover(blocked=["Relu", "mlpkit.sgd"]).examined()
    names = {component.name for component in verdict.provided}
    assert "Affine" in names
    assert not {"Relu", "sgd"} & names

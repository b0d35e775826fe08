"""Deprecations of a plugin's component and verb, of a key, of a command and of public names, through public faces."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from mlpkit import Deprecation, component
from mlpkit.cli import verbs
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.signature import Section, SectionType
from mlpkit.deprecation import Deprecation as SameDeprecation
from mlpkit.errors import PluginError

PLUGIN = '''
from typing import Annotated

from mlpkit import Deprecation, Layer, Verb, component, hookimpl


class New(Layer):
    """Doubles numbers."""

    factor: float = 2.0
    gain: Annotated[float, Deprecation("write factor", since="1.1", removed_in="1.3")] = 1.0

    def forward(self, x):
        return x

    def backward(self, grad):
        return grad


class Old(New):
    """Doubles numbers."""


class Prune(Verb):
    """Prunes nothing."""

    def __call__(self):
        print("pruned")


@Deprecation("use acme.score", since="1.1", removed_in="1.3")
def rate(x):
    return x + 1


@hookimpl
def mlpkit_components():
    return [
        component("layer", "New", New),
        component("layer", "Old", Old, deprecated=Deprecation("use acme.New", since="1.1", removed_in="1.3")),
        component("verb", "prune", Prune, deprecated=Deprecation("use mlpkit acme.cut", since="1.2")),
    ]
'''

SPEC = """\
mlpkit: 1
data: {csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}}
layers:
  - acme.New: {gain: 3}
  - acme.Old
  - Affine: {units: auto}
  - SoftmaxWithLoss
training: {optimizer: sgd, epochs: 1}
"""


@pytest.fixture
def plugin(cwd):
    """Save a plugin with deprecated parts, and a spec that uses them."""
    Path("acme.py").write_text(PLUGIN)
    Path("spec.yaml").write_text(SPEC)


def test_a_component_and_a_parameter_of_a_plugin_are_warned_of_at_their_places(plugin, invoke):
    done = invoke("check", "spec.yaml", "--plugin", "acme.py", "--json")
    assert done.code == 0, done.err
    found = [
        (problem["line"], problem["column"], problem["message"], problem["help"])
        for problem in json.loads(done.out)["warnings"]
    ]
    assert found == [
        (4, 16, "parameter 'gain' of layer acme.New is deprecated since 1.1; 1.3 removes it", "write factor"),
        (5, 5, "layer acme.Old is deprecated since 1.1; 1.3 removes it", "use acme.New"),
    ]


def test_the_schema_for_editors_marks_a_deprecated_parameter(plugin, invoke):
    schema = json.loads(invoke("schema", "--plugin", "acme.py").out)
    marked = [
        place for place in json.dumps(schema).split('"gain": ')[1:] if '"deprecated": true' in place.partition("}")[0]
    ]
    assert marked


def test_a_verb_of_a_plugin_works_with_a_warning(plugin, invoke):
    done = invoke("acme.prune", "--plugin", "acme.py")
    assert (done.code, done.out) == (0, "pruned\n")
    assert done.err == "warning: mlpkit acme.prune is deprecated since 1.2; use mlpkit acme.cut\n"


def test_a_deprecated_command_works_with_a_warning_and_is_not_listed(cwd, invoke, monkeypatch):
    deprecation = Deprecation("use mlpkit show", since="0.2", removed_in="0.3")
    monkeypatch.setitem(verbs.VERBS, "plugins", verbs.VERBS["plugins"]._replace(deprecated=deprecation))
    done = invoke("plugins", "--json")
    assert done.code == 0
    assert done.err == "warning: mlpkit plugins is deprecated since 0.2; 0.3 removes it; use mlpkit show\n"
    assert not [line for line in invoke("--help").out.splitlines() if line.startswith("  plugins ")]


@dataclass(frozen=True)
class Curve(Section):
    """A section with a former key."""

    title = "curve"
    points: int = 3
    steps: Annotated[int | None, Deprecation("write points", since="0.2")] = None


@pytest.mark.parametrize(("given", "warned"), [({"steps": 4}, ["key 'steps' is deprecated since 0.2"]), ({}, [])])
def test_a_key_of_a_section_is_warned_of_where_it_is_given(given, warned):
    context = CheckContext()
    section = SectionType(Curve).check(given, ("curve",), context)
    assert isinstance(section, Curve)
    assert [warning.message.replace(" of curve", "") for warning in context.warnings] == warned
    assert all(warning.remedy == "write points" for warning in context.warnings)


def test_a_function_of_a_plugin_warns_at_the_line_that_calls_it(plugin):
    Path("mine.py").write_text("import acme\n\nprint(acme.rate(1))\n")
    done = subprocess.run([sys.executable, "mine.py"], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert done.stderr.splitlines()[0].endswith(
        "mine.py:3: FutureWarning: acme.rate is deprecated since 1.1; 1.3 removes it; use acme.score"
    )


def test_a_former_name_of_a_package_warns_at_the_line_that_uses_it(cwd):
    Path("pack").mkdir()
    Path("pack/__init__.py").write_text(
        "from mlpkit.deprecation import Deprecation\n"
        "from mlpkit.lazy_names import lazy_names\n"
        '__all__ = ["new"]\n'
        'FORMER = {"old": ("pack.home:new", Deprecation("use pack.new", "0.2", "0.4"))}\n'
        '__getattr__, __dir__ = lazy_names(globals(), {"new": "pack.home"}, (), FORMER)\n'
    )
    Path("pack/home.py").write_text("new = 7\n")
    Path("mine.py").write_text("import pack\n\nprint(pack.new, pack.old, 'old' in dir(pack))\n")
    done = subprocess.run([sys.executable, "mine.py"], capture_output=True, text=True, check=True)
    assert done.stdout == "7 7 False\n"
    assert done.stderr.splitlines()[0].endswith(
        "mine.py:3: FutureWarning: pack.old is deprecated since 0.2; 0.4 removes it; use pack.new"
    )


def test_what_is_not_deprecated_does_not_warn(plugin, invoke):
    Path("spec.yaml").write_text(SPEC.replace("gain", "factor").replace("acme.Old", "Relu"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = invoke("check", "spec.yaml", "--plugin", "acme.py", "--json")
    assert json.loads(done.out)["warnings"] == []


def test_a_deprecation_without_advice_is_refused():
    assert Deprecation is SameDeprecation
    with pytest.raises(PluginError, match="is not advice; expected what to use instead"):
        component("layer", "Old", int, deprecated=Deprecation(" ", since="0.2"))

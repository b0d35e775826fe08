"""``mlpkit plugins``."""

from __future__ import annotations

import json

import pytest

import mlpkit as package
from mlpkit.registry.registry import installed
from mlpkit_plugins.kernels import PRODUCTS_BY, PRODUCTS_BY_REASON

OLD = """
from mlpkit import Layer, component, hookimpl

class Same(Layer):
    def forward(self, x):
        return x
    backward = forward

@hookimpl
def mlpkit_components():
    return [
        component("layer", "New", Same),
        component("layer", "Old", Same, deprecated="use old.New"),
        component("layer", "Lost", "no_such_module:Lost"),
    ]
"""

COMPUTED = """
from mlpkit import component, hookimpl
from mlpkit_plugins.layers.relu import Relu

class Fast(Relu):
    computed_by = "an abacus"
    computed_by_reason = "it is made of wood"

@hookimpl
def mlpkit_components():
    return [component("layer", "Fast", Fast), component("layer", "Faster", Fast), component("layer", "Plain", Relu)]
"""


def test_plugins_are_listed_with_their_components(mlpkit, cwd):
    done = mlpkit("plugins", "--plugin", "./acme.py")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["namespace", "from", "status", "provides"]
    assert lines[1].startswith(f"mlpkit     mlpkit {package.__version__}  loaded  layer: ")
    assert lines[-3:] == [
        "acme       acme.py       loaded  layer: acme.Slow, acme.Broken",
        "                                 dataset: acme.slow_data, acme.wrong_data",
        f"                                 file: {cwd / 'acme.py'}",
    ]


def test_problems_of_a_plugin_are_shown_and_do_not_fail(cwd, invoke):
    (cwd / "faulty.py").write_text("import nothing_of_that_name\n")
    (cwd / "old.py").write_text(OLD)
    done = invoke("plugins", "--plugin", "faulty.py", "--plugin", "old.py", "--no-plugin", "mlpkit")
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if "file: " not in line]
    assert lines == [
        "namespace  from          status   provides",
        f"mlpkit     mlpkit {package.__version__}  blocked  blocked by name",
        "faulty     faulty.py     broken   ModuleNotFoundError: No module named 'nothing_of_that_name' "
        "(faulty.py, line 1)",
        "old        old.py        loaded   layer: old.New, old.Old, old.Lost",
        "                                  deprecated: old.Old; use old.New",
        "                                  not usable: layer old.Lost of old.py can't be imported: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    ]


def test_a_plugin_that_ends_the_program_does_not_end_this_one(cwd, invoke):
    (cwd / "ends.py").write_text("import os\nos._exit(0)\n")
    done = invoke("plugins", "--plugin", "ends.py", "--plugin", "acme.py")
    assert "broken  it ended the process that loaded it, with exit code 0\n" in done.out
    assert "loaded  layer: acme.Slow, acme.Broken\n" in done.out


def test_json_is_a_line_a_plugin(cwd, invoke):
    (cwd / "old.py").write_text(OLD)
    done = invoke("plugins", "--plugin", "acme.py", "--plugin", "old.py", "--json")
    documents = {document["namespace"]: document for document in map(json.loads, done.out.splitlines())}
    assert documents["acme"] == {
        "namespace": "acme",
        "source": "acme.py",
        "version": "",
        "file": str(cwd / "acme.py"),
        "status": "loaded",
        "reason": "",
        "components": {"layer": ["acme.Slow", "acme.Broken"], "dataset": ["acme.slow_data", "acme.wrong_data"]},
        "deprecated": {},
        "faults": {},
        "computed_by": {},
    }
    assert documents["old"]["deprecated"] == {"old.Old": "use old.New"}
    assert list(documents["old"]["faults"]) == ["old.Lost"]
    assert "Affine" in documents["mlpkit"]["components"]["layer"]


def test_what_computes_a_component_is_said(cwd, invoke):
    (cwd / "fast.py").write_text(COMPUTED)
    done = invoke("plugins", "--plugin", "fast.py")
    shown = [line.strip() for line in done.out.splitlines() if "computed by" in line]
    assert shown[1:] == ["computed by an abacus (it is made of wood): fast.Fast, fast.Faster"]
    built_in = [each for each in installed().components() if "." not in each.name]
    computed = ", ".join(each.name for each in built_in if each.component.computed_by)
    assert shown[0] == f"computed by {PRODUCTS_BY} ({PRODUCTS_BY_REASON}): {computed}"
    documents = [json.loads(line) for line in invoke("plugins", "--plugin", "fast.py", "--json").out.splitlines()]
    assert documents[1]["computed_by"] == dict.fromkeys(["fast.Fast", "fast.Faster"], "an abacus (it is made of wood)")


def test_the_library_of_linear_algebra_is_a_line_of_words(invoke, monkeypatch):
    about = {"numpy": "2.7", "blas": {"name": "acme", "version": None, "architecture": "Abacus"}}
    monkeypatch.setattr("mlpkit.runs.environment.environment", lambda: about)
    assert invoke("--version", "--verbose").out.splitlines()[2:] == ["numpy: 2.7", "blas: acme Abacus"]


def test_a_namespace_is_taken_once(cwd, invoke):
    (cwd / "mlpkit.py").write_text((cwd / "acme.py").read_text())
    done = invoke("plugins", "--plugin", "mlpkit.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: the built-in namespace 'mlpkit'")


def test_only_those_that_a_spec_names(cwd, invoke):
    done = invoke("plugins", "tiny.yaml", "--plugin", "acme.py", "--json")
    assert [json.loads(line)["namespace"] for line in done.out.splitlines()] == ["mlpkit"]
    spec = (cwd / "tiny.yaml").read_text()
    (cwd / "tiny.yaml").write_text(spec.replace("- Relu", "- acme.Slow: {seconds: 0}"))
    done = invoke("plugins", "tiny.yaml", "--plugin", "acme.py", "--json")
    assert [json.loads(line)["namespace"] for line in done.out.splitlines()] == ["mlpkit", "acme"]
    done = invoke("plugins", "tiny.yml")
    assert (done.code, done.out) == (2, "")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Install three distributions with plugins: one sound, one broken, one for another version of mlpkit."""
    for name, requires in (("sound", "numpy"), ("broken", "numpy"), ("future", "mlpkit>=99")):
        info = tmp_path / f"{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\nRequires-Dist: {requires}\n"
        )
        (info / "entry_points.txt").write_text(f"[mlpkit]\n{name} = cli_test_{name}\n")
    (tmp_path / "cli_test_sound.py").write_text(OLD)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("site")
def test_requirements_are_for_pip(cwd, invoke):
    done = invoke("plugins", "--plugin", "acme.py", "--requirements")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["broken==1.5", f"mlpkit=={package.__version__}", "sound==1.5"]
    done = invoke("plugins", "--no-plugin", "sound", "--requirements")
    assert done.out.splitlines() == ["broken==1.5", f"mlpkit=={package.__version__}"]


@pytest.mark.usefixtures("site")
def test_requirements_of_a_spec_are_what_it_names_and_what_it_requires(cwd, invoke):
    import numpy as np

    spec = (cwd / "tiny.yaml").read_text().replace("- Relu", "- sound.Old")
    (cwd / "tiny.yaml").write_text(spec + 'requires: {numpy: ">=1"}\n')
    done = invoke("plugins", "tiny.yaml", "--plugin", "acme.py", "--requirements")
    assert done.out.splitlines() == [f"mlpkit=={package.__version__}", f"numpy=={np.__version__}", "sound==1.5"]
    assert "tiny.yaml:7:5: warning: layer sound.Old is deprecated" in done.err
    assert invoke("plugins", "--requirements", "--json").code == 2


def test_a_terminal_shows_the_status_in_colour_and_wraps_what_is_long(terminal, cwd):
    (cwd / "faulty.py").write_text("raise ImportError('one two three four five six seven eight nine ten')\n")
    screen = terminal("plugins", "--plugin", "faulty.py", columns=70, rows=60)
    assert screen.wait_for_end() == 0
    assert "\x1b[31mbroken" in screen.raw
    (line,) = (line for line in screen.lines() if line.startswith("faulty"))
    assert line == "faulty     faulty.py     broken  ImportError: one two three four five"

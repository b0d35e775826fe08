"""``mlpkit check-plugin``."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mlpkit.terminal.output import result
from mlpkit.testing.check_plugin import CheckedComponent, FailedCheck
from mlpkit.verbs.author.check_plugin_command import _lines

PLUGIN = """
import numpy as np
from mlpkit import Layer, Schedule, component, hookimpl


class Doubled(Layer):
    \"\"\"Twice the input, y = 2 x.\"\"\"

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return dy * FACTOR


class Halving(Schedule):
    \"\"\"Half as much in each epoch.\"\"\"

    def __call__(self, progress):
        return 0.1 / 2**progress.epoch


@hookimpl
def mlpkit_components():
    return [component("layer", "Doubled", Doubled), component("schedule", "halving", Halving)]
"""


@pytest.fixture
def plugin(cwd):
    """Return a function that writes a plugin whose layer has a right or a wrong factor in its gradient."""

    def write(factor):
        (cwd / "twice.py").write_text(PLUGIN.replace("FACTOR", factor))

    return write


def test_a_line_a_component(plugin, invoke):
    plugin("2")
    done = invoke("check-plugin", "twice", "--plugin", "twice.py")
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first.startswith("twice.Doubled (layer): passed, ")
    assert second.startswith("twice.halving (schedule): passed, ")
    assert int(first.split()[-2]) > 40


def test_what_failed_and_why(plugin, invoke):
    plugin("3")
    done = invoke("check-plugin", "twice", "--plugin", "twice.py")
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("twice.Doubled (layer): failed, 1 of ")
    assert lines[1] == "  input_gradient_is_the_derivative"
    assert lines[2].startswith(
        "    twice.Doubled (default parameters on shape (6,)): layer Doubled1 (Doubled): the gradient by x is not that"
    )
    assert "expected the derivative of what forward computes; look at the dx of backward" in lines[2]
    assert lines[3].startswith("twice.halving (schedule): passed")


def test_what_rests_on_a_failed_check_is_left_out_and_counted(plugin, invoke):
    plugin("2")
    whole = json.loads(invoke("check-plugin", "twice.Doubled", "--plugin", "twice.py", "--json").out)
    assert whole["left_out"] == 0
    plugin("of_none")
    done = invoke("check-plugin", "twice.Doubled", "--plugin", "twice.py", "--json")
    half = json.loads(done.out)
    assert [failed["check"] for failed in half["failed"]] == ["can_be_used"]
    assert half["checks"] + half["left_out"] == whole["checks"]
    lines = invoke("check-plugin", "twice.Doubled", "--plugin", "twice.py").out.splitlines()
    assert lines[0].endswith(
        f"failed, 1 of {half['checks']} checks; {half['left_out']} more skipped, since they depend on what failed"
    )
    assert lines[1] == "  can_be_used"


def test_json_is_a_line_a_component(plugin, invoke):
    plugin("3")
    done = invoke("check-plugin", "twice", "--plugin", "twice.py", "--json")
    assert done.code == 1
    layer, schedule = map(json.loads, done.out.splitlines())
    assert (layer["name"], layer["kind"], layer["passed"]) == ("twice.Doubled", "layer", False)
    (failed,) = layer["failed"]
    assert failed["check"] == "input_gradient_is_the_derivative"
    assert failed["asks"].endswith("compared with differences in float64?")
    assert failed["reason"].startswith("twice.Doubled")
    assert (schedule["passed"], schedule["failed"]) == (True, [])


def test_one_component_alone(plugin, invoke):
    plugin("3")
    done = invoke("check-plugin", "twice.halving", "--plugin", "twice.py")
    assert (done.code, done.out.count("\n")) == (0, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("twise", "error: there is no plugin or component 'twise' to check; did you mean 'twice'?\n"),
        ("twice.Dubled", "error: there is no plugin or component 'twice.Dubled' to check; did you mean "),
        (
            "twice.XyZzY",
            "error: there is no plugin or component 'twice.XyZzY' to check; it provides twice.Doubled, twice.halving\n",
        ),
        ("Dubled", "error: there is no plugin or component 'Dubled' to check; did you mean 'twice.Doubled'?\n"),
        ("Rleu", "error: there is no plugin or component 'Rleu' to check; did you mean 'Relu'?\n"),
        (
            "acme",
            "error: there is no plugin or component 'acme' to check; did you mean 'frame'?\n",
        ),
        (
            "xyzzy",
            "error: there is no plugin or component 'xyzzy' to check; known: mlpkit, twice; install a plugin with "
            "pip install -e FOLDER, and name its namespace\n",
        ),
        ("nothing_like_it.py", "error: the plugin file nothing_like_it.py doesn't exist\n"),
    ],
)
def test_what_is_not_there(plugin, cwd, invoke, name, message):
    plugin("2")
    done = invoke("check-plugin", name, "--plugin", "twice.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_a_broken_plugin_is_named(cwd, invoke):
    (cwd / "faulty.py").write_text("import nothing_of_that_name\n")
    done = invoke("check-plugin", "faulty.py")
    assert (done.code, done.out) == (2, "")
    assert "the plugin 'faulty' (faulty.py) is broken: ModuleNotFoundError" in done.err


def test_it_needs_no_pytest(plugin, cwd, environment):
    plugin("2")
    code = "import sys; sys.modules['pytest'] = None; from mlpkit.cli.main import main; main()"
    command = [sys.executable, "-c", code, "check-plugin", "twice.py"]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("passed") == 2


@pytest.fixture
def installed(plugin, cwd, environment):
    """Return a function that runs check-plugin where the distribution acme-mlpkit is installed."""

    def run(name):
        plugin("2")
        (cwd / "twice.py").write_text((cwd / "twice.py").read_text() + "open('imported', 'w').close()\n")
        metadata = cwd / "acme_mlpkit-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-mlpkit\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[mlpkit]\nacme = twice\n")
        command = [sys.executable, "-m", "mlpkit", "check-plugin", name]
        path = environment | {"PYTHONPATH": str(cwd)}
        return subprocess.run(command, cwd=cwd, env=path, capture_output=True, text=True, check=False)

    return run


def test_an_installed_plugin_goes_by_its_namespace(installed):
    done = installed("acme")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["acme.Doubled", "acme.halving"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("acm", "did you mean 'acme'?"),
        ("Rleu", "did you mean 'Relu'?"),
    ],
)
def test_a_misspelt_name_is_answered_without_a_look_into_plugins(installed, cwd, name, remedy):
    done = installed(name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: there is no plugin or component '{name}' to check; {remedy}\n"
    assert not (cwd / "imported").exists()


def test_no_other_library_is_needed(plugin, cwd):
    plugin("2")
    libraries = cwd / "libraries"
    libraries.mkdir()
    for name in ("pyarrow", "PIL"):  # what components of shipped specs need
        (libraries / f"{name}.py").write_text(f"raise ModuleNotFoundError('it is not here', name={name!r})\n")
    command = [sys.executable, "-m", "mlpkit", "check-plugin", "twice", "--plugin", "twice.py"]
    environment = os.environ | {"PYTHONPATH": str(libraries)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


ONE_FAULT = '''
import numpy as np
from mlpkit import Layer, component, hookimpl

class Gain(Layer):
    """Scale each feature, y = a x."""

    def build(self, input_shape):
        self.total = 0.0
        self.a = self.parameter("a", input_shape, 1.0)
        return input_shape

    def forward(self, x):
        FORWARD
        self.x = x
        return self.a.value * x

    def backward(self, dy):
        self.a.grad ASSIGN (dy * self.x).sum(axis=0)
        return self.a.value * dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Gain", Gain)]
'''


@pytest.mark.parametrize(
    ("forward", "assign", "root", "remedy"),
    [
        ("pass", "+=", "gradients_are_overwritten", "assign with self.W.grad[...] = ..."),
        (
            "self.total = (self.total + x.mean(axis=0)).astype(x.dtype); x = x - self.total",
            "[...] =",
            "a_repeated_step_gives_the_same_bits",
            "keep only what self.state declares from step to step",
        ),
    ],
)
def test_one_fault_is_reported_first_and_what_may_follow_from_it_by_name(cwd, invoke, forward, assign, root, remedy):
    text = ONE_FAULT.replace("FORWARD", forward).replace("grad ASSIGN", f"grad {assign}".replace(" [", "["))
    (cwd / "gain.py").write_text(text, encoding="utf-8")
    done = invoke("check-plugin", "gain.py")
    assert (done.code, done.err) == (1, "")  # where a minibatch is empty, NumPy warns of its mean
    verdict, first, reason, rest = done.out.splitlines()
    assert int(verdict.split()[3]) == len(rest.split(": ")[1].split(", ")) + 1 > 5
    assert first == f"  {root}"
    assert remedy in reason
    assert rest.startswith(f"  may follow from {root}, so fix that first: ")
    failed = json.loads(invoke("check-plugin", "gain.py", "--json").out)["failed"]
    assert [each["may_follow"] for each in failed] == [False] + [True] * (len(failed) - 1)


CENTRED = '''
from mlpkit import Layer, component, hookimpl

class Centred(Layer):
    """Distance from the mean of the minibatch."""

    couples_examples = True

    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, dy):
        return dy - dy.mean(axis=0)

@hookimpl
def mlpkit_components():
    return [component("layer", "Centred", Centred)]
'''


def test_what_numpy_warns_of_on_a_minibatch_without_rows_is_not_shown(cwd, invoke):
    (cwd / "centred.py").write_text(CENTRED, encoding="utf-8")
    checked = json.loads(invoke("check-plugin", "centred.py", "--json").out)
    assert [each["check"] for each in checked["failed"]] == ["in_evaluation_examples_stand_alone"]


ROOT, OTHER = FailedCheck("is_right", "Is it?", "it is wrong"), FailedCheck("is_quick", "Is it?", "it is slow")
FOLLOWS = [FailedCheck(f"may_follow_{i}", "Is it?", "...", may_follow=True) for i in range(2)]


@pytest.mark.parametrize(
    ("left_out", "failed", "lines"),
    [
        (0, (), ["a.B (layer): passed, 40 checks"]),
        (3, (), ["a.B (layer): passed, 40 checks; 3 more skipped, since they depend on what failed"]),
        (0, (ROOT,), ["a.B (layer): failed, 1 of 40 checks", "  is_right", "    it is wrong"]),
        (
            2,
            (ROOT, FOLLOWS[0], OTHER, FOLLOWS[1]),
            [
                "a.B (layer): failed, 4 of 40 checks; 2 more skipped, since they depend on what failed",
                "  is_right",
                "    it is wrong",
                "  is_quick",
                "    it is slow",
                "  may follow from is_right, so fix that first: may_follow_0, may_follow_1",
            ],
        ),
    ],
)
def test_the_lines_of_a_component(left_out, failed, lines, capsys):
    result("\n".join(_lines(CheckedComponent("a.B", "layer", not failed, 40, left_out, failed))))
    assert capsys.readouterr().out.splitlines() == lines

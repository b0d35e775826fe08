"""The conformance suite as an author of a plugin meets it: in pytest, by one line."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent

import pytest

from mlpkit import Layer, UsageError
from mlpkit.testing import conformance

PLUGIN = """
    from mlpkit import Layer, component, hookimpl

    class Same(Layer):
        \"\"\"The inputs themselves, y = x.\"\"\"

        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

    class Wrong(Same):
        \"\"\"The inputs themselves, with a wrong gradient.\"\"\"

        def backward(self, dy):
            return 2 * dy

    @hookimpl
    def mlpkit_components():
        return [component("layer", "Same", Same), component("layer", "Wrong", Wrong)]
"""

WRONG_GRADIENT = "input_gradient_is_the_derivative"


@pytest.fixture
def tests(tmp_path):
    """Return a function that runs pytest on a file of tests beside a plugin, and returns its report."""
    (tmp_path / "acme.py").write_text(dedent(PLUGIN))

    def run(line, *options):
        (tmp_path / "test_acme.py").write_text(
            f"import acme, pathlib\nfrom mlpkit.testing import conformance\n\n{line}\n"
        )
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("plugin", ['"./acme.py"', 'pathlib.Path("acme.py")', "acme.Wrong"])
def test_every_check_of_every_component_is_an_item(tests, plugin):
    done = tests(f"test_acme = conformance({plugin})")
    failed = re.findall(r"^FAILED test_acme.py::test_acme\[(\S+)\]", done.stdout, re.MULTILINE)
    assert failed == [f"acme.Wrong-{WRONG_GRADIENT}"]
    passed = re.findall(r"^PASSED test_acme.py::test_acme\[(\S+)\]", done.stdout, re.MULTILINE)
    assert "acme.Wrong-float32_stays_float32" in passed
    assert ("acme.Same-float32_stays_float32" in passed) == (plugin != "acme.Wrong")
    assert done.returncode == 1


def test_a_failure_says_what_happened_and_shows_no_line_of_the_suite(tests):
    done = tests('test_acme = conformance("./acme.py")', "--tb=short")
    assert "the gradient by x is not that of forward" in done.stdout
    assert "verdict.py" not in done.stdout


def test_an_expected_failure_does_not_count(tests):
    declared = f'{{"Wrong": {{"{WRONG_GRADIENT}": "on purpose"}}}}'
    done = tests(f'test_acme = conformance("./acme.py", expected_failures={declared})')
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
    assert f"XFAIL test_acme.py::test_acme[acme.Wrong-{WRONG_GRADIENT}] - on purpose" in done.stdout


def test_an_expected_failure_that_passes_is_a_failure(tests):
    declared = f'{{"acme.Same": {{"{WRONG_GRADIENT}": "long repaired"}}}}'
    done = tests(f'test_acme = conformance("./acme.py", expected_failures={declared})')
    assert done.returncode == 1
    assert f"FAILED test_acme.py::test_acme[acme.Same-{WRONG_GRADIENT}]" in done.stdout
    assert "[XPASS(strict)] long repaired" in done.stdout


class Same(Layer):
    """The inputs themselves, y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


test_a_class_by_itself = conformance(Same)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"Sam": {}}, "no component 'Sam' is checked; did you mean 'Same'?"),
        (
            {"Same": {"float32_stays_float23": "why"}},
            "there is no check 'float32_stays_float23' for Same; did you mean",
        ),
        ({"xyzzy": {}}, "no component 'xyzzy' is checked; known: tests.Same"),
        ({"Same": {"xyzzy": "why"}}, "there is no check 'xyzzy' for Same; docs/conformance.md lists them"),
        ({"Same": {"float32_stays_float32": " "}}, "Same fails float32_stays_float32 without a reason"),
        ({"Same": {"float32_stays_float32": True}}, "Same fails float32_stays_float32 without a reason"),
    ],
)
def test_expected_failures_of_what_is_not_checked(declared, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        conformance(Same, expected_failures=declared)


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("xyzzy", "there is no plugin or component 'xyzzy' to check; known: mlpkit"),
        ("./nowhere.py", "the plugin file nowhere.py doesn't exist"),
        (int, "the class int is not a component"),
    ],
)
def test_a_plugin_that_is_not_there(plugin, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        conformance(plugin)


def test_without_pytest_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(
        UsageError, match="conformance\\(\\) needs pytest: pip install pytest, or use mlpkit check-plugin"
    ):
        conformance(Same)


def test_importing_it_imports_no_pytest():
    code = "import sys; from mlpkit.testing import conformance; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

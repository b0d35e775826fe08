"""Verbs of plugins: their command line, what they load, how they end, and what happens to broken ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

GREETER = '''
from typing import Annotated, Literal

from annotated_types import Ge

from mlpkit import MlpkitError, Verb, component, hookimpl


class Greet(Verb):
    """Greets somebody.

    It prints a line like ``Hello Ann.``

    Nothing else happens.

    Args:
        whom: who is ``greeted``.
        how_often: how many times.
        ending: what follows the name.
        loud: whether to shout.
        others: who else is greeted.
        days: on which days.
    """

    def __init__(
        self,
        whom: str,
        how_often: Annotated[int, Ge(0)] = 1,
        ending: Literal["!", "."] = ".",
        loud: bool = False,
        others: list[str] | None = None,
        days: tuple[int, ...] = (2, 5),
    ):
        self.names, self.how_often, self.ending, self.loud = [whom, *(others or [])], how_often, ending, loud

    def __call__(self):
        if self.names == ["Absent"]:
            raise MlpkitError("Absent: is not here")
        text = f"Hello {' and '.join(self.names)}{self.ending}"
        for _ in range(self.how_often):
            print(text.upper() if self.loud else text)
        if self.names == ["trouble"]:
            1 / 0
        return 3 if self.names == ["three"] else "text" if self.names == ["text"] else None


@hookimpl
def mlpkit_components():
    return [component("verb", "greet", Greet), component("verb", "lost", "acme_nowhere:Lost")]
'''


@pytest.fixture
def greet(cwd, invoke):
    """Return a function that calls the verb of a plugin's file."""
    (cwd / "acme.py").write_text(GREETER)
    return lambda *arguments, verb="greet": invoke(f"acme.{verb}", *arguments, "--plugin", "acme.py")


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["Ann"], "Hello Ann.\n"),
        (["007"], "Hello 007.\n"),
        (["--how-often", "2", "Ann"], "Hello Ann.\nHello Ann.\n"),
        (["Ann", "--loud", "--ending=!"], "HELLO ANN!\n"),
        (["Ann", "--loud", "--no-loud"], "Hello Ann.\n"),
        (["Ann", "--others", "[Bea, Cem]"], "Hello Ann and Bea and Cem.\n"),
        (["Ann", "--others", "null"], "Hello Ann.\n"),
        (["null"], "Hello null.\n"),
    ],
)
def test_the_parameters_are_the_command_line(greet, arguments, printed):
    done = greet(*arguments)
    assert (done.out, done.err, done.code) == (printed, "", 0)


def test_help_tells_what_the_docstring_does(greet):
    shown, _, rest = greet("--help").out.partition("--plugin FILE")
    assert " ".join(shown.split()) == (
        "Usage: mlpkit acme.greet [OPTIONS] WHOM Greets somebody. It prints a line like Hello Ann. Nothing else "
        "happens. WHOM: who is greeted. Options: --how-often HOW_OFTEN how many times. By default 1. --ending ENDING "
        "what follows the name. By default .. --loud / --no-loud whether to shout. --others OTHERS who else is "
        "greeted. --days DAYS on which days. By default [2, 5]."
    )
    assert [line.split()[0] for line in rest.splitlines() if line.startswith("  -")] == ["--color", "-h,"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument 'WHOM'"),
        (["Ann", "--how-often=-1"], 2, "error: --how-often: -1 is out of range; expected an integer, at least 0"),
        (["Ann", "--how-often", "[1"], 2, "error: --how-often: '[1' is not an integer"),
        (["Ann", "--others", "[Bea, 3]"], 2, "error: --others.1: 3 is not a string"),
        (["Ann", "--others", "{a: 1, a: 2}"], 2, "error: --others: '{a: 1, a: 2}' is not a list"),
        (["Ann", "--others", ""], 2, "error: --others: '' is not a list"),
        (["Ann", "--ending", "?"], 2, "expected one of !, ."),
        (["Absent"], 1, "error: Absent: is not here\n"),
        (["trouble"], 1, "error: the verb acme.greet failed: ZeroDivisionError: division by zero\n  note: raised at "),
        (["three"], 3, ""),
        (["text"], 1, "verb acme.greet returned something of type str from __call__; expected an exit code, or None"),
    ],
)
def test_a_verb_ends_with_a_message_and_an_exit_code(greet, arguments, code, said):
    done = greet(*arguments)
    assert done.code == code
    assert said in done.err
    assert "internal error" not in done.err


def test_a_broken_verb_breaks_no_other(greet):
    broken = greet(verb="lost")
    assert broken.code == 2
    assert broken.err.startswith("error: verb acme.lost of acme.py can't be imported: ModuleNotFoundError")
    assert greet("Ann").code == 0


def test_a_verb_knows_the_files_of_plugins(greet, invoke, cwd):
    (cwd / "other.py").write_text(GREETER.replace("print(text", "print(self.plugins, text"))
    shown = invoke("other.greet", "Ann", "--plugin", "acme.py", "--plugin", "other.py")
    assert shown.out == "('acme.py', 'other.py') Hello Ann.\n"


def test_the_namespace_alone_is_no_command(invoke):
    said = "unknown command 'mlpkit'; mlpkit plugins lists the verbs of the plugin mlpkit"
    assert said in invoke("mlpkit").err


def test_a_spec_is_still_no_command(invoke):
    assert "unknown command 'spec.yaml'; expected one of run," in invoke("spec.yaml").err


def test_a_reader_that_leaves_ends_a_verb_in_silence(cwd, greet, environment):
    command = f"{sys.executable} -m mlpkit acme.greet Ann --how-often 100000 --plugin acme.py | head -1"
    done = subprocess.run(command, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("Hello Ann.\n", "")


def test_a_verb_is_listed_and_shown_and_no_spec_names_it(greet, invoke):
    listed = invoke("plugins", "--plugin", "acme.py").out
    assert "verb: acme.greet, acme.lost" in listed
    shown = invoke("show", "acme.greet", "--plugin", "acme.py").out
    assert "Greets somebody." in shown
    assert "Greets somebody." in invoke("show", "verbs", "--plugin", "acme.py").out
    assert "greet" not in invoke("schema", "--plugin", "acme.py").out


def test_processes_that_were_started_together_do_not_all_call_a_verb(greet, monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    assert "each would repeat the work of mlpkit acme.greet" in greet("Ann").err


def test_help_looks_for_no_plugin(cwd, environment):
    command = [sys.executable, "-X", "importtime", "-m", "mlpkit", "--help"]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    assert "mlpkit.cli.verbs" in done.stderr
    assert "mlpkit.registry" not in done.stderr
    assert "mlpkit.cli.plugin_verbs" not in done.stderr

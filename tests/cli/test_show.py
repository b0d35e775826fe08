"""``mlpkit show``."""

from __future__ import annotations

import inspect
import json
import re

import mlpkit_plugins.layers.affine

GOLDEN = """\
acme.Slow (layer)

Hands on its inputs, after a while.

    y = x

parameter  type                  default   meaning
seconds    a number, at least 0  required  how long each forward takes.
note       a string              null      something to say, in two lines.

In a spec:
  acme.Slow: {seconds: ...}

Source: Acme, Annual Report (1949).

From acme.py"""


def test_a_component_is_described(mlpkit):
    done = mlpkit("show", "acme.Slow", "--plugin", "acme.py")
    assert (done.code, done.err) == (0, "")
    text, rest = done.out[: len(GOLDEN)], done.out[len(GOLDEN) :]
    assert text == GOLDEN
    assert re.fullmatch(r"(, /.*/acme\.py)?\n", rest)


def test_the_mathematics_is_that_of_the_docstring_letter_by_letter(invoke):
    done = invoke("show", "Affine")
    text = inspect.cleandoc(mlpkit_plugins.layers.affine.Affine.__doc__)
    formulas = [line for line in text.splitlines() if line.startswith("    ") and " = " in line]
    assert len(formulas) == 4
    assert "\n".join(formulas) in done.out
    assert f"From mlpkit 0.1.0, {mlpkit_plugins.layers.affine.__file__}\n" in done.out
    assert "\nIn a spec:\n  Affine: {units: 3}\n" in done.out


def test_json_is_one_document(invoke):
    document = json.loads(invoke("show", "acme.Slow", "--plugin", "acme.py", "--json").out)
    assert (document["name"], document["kind"], document["source"]) == ("acme.Slow", "layer", "acme.py")
    assert document["docstring"]["body"] == "    y = x"
    assert document["parameters"][0] == {
        "name": "seconds",
        "type": "a number, at least 0",
        "default": None,
        "required": True,
        "meaning": "how long each forward takes.",
    }


def test_an_unknown_component_is_answered_with_the_nearest(invoke):
    done = invoke("show", "Affin")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: unknown component 'Affin'; did you mean 'Affine'?\n"


def test_a_narrow_terminal_breaks_no_line_but_the_mathematics(terminal):
    screen = terminal("show", "mnist", columns=60, rows=60)
    assert screen.wait_for_end() == 0
    wrapped = [
        line for line in screen.lines() if line.startswith("    number of training images, taken from the end, that")
    ]
    assert len(wrapped) == 1

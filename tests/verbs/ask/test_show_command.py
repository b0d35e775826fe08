"""``mlpkit show``."""

from __future__ import annotations

import inspect
import json
import re

import pytest
from markdown_it import MarkdownIt

import mlpkit_plugins.layers.affine

GOLDEN = """\
acme.Slow (layer)

Hands on its inputs, after a while.

    y = x

parameter  type                  default   meaning
seconds    a number, at least 0  required  how long each forward takes.
note       a string              not set   something to say, in two lines.

In a spec:
  layers:
    - acme.Slow: {seconds: ...}

Source: Acme, Annual Report (1949).

Gradients: not checked. acme.Slow: acme.Slow has no examples, but requires seconds; \
expected parameters to check it with; write a class method examples that returns a list of pairs of parameters \
and the shape of one example's inputs, as in [({'units': 3}, (4,))]

Export: not checked. acme.Slow: acme.Slow has no examples, but requires seconds; \
expected parameters to check it with; write a class method examples that returns a list of pairs of parameters \
and the shape of one example's inputs, as in [({'units': 3}, (4,))]

From acme.py"""

GRADIENTS = """
from mlpkit import Layer, Loss, Values, component, hookimpl

class Right(Layer):
    \"\"\"Twice its inputs.\"\"\"
    def forward(self, x):
        return 2 * x
    def backward(self, dy):
        return 2 * dy
    @classmethod
    def examples(cls):
        return [({}, (3,)), ({}, (2, 2))]

class Wrong(Right):
    \"\"\"Twice its inputs, but not backward.\"\"\"
    def backward(self, dy):
        return 3 * dy
    def onnx(self, graph):
        return graph.op("Mul", graph.input, 3.0)

class Failing(Right):
    \"\"\"Fails.\"\"\"
    def forward(self, x):
        print("so far so good")
        raise RuntimeError("no luck")

class Unready(Right):
    \"\"\"Has no examples that can be had.\"\"\"
    @classmethod
    def examples(cls):
        raise KeyError("first")

class SquaredError(Loss):
    \"\"\"Mean of the squares.\"\"\"
    def build(self, input_shape, target):
        pass
    def forward(self, x, t):
        self.error = x - t
        return float((self.error**2).sum() / len(x))
    def backward(self, dloss=1.0):
        return 2 * dloss * self.error / len(self.error)
    @classmethod
    def examples(cls):
        return [({}, (3,))]

@hookimpl
def mlpkit_components():
    return [
        component("layer", "Right", Right, deprecated="write 2 x"),
        component("layer", "Wrong", Wrong),
        component("layer", "Failing", Failing),
        component("layer", "Unready", Unready),
        component("loss", "SquaredError", SquaredError),
    ]
"""


DATASETS = """
from mlpkit import Classes, Dataset, Description, component, hookimpl

class Plain(Dataset):
    \"\"\"Nothing much.\"\"\"
    def describe(self):
        return Description((2,), Classes(2), {"train": 4})
    def open(self, seed):
        return {}

class Scaled(Plain):
    \"\"\"Halves.\"\"\"
    def encode(self, raw):
        return raw / 2

@hookimpl
def mlpkit_components():
    return [component("dataset", "plain", Plain), component("dataset", "scaled", Scaled)]
"""


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
    assert "\nIn a spec:\n  layers:\n    - Affine: {units: 3}\n" in done.out
    assert "\nGradients: agree with differences of forward on 3 examples.\n" in done.out
    assert "\nExport: its ONNX operators agree with forward on 3 examples.\n" in done.out


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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Right", "agree with differences of forward on 2 examples."),
        ("SquaredError", "agree with differences of forward on 4 examples."),
        ("Wrong", "WRONG. g.Wrong (default parameters on shape (3,)): layer Wrong1 (Wrong): the gradient by x is not"),
        (
            "Failing",
            "WRONG. g.Failing (default parameters on shape (3,)): it raised layer Failing1 (Failing) failed in",
        ),
        ("Unready", "not checked. g.Unready: it raised KeyError: 'first' (at g.py:"),
    ],
)
def test_gradients_are_checked_on_the_components_own_examples(cwd, invoke, name, said):
    (cwd / "g.py").write_text(GRADIENTS)
    done = invoke("show", f"g.{name}", "--plugin", "g.py")
    assert done.code == 0
    (line,) = (line for line in done.out.splitlines() if line.startswith("Gradients: "))
    assert line.startswith(f"Gradients: {said}")
    assert "so far so good" not in done.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("g.Right", "not possible. layer Right1 (g.Right) can't be exported: it has no method onnx"),
        ("g.SquaredError", "its ONNX operators agree with predict on 4 examples."),
        ("g.Wrong", "WRONG. g.Wrong (default parameters on shape (3,)): the result changed by up to"),
    ],
)
def test_it_is_said_whether_a_component_can_be_exported(cwd, invoke, name, said):
    (cwd / "g.py").write_text(GRADIENTS)
    done = invoke("show", name, "--plugin", "g.py")
    assert done.code == 0
    (line,) = (line for line in done.out.splitlines() if line.startswith("Export: "))
    assert line.startswith(f"Export: {said}")


def test_of_a_data_set_it_is_said_whether_its_encoder_is_described(cwd, invoke):
    assert "\nExport: its encoder is described in ONNX operators.\n" in invoke("show", "csv").out
    (cwd / "d.py").write_text(DATASETS)
    for name, said in (("plain", "it has no encoder, so "), ("scaled", "not possible. It has an encode, but no ")):
        assert f"\nExport: {said}" in invoke("show", f"d.{name}", "--plugin", "d.py").out


def test_a_deprecated_component_says_what_to_use(cwd, invoke):
    (cwd / "g.py").write_text(GRADIENTS)
    assert invoke("show", "g.Right", "--plugin", "g.py").out.startswith("g.Right (layer)\n\nDeprecated: write 2 x\n")
    document = json.loads(invoke("show", "g.Right", "--plugin", "g.py", "--json").out)
    assert document["deprecated"] == "write 2 x"
    assert document["gradients"] == {"status": "checked", "examples": 2, "detail": ""}
    assert document["export"]["status"] == "refused"
    document = json.loads(invoke("show", "sgd", "--json").out)
    assert (document["deprecated"], document["gradients"], document["export"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("sgd", "  training:\n    optimizer: sgd\n"),
        ("one_cycle", "  learning_rate: {one_cycle: {peak: 0.2}}\n"),
        ("normal", "  weights: normal\n"),
        ("mnist", "  data: mnist\n"),
        ("accuracy", "  training:\n    metrics:\n      - accuracy\n"),
    ],
)
def test_the_example_says_where_in_a_spec_a_component_stands(invoke, name, example):
    assert f"\nIn a spec:\n{example}" in invoke("show", name).out


def test_an_unknown_component_is_answered_with_the_nearest(invoke):
    done = invoke("show", "Affin")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: unknown component 'Affin'; did you mean 'Affine'?\n"


def test_a_narrow_terminal_breaks_no_line_but_the_mathematics(terminal):
    screen = terminal("show", "mnist", columns=60, rows=60)
    assert screen.wait_for_end() == 0
    wrapped = [
        line for line in screen.lines() if line.startswith("    number of training images, taken from the end, for")
    ]
    assert len(wrapped) == 1


@pytest.mark.parametrize(("word", "names"), [("layer", ["Affine", "Relu"]), ("losses", ["SoftmaxWithLoss"])])
def test_a_kind_is_a_line_for_each_component(word, names, invoke):
    done = invoke("show", word)
    assert (done.code, done.err) == (0, "")
    listed = [line.split()[0] for line in done.out.splitlines()]
    assert listed[: len(names)] == names
    assert len(listed) == len(set(listed))
    assert ("Huber" in listed) == (word == "losses")


def test_a_kind_has_the_components_of_plugins_too_and_says_what_they_are(invoke):
    done = invoke("show", "layer", "--plugin", "acme.py", "--json")
    listed = {each["name"]: each for each in map(json.loads, done.out.splitlines())}
    assert listed["acme.Slow"]["summary"] == "Hands on its inputs, after a while."
    assert listed["Affine"]["source"].startswith("mlpkit ")
    assert "Affine" not in invoke("show", "layer", "--no-plugin", "mlpkit").out


def test_a_component_that_cannot_be_used_is_listed_with_the_reason(cwd, invoke):
    (cwd / "broken.py").write_text(
        "from mlpkit import component, hookimpl\n\n@hookimpl\ndef mlpkit_components():\n"
        "    return [component('layer', 'Gone', 'nowhere.at_all:Gone')]\n"
    )
    done = invoke("show", "layer", "--plugin", "broken.py")
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("broken.Gone")]
    assert "can't be used: " in line


MARKED_UP = '''
from mlpkit import Layer, component, hookimpl

class Clip(Layer):
    """Clips what ``low`` says, or ``"nothing"``.

    Args:
        low: a number, as in ``{low: 1}``; ``none`` for none.

    Raises:
        ShapeError: an input is ``empty``.
        ParameterError: low is wrong;
            or missing.
    """
    def __init__(self, low: float | None = None) -> None: pass
    def forward(self, x): return x
    def backward(self, dy): return dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Clip", Clip)]
'''


def test_marks_of_docstrings_and_names_of_exceptions_are_not_shown(invoke, cwd):
    cwd.joinpath("my.py").write_text(MARKED_UP, encoding="utf-8")
    shown = invoke("show", "my.Clip", "--plugin", "my.py").out.splitlines()
    assert "Clips what 'low' says, or \"nothing\"." in shown
    assert "low        a number  not set  a number, as in {low: 1}; 'none' for none." in shown
    assert "Error if an input is 'empty'." in shown
    assert "Error if low is wrong; or missing." in shown
    assert not any("``" in line or "Raises" in line for line in shown)
    page = invoke("show", "my.Clip", "--plugin", "my.py", "--markdown").out
    assert "\n\n- Error if an input is ``empty``.\n- Error if low is wrong; or missing.\n\nGradients: " in page


MARKDOWN = """\
## acme.Slow (layer)

Hands on its inputs, after a while.

    y = x

| parameter | type | default | meaning |
| --- | --- | --- | --- |
| `seconds` | a number, at least 0 | `required` | how long each forward takes. |
| `note` | a string | `not set` | something to say, in two lines. |

In a spec:

```yaml
layers:
  - acme.Slow: {seconds: ...}
```

Source: Acme, Annual Report (1949).
"""


def test_a_page_in_markdown(invoke):
    page = invoke("show", "acme.Slow", "--plugin", "acme.py", "--markdown").out
    assert page.startswith(MARKDOWN)
    assert page.endswith("\n\nFrom acme.py.\n")


def test_a_page_has_all_components_of_a_plugin(cwd, invoke):
    (cwd / "g.py").write_text(GRADIENTS)
    page = invoke("show", "g", "--plugin", "g.py", "--markdown").out
    declared = re.findall(r'component\("(\w+)", "(\w+)"', GRADIENTS)
    assert re.findall(r"^## (.+)$", page, re.M) == [f"g.{name} ({kind})" for kind, name in declared]
    assert "\nGradients: agree with differences of forward on 2 examples.\n" in page
    assert "\nExport: its ONNX operators agree with predict on 4 examples.\n" in page


def test_a_vertical_bar_stays_in_its_cell(cwd, invoke):
    (cwd / "bars.py").write_text(
        "from mlpkit import Schedule, component, hookimpl\n"
        "class Bars(Schedule):\n"
        '    """A | B.\n\n    Args:\n        a: a | b.\n    """\n'
        '    a: int | str = "|"\n'
        "    def __call__(self, progress):\n        return 1.0\n"
        "@hookimpl\ndef mlpkit_components():\n    return [component('schedule', 'bars', Bars)]\n"
    )
    page = invoke("show", "bars.bars", "--plugin", "bars.py", "--markdown").out
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    cells = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "td_open"]
    assert cells == ["`a`", "an integer or a string", "`'|'`", "a | b."]


def test_a_page_of_a_broken_plugin_is_an_error(cwd, invoke):
    (cwd / "broken.py").write_text("import no_such_library\n")
    done = invoke("show", "broken", "--plugin", "broken.py", "--markdown")
    assert (done.code, done.out) == (2, "")
    assert "the plugin 'broken' (broken.py) is broken: ModuleNotFoundError" in done.err


def test_markdown_and_json_exclude_each_other(invoke):
    done = invoke("show", "Affine", "--markdown", "--json")
    assert done.code == 2
    assert "--markdown and --json can't both be given" in done.out + done.err

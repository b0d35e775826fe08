"""Names out of files reach a terminal as escapes, whatever verb prints them, and programs as they are."""

from __future__ import annotations

import json
import re
from importlib.metadata import version

import numpy as np
import pytest
from packaging.version import Version
from PIL import Image

CLICK_SHOWS_IT_WHOLE = pytest.mark.skipif(
    Version(version("click")) < Version("8.4"), reason="click before 8.4 leaves escape sequences out of what it prints"
)

HOSTILE = "b\x1b]0;title\x07\x1b[2J\x1b[31m\rc\u202ed\u2066\u2028\x9be\u200f\U0010ffff[1m"
SHOWN = r"b\x1b]0;title\x07\x1b[2J\x1b[31m\rc\u202ed\u2066\u2028\x9be\u200f"
SPEC = """\
mlpkit: 1
name: fruit
data: {csv: {file: fruit.csv, target: kind, categorical: [colour], validation: 0, test: 0}}
layers: [{Affine: {units: 2}}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 4, iterations: 4, metrics: [accuracy, confusion_matrix]}
"""
PLUGIN = '''\
from mlpkit import Layer, component, hookimpl


class Odd(Layer):
    """Returns its inputs; HOSTILE."""

    def forward(self, x):
        raise ValueError("""HOSTILE""")

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Odd", Odd, deprecated="HOSTILE"), component("layer", "Lost", "HOSTILE:Lost")]
'''.replace("HOSTILE", HOSTILE.replace("\r", "\\r").encode("utf-8").decode())


@pytest.fixture
def fruit(cwd):
    """A table with hostile names of columns, categories and classes, and a plugin with hostile texts."""
    rows = "".join(f"{i},{'red' if i % 2 else HOSTILE},{'a' if i % 3 else HOSTILE}\n" for i in range(12))
    text = f'"w{HOSTILE}",colour,kind\n' + re.sub(r"([^,\n\r]*\r[^,\n]*)", r'"\1"', rows)
    (cwd / "fruit.csv").write_text(text, encoding="utf-8", newline="")
    (cwd / "fruit.yaml").write_text(SPEC)
    (cwd / "odd.py").write_text(PLUGIN.replace("\x07", "\\x07"), encoding="utf-8")
    return cwd


def shown_on(screen, code=0):
    """Return what a verb wrote to its terminal, without the styles that are mlpkit's own."""
    assert screen.wait_for_end() == code, screen.raw
    text = screen.raw.replace("\x1b[0m", "").replace("\r\n", "\n")
    for style in ("1", "31", "32", "33"):
        text = text.replace(f"\x1b[{style}m", "")
    return text


def expect_harmless(text):
    assert SHOWN in text, repr(text)
    assert text.replace("\n", "").isprintable(), repr(text)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["data", "fruit.yaml"]),
        (0, ["data", "fruit.yaml", "--encoded"]),
        (0, ["evaluate", "run"]),
        (0, ["predict", "run", "fruit.csv"]),
        (1, ["check-plugin", "odd.py"]),
        (0, ["plugins", "--plugin", "odd.py"]),
        (0, ["show", "odd.Odd", "--plugin", "odd.py"]),
        (0, ["compare", "run", HOSTILE]),
        (2, ["evaluate", HOSTILE]),
        (2, ["show", HOSTILE]),
        (2, ["explain", "fruit.yaml", HOSTILE]),
        (2, ["init", HOSTILE]),
        (2, ["new-plugin", "acme", "--kind", HOSTILE]),
        pytest.param(2, ["--" + HOSTILE], marks=CLICK_SHOWS_IT_WHOLE),
        (2, [HOSTILE]),
    ],
)
def test_a_terminal_gets_escapes(fruit, invoke, terminal, arguments, code):
    for folder in {"run", HOSTILE} & set(arguments[1:]):
        if arguments[0] in ("compare", "predict", "evaluate") and code == 0:
            options = ["--set", f"seed={len(folder)}", "--quiet"]
            assert invoke("run", "fruit.yaml", "--out", folder, *options).code == 0
    expect_harmless(shown_on(terminal(*arguments, columns=2000), code))


def test_columns_stay_in_line(fruit, invoke):
    assert invoke("run", "fruit.yaml", "--out", "run", "--quiet").code == 0
    lines = invoke("predict", "run", "fruit.csv").out.splitlines()
    assert len(lines) == 13
    assert len({len(line) for line in lines}) == 1


def test_a_screen_gets_escapes_too(fruit, terminal):
    screen = terminal("run", "fruit.yaml", "--out", HOSTILE, columns=300)
    assert screen.wait_for_end() == 0
    assert SHOWN in screen.raw
    assert not any(each in screen.raw for each in ("\x07", "\x1b[2J", "\u202e", "\x9b", "\x1b]"))


def test_images_of_a_folder_go_by_their_printable_names(cwd, terminal, invoke):
    for name, value in (("a", 0), ("b", 255)):
        (cwd / "shapes" / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.full((3, 3), value, np.uint8)).save(cwd / "shapes" / name / f"{i}.png")
    (cwd / "new").mkdir()
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(cwd / "new" / f"{HOSTILE.replace('/', '')}.png")
    spec = SPEC.replace(SPEC.splitlines()[2], "data: {image_folder: {folder: shapes, validation: 0, test: 0}}")
    (cwd / "shapes.yaml").write_text(spec.replace("[{Affine", "[Flatten, {Affine"))
    assert invoke("run", "shapes.yaml", "--out", "run", "--quiet").code == 0
    expect_harmless(shown_on(terminal("predict", "run", "new", columns=2000)))
    assert json.loads(invoke("predict", "run", "new", "--json").out)["name"] == f"{HOSTILE}.png"


def test_json_has_the_real_names(fruit, invoke):
    assert invoke("run", "fruit.yaml", "--out", "run", "--quiet").code == 0
    predicted = invoke("predict", "run", "fruit.csv", "--json").out
    assert predicted.isascii()
    assert json.loads(predicted.splitlines()[0])["classes"] == ["a", HOSTILE]
    found = json.loads(invoke("data", "fruit.yaml", "--json").out)
    assert next(iter(found["inputs"])) == f"w{HOSTILE}"
    assert list(found["splits"]["train"]["counts"]) == ["a", HOSTILE]
    (plugin,) = (
        one
        for one in map(json.loads, invoke("plugins", "--plugin", "odd.py", "--json").out.splitlines())
        if one["namespace"] == "odd"
    )
    assert plugin["deprecated"] == {"odd.Odd": HOSTILE}


def test_the_schema_of_hostile_components_is_json(fruit, mlpkit):
    done = mlpkit("schema", "--plugin", "odd.py")
    assert done.out.replace("\n", "").isprintable()
    json.loads(done.out)

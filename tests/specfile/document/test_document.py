"""A spec's text as one tree whose values know where they came from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit.components.schema.context import Problem
from mlpkit.errors import Fix, SpecSyntaxError
from mlpkit.specfile.document import parse_document, read_document

TEXT = """\
seed: 0
data: {mnist: {validation: 5000}}
layers:
  - Affine: {units: 50}
  - Relu
  -
    Affine:
      units: 10
training:
  optimizer: sgd
  clip:
"""


def test_what_a_document_holds(write):
    write(a="vars: {v: 1}\nx: $v  # one\n")
    document = read_document("a.yaml", ["y=2"])
    assert document.path == Path("a.yaml")
    assert document.text == "vars: {v: 1}\nx: $v  # one\n"
    assert (document.values, document.variables) == ({"x": 1, "y": 2}, {"v": 1})


@pytest.mark.parametrize(("text", "fix"), [("mlpkit", None), ("mlpkit:1", Fix("mlpkit:", "mlpkit: ")), ("- 1", None)])
def test_a_space_after_the_colon_makes_a_mapping(text, fix):
    with pytest.raises(SpecSyntaxError) as raised:
        parse_document(text)
    assert [fault.fix for fault in raised.value.faults] == [fix]


def test_a_spec_in_memory_has_the_name_it_is_given():
    assert parse_document("seed: 0").path == Path("<spec>")
    with pytest.raises(SpecSyntaxError, match=r"^model\.safetensors:1:7: "):
        parse_document("seed: .nan", "model.safetensors")


@pytest.mark.parametrize(
    ("path", "place", "width"),
    [
        (("seed",), "s:1:7", 1),
        (("data", "mnist", "validation"), "s:2:28", 4),
        (("data", "mnist"), "s:2:15", 18),
        (("layers",), "s:4:3", 1),
        (("layers", 0, "Affine", "units"), "s:4:21", 2),
        (("layers", 1), "s:5:5", 4),
        (("layers", 2), "s:7:5", 1),
        (("training", "clip"), "s:11:3", 4),
        (("vars", "v"), "s:12:11", 3),
    ],
)
def test_places_of_values(path, place, width):
    found = parse_document(TEXT + "vars: {v: abc}", "s").place(path)
    assert (str(found), found.width) == (place, width)


@pytest.mark.parametrize(
    ("path", "place", "width"),
    [
        (("seed",), "s:1:1", 4),
        (("data", "mnist", "validation"), "s:2:16", 10),
        (("layers", 0), "s:4:5", 6),
        (("layers", 0, "Affine"), "s:4:5", 6),
        (("layers", 1), "s:5:5", 4),
        (("layers", 2), "s:7:5", 6),
        (("training", "optimizer"), "s:10:3", 9),
        ((), "s:1:1", 1),
    ],
)
def test_places_of_keys(path, place, width):
    found = parse_document(TEXT, "s").place(path, at_key=True)
    assert (str(found), found.width) == (place, width)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("training", "batch_size"), "s:9:1"),
        (("data", "mnist", "seed"), "s:2:8"),
        (("data", "mnist", "seed", "deeper"), "s:2:8"),
        (("layers", 0, "Affine", "weights"), "s:4:5"),
        (("layers", 1, "Relu"), "s:5:5"),
        (("layers", 1, "Relu", "slope"), "s:5:5"),
        (("layers", 3), "s:3:1"),
        (("layers", -1), "s:3:1"),
        (("layers", "Affine1"), "s:3:1"),
        (("training", "optimizer", "sgd", "learning_rate"), "s:10:14"),
        (("mlpkit",), "s:1:1"),
    ],
)
@pytest.mark.parametrize("at_key", [False, True])
def test_what_is_missing_has_the_place_of_what_is_around_it(path, place, at_key):
    assert str(parse_document(TEXT, "s").place(path, at_key=at_key)) == place


def test_a_fault_keeps_all_it_says():
    fault = parse_document(TEXT, "s").located(
        Problem(("seed",), "wrong", expected="right", remedy="think", notes=("a note",))
    )
    assert str(fault).splitlines() == [
        "s:1:7: wrong",
        "    1 | seed: 0",
        "      |       ^",
        "  expected: right",
        "  help: think",
        "  note: a note",
    ]


def test_reading_a_spec_needs_no_numpy():
    script = (
        "import sys; from mlpkit.specfile.document import document_of, parse_document; "
        "parse_document('seed: 0'); document_of({'seed': 0}, ['a=1']);"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

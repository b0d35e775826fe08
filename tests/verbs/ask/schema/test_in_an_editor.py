"""The JSON Schema in yaml-language-server: what an editor complains of, offers and explains."""

from __future__ import annotations

import json

import pytest
from language_server import language_server

from mlpkit.registry.registry import Registry
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.verbs.ask.schema import json_schema

MODELINE = "# yaml-language-server: $schema=mlpkit.json\n"
SPEC = f"""{MODELINE}\
mlpkit: 1
data: mnist
layers:
  - Affine: {{units: 50}}
  - Relu
  - Affine: {{units: 10}}
  - SoftmaxWithLoss
training:
  optimizer: {{sgd: {{learning_rate: 0.1}}}}
  batch_size: 100
  epochs: 1
"""


def with_schema(folder, **discovered):
    """Write the schema into a folder, and return the folder."""
    schema = json_schema(Registry.discover(**discovered))
    (folder / "mlpkit.json").write_text(json.dumps(schema), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """An editor, open in a folder that has the schema of what is installed."""
    with language_server(with_schema(tmp_path_factory.mktemp("editor"))) as client:
        yield client


def changed(before, after):
    """Return the spec with a part of it changed."""
    assert SPEC.count(before) >= 1
    return SPEC.replace(before, after, 1)


@pytest.mark.parametrize("name", shipped_specs())
def test_a_shipped_spec_has_no_faults(editor, name):
    assert editor.diagnostics(MODELINE + shipped_specs()[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("before", "after", "place", "found", "message"),
    [
        ("batch_size", "batch_sise", (11, 3), "batch_sise", "Property batch_sise is not allowed."),
        ("units: 50", "units: fifty", (5, 21), "fifty", 'Incorrect type. Expected "integer".'),
        ("units: 50", "units: 0", (5, 21), "0", "Value is below the minimum of 1."),
        ("{units: 50}", "{}", (5, 5), "Affine", 'Missing property "units".'),
        ("- Relu", "- Relu: five", (6, 11), "five", "Incorrect type. Expected one of object, null."),
        ("- Relu", "- Rleu", (6, 5), "Rleu", "expected a layer or a loss: Affine, Relu, "),
        ("sgd", "sdg", (10, 15), "sdg", "expected an optimizer: sgd, adam, "),
        ("mnist", "mnits", (3, 7), "mnits", "expected a dataset: mnist, "),
        ("epochs: 1", "seed: 1", (12, 3), "seed", "Property seed is not allowed."),
        (
            "  epochs: 1\n",
            "",
            (9, 1),
            "training",
            "neither iterations nor epochs nor seconds is given; ",
        ),
        ("epochs: 1", "epochs: 1\n  seconds: 9", (13, 12), "9", "epochs is given, too; keep one: "),
        ("\n  - SoftmaxWithLoss", "", (5, 3), "- Affine", "expected a list of layers that ends in a loss"),
    ],
)
def test_a_mistake_is_marked_at_its_place(editor, before, after, place, found, message):
    marked = editor.diagnostics(changed(before, after))
    assert [each for each in marked if each[0] == place and each[1].startswith(found) and each[2].startswith(message)]


def test_layers_are_offered_plain_and_with_their_parameters(editor):
    items = editor.completions(changed("- Relu", "- |"))
    assert ("Relu", "Relu") in items
    assert ("Relu", "Relu:\n    ") in items
    assert ("Affine", "Affine:\n    units: ") in items
    assert "sgd" not in dict(items)


def test_optimizers_are_offered(editor):
    offered = dict(editor.completions(changed("optimizer: {sgd: {learning_rate: 0.1}}", "optimizer: |")))
    assert {"sgd", "adam", "rmsprop"} <= set(offered)
    assert "Relu" not in offered


def test_parameters_are_offered_with_their_defaults(editor):
    offered = editor.completions(changed("- Relu", "- Conv2d:\n      |"))
    assert ("stride", "stride: ${1:1}") in offered
    assert ("filters", "filters: ${1:0}") in offered


def test_a_key_without_a_default_is_offered_without_null(editor):
    assert ("epochs", "epochs: ${1:epochs}") in editor.completions(changed("  epochs: 1\n", "  |\n"))


@pytest.mark.parametrize(
    ("word", "title", "text"),
    [
        ("batch_size", "training", "examples of a minibatch; by default no more than the training data has."),
        (
            "units",
            "Affine || Affine",
            "number of outputs, or auto for the number that the loss takes for the data's target.",
        ),
        ("optimizer", "an optimizer", "how gradients change the parameters."),
        ("sgd", "sgd", "    plain:     value    ← value - learning_rate g\n"),
        ("Relu", "a layer or a loss", "    y  = max(x, 0)\n"),
        (
            "layers",
            "the spec",
            "the stack of layers, which ends in a loss; each takes ``name`` next to its parameters.",
        ),
    ],
)
def test_a_word_is_explained(editor, word, title, text):
    shown = editor.hover(changed(word, f"{word[:2]}|{word[2:]}"))
    assert shown.startswith(f"#### {title}\n\n")
    assert text in shown


def test_a_plugin_is_known_once_the_schema_is_printed_again(tmp_path, acme):
    block = "- acme.Twice:\n      inner: Relu\n      "
    with language_server(with_schema(tmp_path)) as editor:
        (unknown,) = editor.diagnostics(changed("- Relu", f"{block}times: 3"))
        assert unknown[:2] == ((6, 5), "acme.Twice")
        editor.changed(with_schema(tmp_path, plugins=[acme]) / "mlpkit.json")
        assert editor.diagnostics(changed("- Relu", f"{block}times: 3")) == []
        assert ("times", "times: ${1:2}") in editor.completions(changed("- Relu", f"{block}|"))
        assert "how often." in editor.hover(changed("- Relu", f"{block}ti|mes: 3"))


def test_the_setting_of_the_editor_names_the_schema_as_well(tmp_path):
    with language_server(with_schema(tmp_path), {"./mlpkit.json": "spec-*.yaml"}) as editor:
        (mistake,) = editor.diagnostics(changed("batch_size", "batch_sise").removeprefix(MODELINE))
    assert mistake[1:] == ("batch_sise", "Property batch_sise is not allowed.")

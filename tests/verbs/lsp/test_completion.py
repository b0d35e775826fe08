"""What an editor offers at the cursor, in texts that are half written."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import require_package
from spec_editor import CAPABILITIES, MARK, SPEC, changed, spec_editor

from mlpkit.registry.registry import Registry
from mlpkit.specfile.sections import TOP_LEVEL

require_package("pygls")

DATA = '  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}\n'
FLOWERS = {"petal_length", "petal_width", "stem_height", "soil", "species"}
ACME = '''\
from mlpkit import Layer, component, hookimpl

class Swish(Layer):
    """A smooth step.

    y = x

    Args:
        beta: how steep it is.

    Raises:
        ParameterError: it is too steep.

    Source: Someone.
    """

    beta: float
    sharp: bool = False

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Swish", Swish), component("layer", "Old", Swish, deprecated="use acme.Swish")]
'''


def components(*kinds):
    """Return the names of the built-in components of some kinds that can be loaded."""
    return {entry.name for entry in Registry.discover().components(kinds) if not entry.declaration.extra}


def offered(editor, text):
    """Return the labels of what is offered."""
    return set(editor.completions(text))


def test_keys_of_a_spec_are_offered_but_for_those_it_has(editor):
    keys = set(TOP_LEVEL.schema.types)
    assert offered(editor, "|") == keys
    assert offered(editor, SPEC + "|") == keys - {"mlpkit", "data", "layers", "training"}
    assert editor.completions("mlpkit: 1\nse|")["seed"] == "mlpkit: 1\nseed: "
    assert editor.completions("mlpkit: 1\ntra|")["training"] == "mlpkit: 1\ntraining:"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (changed("  - Relu\n", "  - |\n"), ("layer", "loss")),
        (changed("  - Relu\n", "  - Re|\n"), ("layer", "loss")),
        (changed("  - Relu\n", "  - Re|: {slope: 1}\n"), ("layer", "loss")),
        (changed("  - Relu\n", "  - Residual: {layers: [Relu, |"), ("layer",)),
        (changed("{sgd: {learning_rate: 0.1}}", "|"), ("optimizer",)),
        (changed("{sgd: {learning_rate: 0.1}}", "{|"), ("optimizer",)),
        (changed(DATA, "  |\n"), ("dataset",)),
        (changed("[accuracy]", "[accuracy, |"), ("metric",)),
        (changed("  metrics: [accuracy]\n", "  metrics:\n    - |"), ("metric",)),
    ],
)
def test_components_of_the_right_kind_are_offered(editor, text, kinds):
    assert offered(editor, text) >= components(*kinds)
    assert not offered(editor, text) & (components("layer", "optimizer", "dataset", "metric") - components(*kinds))


def test_a_second_component_is_not_offered_in_the_same_mapping(editor):
    assert not offered(editor, changed("{sgd: {learning_rate: 0.1}}", "{sgd: {learning_rate: 0.1}, |}"))


def test_a_component_is_completed_with_what_it_requires(editor):
    text = "layers:\n  - |\n"
    offers = editor.completions(text)
    assert offers["Relu"] == "layers:\n  - Relu\n"
    assert offers["Affine"] == "layers:\n  - Affine: {units: $1}\n"
    assert editor.completions("layers:\n  |")["Relu"] == "layers:\n  - Relu"
    assert editor.completions("training:\n  optimizer: |")["sgd"].startswith("training:\n  optimizer: sgd")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (changed("{units: 50}", "{|}"), False),
        (changed("{units: 50}", "{units: 50, |"), True),
        (changed("{units: 50}", "\n      |"), False),
        (changed("{units: 50}", "\n      units: 3\n      |"), True),
        (changed("{units: 50}", "\n      |\n      units: 3"), True),
        (changed("{units: 50}", "{|}").replace("Relu", "Relu: }"), False),
        ("layers:\n- Affine:\n    |", False),
        ("vars: {a: ]}\nlayers:\n  - Affine:\n      |", False),
    ],
)
def test_parameters_are_offered_even_if_the_text_is_not_yaml(editor, text, given):
    found = offered(editor, text)
    assert {"bias", "weights", "name"} <= found
    assert ("units" not in found) == given


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        (changed("batch_size: 10", "sampling: |"), {"shuffle", "with_replacement"}),
        (changed("batch_size: 10", "drop_last: t|"), {"true", "false"}),
        (changed("missing: fill", "missing: |"), {"error", "fill", "indicate", "drop"}),
        (changed("missing: fill", "split: |"), {"stratified", "hash", "shuffle"}),
        (changed("mlpkit: 1", "mlpkit: |"), {"1"}),
        (changed("epochs: 1", "epochs: 1\n  best_weights: |"), {"loss", "accuracy"}),
        (changed("epochs: 1", "epochs: 1\n  freeze: [|"), {"Affine1", "Relu1", "Affine2", "SoftmaxWithLoss1"}),
        (changed("0.1", "$|") + "vars: {rate: 0.1, other: 3}\n", {"$rate", "$other"}),
    ],
)
def test_values_that_can_be_listed_are_offered(editor, text, choices):
    assert offered(editor, text) >= choices
    assert len(offered(editor, text) - choices) < 3  # such as null


def test_names_of_layers_are_those_of_the_text_and_not_of_an_earlier_one(editor):
    editor.problems(changed("- Relu", "-"))
    found = offered(editor, changed("epochs: 1", "epochs: 1\n  freeze: [|"))
    assert found == {"Affine1", "Relu1", "Affine2", "SoftmaxWithLoss1"}


@pytest.mark.parametrize(
    "text",
    [
        changed("target: species", "target: |"),
        changed("target: species", "target: [species, s|"),
        changed("[soil]", "[|]"),
        changed("[soil]", '["so|'),
        changed("missing: fill", "split: {group: |}"),
        changed("missing: fill", "numbers_by_column: {|"),
        changed("missing: fill", "dates: [|"),
        changed(DATA, '  csv:\n    file: "example:flowers.csv"\n    ignore:\n      - |\n'),
        changed(DATA, '  csv:\n    target: |\n    file: "example:flowers.csv"\n'),
    ],
)
def test_columns_of_the_data_file_are_offered(editor, text):
    assert offered(editor, text) >= FLOWERS


def test_all_columns_of_a_wide_file_are_offered_as_it_is_read(editor):
    names = [f"column {i}" for i in range(199)] + ["y: z"]
    rows = np.arange(600).reshape(3, 200).astype(str)
    (editor.folder / "wide.csv").write_text("\n".join(map(";".join, [names, *rows])), "utf-8")
    text = "data:\n  csv: {file: wide.csv, delimiter: ;, target: |}\n"
    offers = editor.completions(text)
    assert [name for name in offers if name in names] == names
    assert offers["column 7"] == text.replace("|", "column 7")
    assert offers["y: z"] == text.replace("|", "'y: z'")
    quoted = text.replace("|", '"y|"')
    assert editor.completions(quoted)["y: z"] == text.replace("|", '"y: z"')
    for before, after in (("{|}", "{'y: z': }"), ("{y|: log}", "{'y: z': log}")):
        keys = text.replace("target: |", f"numbers_by_column: {before}")
        assert editor.completions(keys)["y: z"] == keys.replace(before, after)
    assert not offered(editor, text.replace("wide", "narrow")) & set(names)


def test_columns_of_a_file_that_is_named_elsewhere_are_offered(editor):
    named = SPEC.replace('"example:flowers.csv"', "$file") + "vars: {file: 'example:flowers.csv'}\n"
    assert editor.problems(named) == []
    assert offered(editor, named.replace("[soil]", "[s|]")) >= FLOWERS
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    child = "mlpkit: 1\nextends: base.yaml\ndata: {csv: {target: species}}\n"
    assert editor.problems(child, "child.yaml") == []
    assert set(editor.completions(child.replace("species", "s|"), "child.yaml")) >= FLOWERS


def test_columns_are_offered_although_a_bracket_takes_in_the_lines_below(editor):
    text = 'data:\n  csv:\n    file: "example:flowers.csv"\n    target: [so|\n    missing: fill\n'
    assert set(editor.completions(text, "new.mlpkit.yaml")) >= FLOWERS


def test_the_cursor_is_where_editors_count_it(editor):
    text = 'data:\n  csv: {comment: "\U0001f600", file: "example:flowers.csv", target: so|}\n'
    assert editor.completions(text)["soil"] == text.replace("so|", "soil")


def test_layers_of_an_extended_spec_are_offered_as_keys(editor):
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    child = "mlpkit: 1\nextends: base.yaml\nlayers: {Affine1: {units: 7}}\n"
    assert editor.problems(child, "named.yaml") == []
    names = {"Affine1", "Relu1", "Affine2", "SoftmaxWithLoss1"}
    assert set(editor.completions(child.replace("Affine1: {units: 7}", MARK), "named.yaml")) == names
    assert set(editor.completions(child.replace("units", "b|"), "named.yaml")) >= {"units", "bias", "weights"}
    assert "number of outputs" in editor.hover(child.replace("units", "un|its"), "named.yaml")


def test_files_are_offered(editor):
    (editor.folder / "tables").mkdir()
    (editor.folder / "tables/rows.csv").write_text("a,b\n", "utf-8")
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    for name in (".hidden.yaml", "notes.txt"):
        (editor.folder / name).write_text("", "utf-8")
    data_files = offered(editor, "data:\n  csv: {file: |")
    assert (data_files >= {"tables/", "base.yaml", "notes.txt"}, ".hidden.yaml" in data_files) == (True, False)
    assert "tables/rows.csv" in offered(editor, "data:\n  csv: {file: tables/|")
    assert {name for name in offered(editor, "mlpkit: 1\nextends: |") if "." in name} == {"base.yaml"}


def test_components_of_plugins_are_offered_with_their_parameters(tmp_path):
    (tmp_path / "acme.py").write_text(ACME, "utf-8")
    with spec_editor(tmp_path, plugins=[tmp_path / "acme.py"]) as editor:
        offers = editor.completions("layers:\n  - |")
        assert offers["acme.Swish"] == "layers:\n  - acme.Swish: {beta: $1}"
        assert {"beta", "sharp", "name"} == offered(editor, "layers:\n  - acme.Swish: {|")
        assert editor.hover("layers:\n  - acme.Swish: {be|ta: 1}") == "**beta**: how steep it is.\n\na number; required"
        no_meaning = editor.hover("layers:\n  - acme.Swish: {sh|arp: true}")
        assert no_meaning == "**sharp**: true or false\n\ntrue or false; default: `false`"
        label = f"**acme.Swish**, layer from {tmp_path / 'acme.py'}"
        shown = f"{label}\n\nA smooth step.\n\ny = x\n\nSource: Someone."
        assert editor.hover("layers:\n  - acme.Sw|ish: {beta: 1}") == shown
        assert editor.definitions("layers:\n  - acme.Sw|ish: {beta: 1}") == [((tmp_path / "acme.py").as_uri(), 3)]


def items(editor, text):
    _, place, uri = editor._at_mark(text, "spec.mlpkit.yaml")
    found = editor.request("textDocument/completion", textDocument={"uri": uri}, position=place)
    assert [item["sortText"] for item in found] == [f"{number:05}" for number in range(len(found))]
    for item in found:
        assert item.pop("filterText") == item["label"]
        assert item.pop("sortText")
        assert item["textEdit"].pop("range")["end"] == place
    return {item.pop("label"): item for item in found}


@pytest.mark.parametrize("snippets", [True, False])
def test_an_offer_has_all_that_an_editor_needs(tmp_path, monkeypatch, snippets):
    (tmp_path / "acme.py").write_text(ACME, "utf-8")
    if not snippets:
        monkeypatch.setitem(CAPABILITIES["textDocument"], "completion", {})
    with spec_editor(tmp_path, plugins=[tmp_path / "acme.py"]) as editor:
        layers = items(editor, "layers:\n  - ac|")
        about = {"kind": "markdown", "value": f"A smooth step.\n\nFrom {tmp_path / 'acme.py'}."}
        for name, deprecated in (("acme.Swish", {}), ("acme.Old", {"tags": [1]})):
            text = {"newText": f"{name}: {{beta: {'$1' if snippets else ''}}}"}
            form = 2 if snippets else 1
            expected = {"kind": 7, "documentation": about, "insertTextFormat": form, "textEdit": text, **deprecated}
            assert layers[name] == expected
        assert layers["Relu"]["insertTextFormat"] == 1
        plain = {"insertTextFormat": 1}
        keys = items(editor, "training:\n  batch_size: 3\n  |")
        meaning = {"kind": "markdown", "value": "how gradients change the parameters."}
        text = {"newText": "optimizer: "}
        assert keys["optimizer"] == {"kind": 10, "documentation": meaning, "textEdit": text, **plain}
        assert items(editor, "training: {op|: adam}")["optimizer"]["textEdit"] == {"newText": "optimizer"}
        assert items(editor, "training:\n  drop_last: |") == {
            name: {"kind": 12, "textEdit": {"newText": name}, **plain} for name in ("true", "false")
        }
        value = {"kind": "markdown", "value": "[1, 2]"}
        variable = {"kind": 6, "documentation": value, "textEdit": {"newText": "$a"}, **plain}
        assert items(editor, "vars: {a: [1, 2]}\ntraining:\n  batch_size: $|") == {"$a": variable}
        file = {"kind": 17, "textEdit": {"newText": "acme.py"}, **plain}
        assert items(editor, "data:\n  csv: {file: |") == {"acme.py": file}
        column = {"kind": 5, "textEdit": {"newText": "soil"}, **plain}
        assert items(editor, 'data:\n  csv: {file: "example:flowers.csv", target: so|')["soil"] == column


@pytest.mark.parametrize(
    "text", [changed("Relu", "Relu # |"), "name: |", "seed: |", "vars: {a: |", "layers:\n  - Nothing: {|"]
)
def test_nothing_is_offered_where_nothing_is_known(editor, text):
    assert offered(editor, text) <= {"null"}

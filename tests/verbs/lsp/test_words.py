"""What an editor shows about a word, where its definition is, and what would be right instead."""

from __future__ import annotations

import inspect

import pytest
from requirements import require_package
from spec_editor import SPEC, changed

from mlpkit.errors import Fix
from mlpkit_plugins.layers.affine import Affine

require_package("pygls")

VARIABLES = "vars: {rate: 0.1}\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (changed("Affine", "Aff|ine"), ["**Affine**, layer from mlpkit ", "x W + b", "Source: "]),
        (changed("Relu", "R|elu"), ["    y  = max(x, 0)\n"]),
        (changed("batch_size", "batch|_size"), ["**batch_size**: examples of a minibatch", "default: `32`"]),
        (changed("epochs", "ep|ochs"), ["an integer, at least 1; default: `not set`"]),
        (changed("units", "un|its"), ["**units**: number of outputs", "required"]),
        (changed("layers", "lay|ers"), ["the stack of layers"]),
        (changed("fill", "fi|ll"), ["**missing**: how to treat a missing value", "default: `error`"]),
        (changed("soil", "so|il"), ["**categorical**: the inputs that hold categories."]),
        (changed("Affine: {units: 50}", "Aff|ine: {units: 50").replace("0.1", "]"), ["x W + b"]),
    ],
)
def test_a_word_is_explained(editor, text, shown):
    found = editor.hover(text)
    assert all(part in found for part in shown), found


def test_a_value_from_elsewhere_has_its_origin(editor):
    assert editor.problems(SPEC.replace("0.1", "$rate") + VARIABLES) == []
    found = editor.hover(SPEC.replace("0.1", "$ra|te") + VARIABLES)
    assert "`$rate` is `0.1`" in found
    assert "spec.mlpkit.yaml:14:14" in found
    in_path = SPEC.replace("example:flowers.csv", "$folder/flowers.csv") + "vars: {folder: data}\n"
    editor.problems(in_path)
    assert "`$folder` is `data`" in editor.hover(in_path.replace("flowers.csv", "flow|ers.csv"))
    (place,) = editor.definitions(in_path.replace("flowers.csv", "flow|ers.csv"))
    assert place[1] == 14


@pytest.mark.parametrize("text", [changed("layers:", "layers: |"), SPEC + "|", changed("Relu", "Relu # w|ord")])
def test_nothing_is_shown_about_nothing(editor, text):
    assert editor.hover(text) == ""
    assert editor.definitions(text) == []


def test_what_a_word_names_is_found(editor):
    uri, base = ((editor.folder / name).as_uri() for name in ("spec.mlpkit.yaml", "base.yaml"))
    (editor.folder / "base.yaml").write_text(VARIABLES, "utf-8")
    text = changed("mlpkit: 1", "mlpkit: 1\nextends: base.yaml").replace("0.1", "$rate") + "  freeze: [Affine1]\n"
    assert editor.problems(text) == []
    assert editor.definitions(text.replace("base.y", "base.|y")) == [(base, 1)]
    assert editor.definitions(text.replace("$rate", "$r|ate")) == [(base, 1)]
    assert editor.definitions(text.replace("Affine1", "Aff|ine1")) == [(uri, 6)]
    assert editor.definitions(text.replace("[Affine1", "['Aff|*'")) == [(uri, 6), (uri, 8)]
    swept = text + "sweep: {grid: {layers.Affine2.units: [3, 5]}}\n"
    assert editor.definitions(swept.replace("layers.Affine2", "layers.Aff|ine2")) == [(uri, 8)]
    source, line = inspect.getsourcefile(Affine), inspect.getsourcelines(Affine)[1]
    assert [
        (each.removeprefix("file://"), at) for each, at in editor.definitions(text.replace("Affine:", "Aff|ine:"))
    ] == [(source, line)]


@pytest.mark.parametrize("readable", [False, True])
def test_an_undefined_variable_has_no_definition(editor, readable):
    name = f"readable_{readable}.mlpkit.yaml"
    if readable:
        assert editor.problems(SPEC, name) == []
    assert editor.definitions(SPEC.replace("0.1", "$ra|te"), name) == []


@pytest.mark.parametrize(
    ("fix", "title", "after"),
    [
        (Fix("Rleu", "Relu"), "Write Relu", SPEC),
        (Fix("", "Flatten\n  - "), "Write Flatten", changed("Relu", "Flatten\n  - Rleu")),
        (Fix("Rleu", ""), "Remove Rleu", changed("Relu", "")),
    ],
)
def test_a_fix_is_offered(editor, monkeypatch, fix, title, after):
    from mlpkit.verbs.lsp import diagnostics

    find = diagnostics.problems_of
    monkeypatch.setattr(diagnostics, "problems_of", lambda error: [each._replace(fix=fix) for each in find(error)])
    fixes = editor.fixes(changed("Relu", "Rleu"))
    assert {each.split("\n")[0]: text for each, text in fixes.items()} == {title: after}


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [
        ("batch_size", "batch_sise", "Write batch_size"),
        ("Relu", "Rleu", "Write Relu"),
    ],
)
def test_the_fixes_of_the_checker_are_offered(editor, before, after, title):
    assert editor.fixes(changed(before, after)) == {title: SPEC}


def test_a_fix_is_told_as_the_protocol_has_it(editor):
    uri = editor.show(changed("batch_size", "batch_sise"))
    (problem,) = editor.published()
    asked = {"textDocument": {"uri": uri}, "range": problem["range"], "context": {"diagnostics": [problem]}}
    (action,) = editor.request("textDocument/codeAction", **asked)
    edit = {"changes": {uri: [{"range": problem["range"], "newText": "batch_size"}]}}
    about = {"title": "Write batch_size", "kind": "quickfix", "isPreferred": True}
    assert action == about | {"diagnostics": [problem], "edit": edit}


def test_no_fix_is_offered_for_a_word_that_has_changed(editor, monkeypatch):
    from mlpkit.verbs.lsp import diagnostics

    find = diagnostics.problems_of
    monkeypatch.setattr(
        diagnostics, "problems_of", lambda error: [each._replace(fix=Fix("Reul", "Relu")) for each in find(error)]
    )
    assert editor.fixes(changed("Relu", "Rleu")) == {}

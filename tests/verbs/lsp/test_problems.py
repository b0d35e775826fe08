"""What an editor marks: the problems that `mlpkit check` finds, in the text that it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from requirements import require_package
from spec_editor import SPEC, changed, spec_editor

import mlpkit
from mlpkit.errors import DataError, SpecError, UsageError
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import load_spec
from mlpkit_plugins.datasets.npy import Npy

require_package("pygls")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("batch_size", "batch_sise"),
        ("Relu", "Rleu"),
        ("units: 50", "units: fifty"),
        ("units: 3", "units: 4"),
        ("target: species", "target: specie"),
        ("  - Relu\n", "  - Relu: {\n"),
        ("epochs: 1", "epochs: 1\n  seconds: 9"),
        ("0.1", "$rate"),
        ("mlpkit: 1\n", "mlpkit: 1\nextends: nothing.yaml\n"),
    ],
)
def test_problems_are_those_of_the_checker(editor, before, after):
    text = changed(before, after)
    file = editor.folder / "saved.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        check(load_spec(file))
    expected = [(fault.code, fault.line, fault.column, fault.message) for fault in caught.value.faults]
    found = [(code, line, column, message) for code, line, column, _, message in editor.problems(text, "other.yaml")]
    assert found == [(*place, message.replace("saved.yaml", "other.yaml")) for *place, message in expected]


def test_a_right_text_has_no_problems(editor):
    assert editor.problems(changed("Relu", "Rleu")) != []
    assert editor.problems(SPEC) == []


def test_a_range_counts_characters_as_editors_do(editor):
    text = changed("epochs: 1", "epochs: 1\n  callbacks: ['\U0001f600', acuracy]")
    assert [(column, marked) for *_, column, marked, _ in editor.problems(text)] == [
        (15, "'\U0001f600'"),
        (21, "acuracy"),
    ]


def test_a_range_is_in_the_text_of_the_editor_and_not_in_that_of_the_file(editor):
    text = changed("epochs: 1", "epochs: 1\n  callbacks: ['\U0001f600', acuracy]")
    (editor.folder / "unsaved.yaml").write_text(text.replace("\U0001f600", "a"), "utf-8")
    assert [column for *_, column, _, _ in editor.problems(text, "unsaved.yaml")] == [15, 21]


def test_a_problem_has_advice_notes_and_a_page(editor):
    editor.show(
        changed("  - SoftmaxWithLoss\n", "  - SoftmaxWithLoss\n").replace("0.1", "$rate") + "vars: {rate: fast}\n"
    )
    (found,) = editor.published()
    assert found["message"].split("\n")[1] == "expected: a number, at least 0, or a schedule"
    assert "\nhelp: installed: constant, " in found["message"]
    assert found["severity"] == 1
    note = found["message"].split("\n")[-1]
    assert note.startswith("note: $rate is 'fast', set at ")
    assert note.endswith(":14:14")
    page, _, anchor = found["codeDescription"]["href"].removeprefix("file://").partition("#")
    assert anchor == "unknown-component"
    assert f" {anchor}\n" in Path(page).read_text("utf-8")


def test_what_is_probably_a_mistake_is_a_warning(editor):
    editor.show(changed("batch_size: 10", "decays: {Affine1.W: 0.1}"))
    (found,) = editor.published()
    assert found["severity"] == 2
    assert found["message"].startswith("decays has no effect")


DEPRECATED = """\
from mlpkit import component, hookimpl
from mlpkit_plugins.layers.relu import Relu

@hookimpl
def mlpkit_components():
    return [component("layer", "Old", Relu, deprecated="use Relu")]
"""


def test_each_part_of_a_problem_is_told_as_the_protocol_has_it(tmp_path):
    (tmp_path / "acme.py").write_text(DEPRECATED, "utf-8")
    page = (Path(mlpkit.__file__).parent / "shipped_docs/problems.md").as_uri()

    def problem(code, line, begin, end, severity, *message, **more):
        ends = {"start": {"line": line, "character": begin}, "end": {"line": line, "character": end}}
        about = {"message": "\n".join(message), "severity": severity, "source": "mlpkit"}
        return about | {"range": ends, "code": code, "codeDescription": {"href": f"{page}#{code}"}, **more}

    with spec_editor(tmp_path, plugins=[tmp_path / "acme.py"]) as editor:
        editor.show(changed("- Relu", "- acme.Old"))
        message = ("layer acme.Old is deprecated", "help: use Relu")
        assert editor.published() == [problem("deprecated", 5, 4, 12, 2, *message, tags=[2])]
        editor.show(SPEC + "seed: 1\nseed: 2\n")
        note = f"note: the first is at {tmp_path / 'spec.mlpkit.yaml'}:14:1"
        message = ("the key 'seed' is given twice", "help: keep one of them", note)
        assert editor.published() == [problem("duplicate-key", 14, 0, 4, 1, *message)]
        editor.show(changed("batch_size", "batch_sise"))
        message = ("unknown key 'batch_sise' of training", "help: did you mean 'batch_size'?")
        (found,) = editor.published()
        assert found == problem("unknown-key", 10, 2, 12, 1, *message, data=["batch_sise", "batch_size"])


def test_a_data_file_that_is_wrong_is_marked_where_it_is_named(editor):
    (editor.folder / "table.csv").write_text("a,b\n1,2\n3\n", "utf-8")
    text = changed('"example:flowers.csv", target: species, categorical: [soil]', "table.csv, target: b")
    ((code, line, _, marked, message),) = editor.problems(text)
    assert (code, line, marked) == ("wrong-data", 3, "table.csv")
    assert "table.csv, row 3" in message
    (editor.folder / "table.csv").write_text("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(900)), "utf-8")
    assert editor.problems(text) == []


@pytest.mark.parametrize(
    ("failing", "error", "line", "marked"),
    [
        ("check", lambda folder: DataError(folder / "table.csv", "it is wrong"), 3, "table.csv"),
        ("check", lambda folder: DataError(folder / "other.csv", "it is wrong"), 3, "c"),
        ("check", lambda folder: UsageError("it is wrong"), 1, "m"),
        ("check_document", lambda folder: DataError(folder / "table.csv", "it is wrong"), 1, "m"),
        ("read_document", lambda folder: UsageError("it is wrong"), 1, ""),
    ],
)
def test_an_error_without_a_place_is_marked_at_what_it_is_about(editor, monkeypatch, failing, error, line, marked):
    def fail(*_, **__):
        raise error(editor.folder)

    (editor.folder / "table.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
    monkeypatch.setattr(f"mlpkit.verbs.lsp.diagnostics.{failing}", fail)
    text = changed('"example:flowers.csv", target: species, categorical: [soil]', "table.csv, target: b")
    ((_, *place, message),) = editor.problems(text)
    assert place[::2] == [line, marked]
    assert message.endswith("it is wrong")


def test_data_is_read_once_as_long_as_it_is_the_same(editor, monkeypatch):
    np.save(editor.folder / "x.npy", np.ones((400, 2)))
    np.save(editor.folder / "t.npy", np.arange(400) % 3)
    describe, described = Npy.describe, []
    monkeypatch.setattr(Npy, "describe", lambda self: described.append(self) or describe(self))
    data = '  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}\n'
    text = SPEC.replace(data, "  npy: {inputs: x.npy, targets: t.npy}\n")
    assert editor.problems(text) == []
    assert editor.problems(text.replace("50", "60")) == []
    assert len(set(map(id, described))) == 1
    assert editor.problems(text.replace("x.npy", "x.npy, validation: 0.2")) == []
    assert len(set(map(id, described))) == 2
    uri = editor.show(text.replace("x.npy", "x.npy, validation: 0.2"))
    editor.notify("textDocument/didSave", textDocument={"uri": uri})
    assert editor.published() == []
    assert len(set(map(id, described))) == 3
    np.save(editor.folder / "t.npy", np.arange(400) % 4)
    ((code, *_),) = editor.problems(text.replace("x.npy", "x.npy, validation: 0.2"))
    assert code == "wrong-shape"  # three units for four classes


def test_problems_of_an_extended_file_are_published_for_that_file(editor):
    (editor.folder / "base.yaml").write_text(changed("units: 50", "units: 0"), "utf-8")
    editor.show("mlpkit: 1\nextends: base.yaml\nseed: 3\n", "child.yaml")
    (found,) = editor.published("base.yaml")
    assert (found["code"], found["range"]["start"]) == ("out-of-range", {"line": 4, "character": 20})
    editor.show(SPEC, "base.yaml")  # not saved
    assert editor.published("child.yaml") == []
    uri = editor.show(changed("units: 50", "units: -1"), "base.yaml")
    assert editor.published("child.yaml") == []
    editor.request("textDocument/hover", textDocument={"uri": uri}, position={"line": 0, "character": 0})
    last = [message["params"] for message in editor.messages if message["params"].get("uri") == uri][-1]
    assert [each["code"] for each in last["diagnostics"]] == ["out-of-range"]  # one, although two specs have it


@pytest.mark.parametrize(("name", "is_spec"), [("plain.yaml", False), ("plain.mlpkit.yaml", True)])
def test_other_files_are_left_alone(editor, name, is_spec):
    editor.show("services: [a, b]\n", name)
    if is_spec:
        assert "missing-key" in {each["code"] for each in editor.published(name)}
    editor.show(changed("Relu", "Rleu"))
    assert editor.published()
    uri = (editor.folder / name).as_uri()
    assert is_spec or not any(uri in str(message) for message in editor.messages)


def test_a_closed_file_has_no_problems(editor):
    uri = editor.show(changed("Relu", "Rleu"), "closed.yaml")
    assert editor.published("closed.yaml")
    editor.notify("textDocument/didClose", textDocument={"uri": uri})
    del editor.versions[uri]
    assert editor.published("closed.yaml") == []


def test_a_fault_of_mlpkit_is_logged_and_ends_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by mistake")

    with spec_editor(tmp_path) as editor:
        with monkeypatch.context() as patch:
            patch.setattr("mlpkit.verbs.lsp.diagnostics.check", fail)
            editor.show(SPEC)
            logged = editor.until(lambda message: message["method"] == "window/logMessage")["params"]
        assert logged["type"] == 1
        assert logged["message"].startswith("internal error: ZeroDivisionError: by mistake (at ")
        assert editor.problems(changed("Relu", "Rleu"))

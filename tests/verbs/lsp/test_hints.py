"""Shapes and numbers of parameters between the words of a spec."""

from __future__ import annotations

from requirements import require_package
from spec_editor import SPEC, changed

from mlpkit.components.schema.wording import memory_size
from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.spec import check_document

require_package("pygls")

HINTED = """\
  - Affine: {units: 50} → 50 · 350 parameters
  - Relu → 50
  - Affine: {units: 3} → 3 · 153 parameters
  - SoftmaxWithLoss
"""
"""A stem, a petal's two sides and three soils are six inputs."""


def test_each_layer_has_its_shape_and_parameters(editor):
    assert HINTED in editor.hints(SPEC)


def test_a_layer_with_a_colon_has_its_own_behind_that(editor):
    assert "  - Relu: → 50\n" in editor.hints(changed("Relu", "Relu:"))


def test_layers_inside_others_have_theirs(editor):
    inside = "  - Residual:\n      layers:\n        - Relu\n        - Affine: {units: 50}\n"
    hinted = editor.hints(changed("  - Relu\n", inside))
    assert "  - Residual: → 50 · 2,550 parameters\n" in hinted
    assert "        - Affine: {units: 50} → 50 · 2,550 parameters\n" in hinted


def test_layers_in_one_line_have_theirs_behind_their_parameters(editor):
    text = changed("  - Relu\n", "  - Residual: {layers: [Relu, Affine: {units: 50}]}  # both\n")
    inside = "{layers: [Relu → 50, Affine: {units: 50} → 50 · 2,550 parameters]}"
    assert f"  - Residual: {inside} → 50 · 2,550 parameters  # both\n" in editor.hints(text)


def test_a_line_that_has_changed_has_none_until_the_text_is_right_again(editor):
    editor.hints(SPEC)
    wrong = editor.hints(changed("units: 50", "units: "))
    assert "  - Affine: {units: }\n  - Relu → 50\n" in wrong
    assert "  - Affine: {units: 40} → 40 · 280 parameters\n" in editor.hints(changed("units: 50", "units: 40"))


def test_layers_of_an_extended_file_have_theirs_there(editor):
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    child = "mlpkit: 1\nextends: base.yaml\n\n\n\n\n"
    assert editor.hints(child, "child.yaml") == child
    assert HINTED in editor.hints(SPEC, "base.yaml")


def test_lines_that_only_look_like_layers_of_an_extended_file_have_no_hint(editor):
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    child = "mlpkit: 1\nextends: base.yaml\nvars:\n  unused:\n  - Affine: {units: 50}\n  - Relu\n"
    assert editor.hints(child, "alike.yaml") == child


def test_a_layer_that_is_changed_by_name_has_its_hint_behind_the_change(editor):
    (editor.folder / "base.yaml").write_text(SPEC, "utf-8")
    child = "mlpkit: 1\nextends: base.yaml\nlayers:\n  Relu1: Tanh\n  Affine1: {units: 7}"
    hinted = child.replace("Tanh", "Tanh → 7").replace("7}", "7} → 7 · 49 parameters")
    assert editor.hints(child, "changed.yaml") == hinted


def test_a_layer_in_a_last_line_without_a_line_end_has_a_hint(editor):
    layers = "".join(SPEC.splitlines(keepends=True)[3:8])
    text = SPEC.replace(layers, "") + "layers: [Affine: {units: 3}, SoftmaxWithLoss]"
    hinted = text.replace("3}", "3} → 3 · 21 parameters")
    assert editor.hints(text, "last.mlpkit.yaml") == hinted


def test_the_whole_network_is_above_its_layers(editor):
    ((line, title),) = editor.lenses(SPEC)
    assert line == 4
    memory = check(check_document(parse_document(SPEC), Registry.discover())).memory
    assert title == f"503 parameters, at least {memory_size(memory)} of memory to train"
    assert editor.lenses(SPEC.replace("layers:", "layer:")) == []

"""Numbered names of layers that mean another layer since a list of layers replaced that of the spec it extends."""

from __future__ import annotations

import pytest

from mlpkit.jobs.prove import prove
from mlpkit.specfile.spec import read_spec

BASE = """\
mlpkit: 1
data: mnist
layers:
  - Affine: {units: 50}
  - Relu
  - Affine: {units: 10}
  - SoftmaxWithLoss
training: {optimizer: sgd, batch_size: 100, epochs: 1}
"""
LONGER = "[Affine: {units: 80}, Relu, Affine: {units: 50}, Relu, Affine: {units: 10}, SoftmaxWithLoss]"


@pytest.fixture
def warned(tmp_path, monkeypatch):
    """Return a function that gives the warnings of the last of some specs, each of which extends the one before."""
    monkeypatch.chdir(tmp_path)

    def warnings(*specs, overrides=()):
        for before, name, text in zip(" abc", "abcd", (BASE, *specs), strict=False):
            extends = f"extends: {before}.yaml\n" if before != " " else ""
            (tmp_path / f"{name}.yaml").write_text(extends + text, encoding="utf-8")
        last = "abcd"[len(specs)]
        return [
            f"{each.file}: {each.message}" for each in prove(read_spec(f"{last}.yaml", overrides=overrides)).warnings
        ]

    return warnings


@pytest.mark.parametrize("key", ["rates", "decays", "max_weight_norm"])
def test_a_name_that_moved_names_both_layers(warned, key):
    found = warned(
        f"training: {{optimizer: {{sgd: {{weight_decay: 0.1}}}}, {key}: {{Affine2.W: 0.5}}}}\n", f"layers: {LONGER}\n"
    )
    assert found == [
        "b.yaml: 'Affine2.W' was written for the layer at a.yaml:6:5, which is now called Affine3; Affine2 is now the "
        "layer at "
        "c.yaml:2:37"
    ]


def test_names_in_lists_and_lists_from_overrides(warned):
    found = warned("training: {freeze: [Affine1, Relu1]}\n", overrides=[f"layers={LONGER}"])
    assert [message.split(";")[0] for message in found] == [
        "b.yaml: 'Affine1' was written for the layer at a.yaml:4:5, which is now called Affine2",
        "b.yaml: 'Relu1' was written for the layer at a.yaml:5:5, which is now called Relu2",
    ]


@pytest.mark.parametrize(
    "training",
    [
        "rates: {'*.W': 0.5}",  # a pattern for all
        "rates: {Affine2.*: 0.5}",  # the next list leaves the second where it was
    ],
)
def test_what_means_the_same_is_no_reason_to_warn(warned, training):
    same = "layers: [Affine: {units: 50}, Relu, Affine: {units: 10}, Affine: {units: 10}, SoftmaxWithLoss]\n"
    assert warned(f"training: {{{training}}}\n", same) == []


def test_a_name_beside_the_new_list_means_that_list(warned):
    assert warned(f"layers: {LONGER}\ntraining: {{rates: {{Affine2.W: 0.5}}}}\n") == []
    assert warned(f"layers: {LONGER}\n", "training: {freeze: [Affine1]}\n") == []


def test_a_given_name_moves_with_its_layer(warned):
    named = LONGER.replace("{units: 10}", "{units: 10, name: last}")
    base = "layers: [Affine: {units: 50}, Affine: {units: 10, name: last}, SoftmaxWithLoss]\n"
    assert warned(f"{base}training: {{rates: {{last.W: 0.5}}}}\n", f"layers: {named}\n") == []

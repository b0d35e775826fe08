"""Specs that extend others. What is refused is in ``wrong_specs``; how values merge, in ``test_merging``."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlpkit
from mlpkit.components.schema.context import Problem
from mlpkit.errors import SpecSchemaError, SpecSyntaxError
from mlpkit.specfile.document import parse_document, read_document


def test_a_chain_of_specs(write):
    write(
        a="extends: b.yaml\nname: a\n",
        b="extends: c.yaml\nname: b\ntraining: {optimizer: {sgd: {momentum: 0.9}}}\n",
        c="name: c\nseed: 3\ntraining: {optimizer: {sgd: {learning_rate: 0.1}}}\n",
    )
    document = read_document("a.yaml")
    assert document.values == {
        "name": "a",
        "seed": 3,
        "training": {"optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}},
    }
    assert document.text == "extends: b.yaml\nname: a\n"


def test_a_path_is_relative_to_the_file_that_says_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs" / "bases").mkdir(parents=True)
    (tmp_path / "specs" / "a.yaml").write_text("extends: bases/b.yaml")
    (tmp_path / "specs" / "bases" / "b.yaml").write_text("extends: ../c.yaml")
    (tmp_path / "specs" / "c.yaml").write_text("seed: 3")
    document = read_document("specs/a.yaml")
    assert document.values == {"seed": 3}
    assert str(document.place(("seed",))) == "specs/bases/../c.yaml:1:7"


def test_variables_of_the_extending_spec_are_seen_by_the_extended_one(write):
    write(a="extends: b.yaml\nvars: {width: 64}", b="vars: {width: 50, depth: 2}\nlayers: [$width, $depth]")
    document = read_document("a.yaml")
    assert document.values == {"layers": [64, 2]}
    assert document.variables == {"width": 64, "depth": 2}


def test_a_fault_in_an_inherited_value_names_every_file_on_the_way(write):
    write(a="seed: 0\nextends: b.yaml", b="extends: c.yaml", c="training:\n  epochs: x\n")
    document = read_document("a.yaml")
    fault = document.located(Problem(("training", "epochs"), "'x' is not an integer", notes=("first",)))
    assert str(fault).splitlines() == [
        "c.yaml:2:11: 'x' is not an integer",
        "    2 |   epochs: x",
        "      |           ^",
        "  note: first",
        "  note: b.yaml:1:1 extends this file",
        "  note: a.yaml:2:1 extends b.yaml",
    ]
    assert document.origin_notes(("training", "epochs")) == fault.notes[1:]


def test_a_long_chain(write):
    write(**{f"s{index}": f"extends: s{index + 1}.yaml" for index in range(30)}, s30="seed: 3")
    assert read_document("s0.yaml").values == {"seed": 3}


def test_a_circle_through_a_link_is_found(write, tmp_path, faults_of):
    write(a="extends: link.yaml")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    assert faults_of("a.yaml") == ["a.yaml:1:10: specs extend each other in a circle: a.yaml -> a.yaml"]


def test_a_spec_in_memory_reads_no_files(write):
    write(b="seed: 3")
    with pytest.raises(SpecSyntaxError, match="not read from a file"):
        parse_document("extends: b.yaml")


def test_in_half_a_spec_nothing_else_is_reported(write, faults_of):
    write(a="extends: b.yaml\nname: $defined_below", b="vars: {defined_below: x}\nname: [")
    assert faults_of("a.yaml", ["layers.Affine1.units=3"]) == ["b.yaml:2:7: this [ is never closed"]


def test_values_of_all_files_together_have_a_limit(write, faults_of):
    most = 10_000 - 4  # beside two mappings, a list and the name of the file
    write(a="extends: b.yaml", b=f"y: [{', '.join('1' * most)}]")
    assert len(read_document("a.yaml").values["y"]) == most
    write(b=f"y: [{', '.join('1' * (most + 1))}]")
    assert [fault.split(": ")[1] for fault in faults_of("a.yaml")] == [
        "with the files it extends, the spec holds more than 10,000 values"
    ]


@pytest.mark.parametrize(
    ("section", "base", "child", "merged"),
    [
        ("early_stopping", "{metric: accuracy}", "{patience: 3}", "{metric: accuracy, patience: 3}"),
        ("early_stopping", "{patience: 3}", "{}", "{patience: 3}"),
        ("clip", "{norm: 2}", "{norm: null, value: 1}", "{value: 1}"),
        ("clip", "{norm: null}", "{value: 1}", "{value: 1}"),
        ("clip", "{norm: 2}", "{}", "{norm: 2}"),
        ("clip", "{norm: 2}", "{value: null}", "{norm: 2}"),
        ("moving_average", "{decay: 0.5}", "{}", "{decay: 0.5}"),
        ("checkpoint", "{every: 5}", "{keep: 7}", "{every: 5, keep: 7}"),
    ],
)
def test_a_section_keeps_the_keys_that_the_extending_spec_does_not_set(write, section, base, child, merged):
    whole = "mlpkit: 1\ndata: mnist\nlayers: [Affine: {units: 10}, SoftmaxWithLoss]\n"
    whole += f"training: {{optimizer: sgd, epochs: 1, metrics: [accuracy], {section}: "
    write(a=f"extends: b.yaml\ntraining: {{{section}: {child}}}", b=f"{whole}{base}}}", c=f"{whole}{merged}}}")
    extending, written = (mlpkit.load_spec(f"{name}.yaml").resolved()["training"] for name in "ac")
    assert extending == written


def test_a_limit_beside_an_inherited_one_is_one_too_many(write):
    whole = "mlpkit: 1\ndata: mnist\nlayers: [Affine: {units: 10}, SoftmaxWithLoss]\n"
    write(
        a="extends: b.yaml\ntraining: {clip: {value: 1}}",
        b=f"{whole}training: {{optimizer: sgd, epochs: 1, clip: {{norm: 2}}}}",
    )
    with pytest.raises(SpecSchemaError, match="both norm and value are given"):
        mlpkit.load_spec("a.yaml")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system has no such files")
@pytest.mark.parametrize("file", ["/proc/kmsg", "/proc/self/maps", "link"])
def test_a_file_without_a_size_is_refused_before_it_is_opened(file, write, monkeypatch):
    Path("link").symlink_to("/proc/kmsg")
    write(a=f"extends: {file}\n")
    opened, real = [], Path.open
    monkeypatch.setattr(Path, "open", lambda path, *given, **named: opened.append(path) or real(path, *given, **named))
    with pytest.raises(SpecSyntaxError, match=f"'{file}' is not a regular file"):
        read_document("a.yaml")
    assert opened == [Path("a.yaml")]


def test_a_text_in_memory_can_not_extend_a_file(faults_of):
    message = "a spec that was not read from a file can't extend others"
    assert faults_of("seed: 0\nextends: a.yaml", "s", reader=parse_document) == [f"s:2:1: {message}"]

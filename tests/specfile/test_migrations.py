"""Specs in formats that are not the newest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlpkit
from mlpkit.specfile import migrations
from mlpkit.specfile.document import read_document
from mlpkit.specfile.migrations import format_problem, migrated, newest_format
from mlpkit.specfile.spec import parse_spec

SPEC = """\
# digits
mlpkit: 1   # the format
name: digits

network:    # three
  - Affine: {units: 10}
  - SoftmaxWithLoss
data: mnist
training:
  optimizer: sgd
  steps: 30   # a few
"""


def test_there_is_one_format_so_far():
    assert newest_format() == 1
    assert format_problem(1) is None


@pytest.mark.parametrize("value", [0, -1, True, "1", 1.0, None, [1], "one"])
def test_what_is_no_number_of_a_format(value):
    assert "is not the number of a format" in format_problem(value).message


def test_a_newer_number_asks_for_a_newer_mlpkit():
    problem = format_problem(2)
    assert problem.message == f"format 2 is newer than this version of mlpkit, {mlpkit.__version__}, can read"
    assert (problem.expected, problem.remedy) == ("1", "upgrade mlpkit")


def test_comments_and_layout_stay(older_format):
    assert migrated(SPEC, 1) == SPEC.replace("mlpkit: 1", "mlpkit: 2").replace("network:", "layers:").replace(
        "steps:", "iterations:"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'mlpkit':   1  # one\n", "'mlpkit':   2  # one\n"),
        ("{mlpkit: 1, name: a1}\n", "{mlpkit: 2, name: a1}\n"),
        ("name: mlpkit\r\nmlpkit: 0x1\r\n", "name: mlpkit\r\nmlpkit: 2\r\n"),
        ("vars: {mlpkit: 1}\nmlpkit: 1", "vars: {mlpkit: 1}\nmlpkit: 2"),
        ("extends: other.yaml\n", "extends: other.yaml\n"),
    ],
)
def test_the_number_is_replaced_where_it_stands(before, after, older_format):
    assert migrated(before, 1) == after


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=0, max_size=6))
def test_migrations_follow_each_other_from_the_number_on(steps):
    before = migrations.MIGRATIONS[:]
    try:
        migrations.MIGRATIONS[:] = [lambda text, step=step: f"{text}# {step}\n" for step in steps]
        for number in range(1, len(steps) + 2):
            rest = "".join(f"# {step}\n" for step in steps[number - 1 :])
            assert migrated(f"mlpkit: {number}\n", number) == f"mlpkit: {len(steps) + 1}\n{rest}"
    finally:
        migrations.MIGRATIONS[:] = before


def test_a_spec_in_an_older_format_is_read_as_it_would_be_migrated(older_format, write):
    write(old=SPEC, new=migrated(SPEC, 1))
    old, new = mlpkit.load_spec("old.yaml"), mlpkit.load_spec("new.yaml")
    assert old.resolved_text() == new.resolved_text()
    assert old.resolved()["mlpkit"] == 2
    assert old.training.iterations == 30
    assert old.document.text == SPEC  # which a run folder keeps


def test_what_is_inside_old_run_folders_and_model_files_is_read(older_format):
    assert parse_spec(SPEC, name="model.safetensors (spec inside)", resolved=True).training.iterations == 30


@pytest.mark.parametrize("of_child", ["mlpkit: 1\n", "", "mlpkit: 2\n"])
@pytest.mark.parametrize("of_base", [1, 2])
def test_files_that_extend_each_other_are_migrated_each_from_its_own_format(of_base, of_child, older_format, write):
    number = int(of_child[8:] or of_base)
    steps = "steps" if number == 1 else "iterations"
    write(
        base=SPEC if of_base == 1 else migrated(SPEC, 1),
        child=f"{of_child}extends: base.yaml\ntraining:\n  {steps}: 7\n",
    )
    spec = mlpkit.load_spec("child.yaml")
    assert (spec.training.iterations, [member.name for member in spec.layers]) == (7, ["Affine1", "SoftmaxWithLoss1"])


def test_paths_and_places_of_an_older_spec_are_its_own(older_format, write, tmp_path):
    write(old=SPEC.replace("units: 10", "units: 0"))
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.load_spec("old.yaml")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("old.yaml", 6)
    assert fault.notes[-1] == "this is format 1, read as mlpkit migrate would write it"
    assert read_document(tmp_path / "old.yaml").folder_of(("data",)) == tmp_path


def test_a_mapping_from_python_is_in_the_newest_format(older_format):
    spec = {"mlpkit": 2, "data": "mnist", "layers": ["SoftmaxWithLoss"], "training": {"optimizer": "sgd", "epochs": 1}}
    assert mlpkit.load_spec(spec).resolved()["mlpkit"] == 2
    with pytest.raises(mlpkit.SpecError, match="mlpkit: format 1 is out of date"):
        mlpkit.load_spec(spec | {"mlpkit": 1})


def test_arrays_are_trained_on_in_the_newest_format(older_format):
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    assert mlpkit.fit([[0.0], [1.0]], [0, 1], layers=layers, epochs=1, quiet=True).steps == 1

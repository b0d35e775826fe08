"""The number of a spec's format."""

from __future__ import annotations

import pytest

import mlpkit

SPEC = {"data": "mnist", "layers": ["SoftmaxWithLoss"], "training": {"optimizer": "sgd", "epochs": 1}}


@pytest.mark.parametrize("value", [0, -1, True, "1", 1.0, None, [1], "one"])
def test_what_is_no_number_of_a_format(value):
    with pytest.raises(mlpkit.SpecError, match=r"mlpkit: .* is not the number of a format\n  expected: 1"):
        mlpkit.load_spec({"mlpkit": value, **SPEC})


def test_a_spec_has_the_format_of_the_one_that_it_extends(write):
    write(base="mlpkit: 1\ndata: mnist\nlayers: [SoftmaxWithLoss]\n", newer="mlpkit: 2\nextends: spec.yaml\n")
    write(spec="extends: base.yaml\ntraining: {optimizer: sgd, epochs: 1}\n")
    assert mlpkit.load_spec("spec.yaml").resolved()["mlpkit"] == 1
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.load_spec("newer.yaml")
    fault = caught.value.faults[0]
    assert (fault.file, fault.line, fault.column, fault.remedy) == ("newer.yaml", 1, 9, "upgrade mlpkit")
    assert fault.message == f"format 2 is newer than this version of mlpkit, {mlpkit.__version__}, can read"

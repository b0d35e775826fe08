"""A traced step as lines and as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpkit import Values
from mlpkit.verbs.trace.output import facts_of, lines_of, plain_trace

TABLE = {"columns": {"town": ["Ulm", "Bonn"], "size": [1.5, None]}, "sources": ["a.csv, row 2", "a.csv, row 9"]}


def test_a_step_and_an_example_as_lines(made_up):
    traced = made_up(2, **TABLE, class_names=("no", "yes", "so-so"))
    assert (
        "\n".join(lines_of(traced, traced.example(2), 100))
        == """\
step 1,234 of runs/a, epoch 2.35
loss 1.2500, learning rate 0.0125, gradient norm 5.0000, update norm 1.1180
minibatch of 2 examples: rows 0, 10 of the training split

where the loss comes from; probability is that of the label
example  row  label  predicted  probability    loss  share of loss  from
      2   10  yes    no              0.0156  1.0000          66.7%  a.csv, row 9
      1    0  no     no              1.0000  0.5000          33.3%  a.csv, row 2

example 2: row 10 of the training split, from a.csv, row 9
town: Bonn, size: None
label yes, predicted no, probability of yes: 0.01562
loss 1.0000, 66.7% of the minibatch's"""
    )


def test_values_have_no_probability_and_what_is_unknown_has_no_column(made_up):
    values = {"target": Values((1,)), "targets": np.array([[1.5], [-0.0]]), "predictions": np.array([[1.25], [2.5]])}
    traced = made_up(2, **values)
    assert (
        "\n".join(lines_of(traced, traced.example(1), None)).partition("\n\n")[2]
        == """\
where the loss comes from
example  row  label  predicted    loss  share of loss
      2   10  0      2.5        1.0000          66.7%
      1    0  1.5    1.25       0.5000          33.3%

example 1: row 0 of the training split
label 1.5, predicted 1.25
loss 0.5000, 33.3% of the minibatch's"""
    )


@pytest.mark.parametrize(
    ("examples", "rows"),
    [
        (1, "minibatch of 1 example: rows 0 of"),
        (12, "70, 80, 90, 100, 110 of"),
        (13, "80, 90, 100, ... 110 of"),
    ],
)
def test_of_a_minibatch_up_to_twelve_rows_are_named(made_up, examples, rows):
    assert rows in facts_of(made_up(examples))[2]


def test_a_clipped_gradient_and_a_divergence_are_said(made_up):
    clipped = {"Affine1.W": np.array([3.0, 2.0]), "Affine1.b": np.array([0.0])}
    facts = facts_of(made_up(1, clipped_gradient=clipped))
    assert "gradient norm 5.0000, clipped to 3.6056, update norm 1.1180" in facts[1]
    facts = facts_of(made_up(1, gradient={}, clipped_gradient={}, update={}, divergence="training diverged: so"))
    assert facts[1] == "loss 1.2500, learning rate 0.0125"
    assert facts[3:] == ["training diverged: so"]


def test_all_of_a_step_as_json(made_up, golden):
    traced = made_up(2, **TABLE, weights=np.array([0.5, 3.0]), changes=("numpy: 1 then, 2 now",))
    plain = json.loads(
        json.dumps(plain_trace(traced, traced.example(2))), parse_float=lambda x: float(f"{float(x):.9g}")
    )
    lines = [f'"{key}": {json.dumps(value)}' for key, value in plain.items()]
    golden(Path(__file__).with_name("trace.txt"), "\n".join(lines) + "\n")
    bare = plain_trace(made_up(1, gradient={}, clipped_gradient={}, update={}))
    assert (bare["norms"], bare["gradient"]) == ({}, {})
    assert not {"weight", "columns"} & bare["examples"][0].keys()
    assert "example" not in bare

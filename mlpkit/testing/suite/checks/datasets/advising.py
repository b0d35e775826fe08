"""Advising: what a data set says of its data, once described, can be shown at its place in a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.dataset import Doubt
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.dataset import DatasetExample


@checks_examples("dataset")
def doubts_are_about_parameters(example: DatasetExample) -> None:
    """Does ``doubts``, asked after ``describe``, return ``Doubt`` objects, each with a parameter's name and a text?

    Each is shown as a warning at the parameter's place in the spec.
    """
    dataset = example.make()
    dataset.describe()
    parameters = [field.name for field in example.entry.signature.fields]
    for doubt in dataset.doubts():
        if not isinstance(doubt, Doubt):
            raise Nonconformity(f"a doubt is {doubt!r}", expected="Doubt(parameter, message, remedy)")
        if doubt.parameter not in parameters:
            raise Nonconformity(
                f"a doubt is about {doubt.parameter!r}, which is no parameter",
                expected=f"one of {', '.join(parameters)}" if parameters else "no doubts where there are no parameters",
            )
        if not (isinstance(doubt.message, str) and doubt.message and isinstance(doubt.remedy, str)):
            raise Nonconformity(f"doubts returned {doubt}", expected="a message and a remedy that are texts")


@checks_examples("dataset")
def target_remedy_is_a_text(example: DatasetExample) -> None:
    """Does ``target_remedy``, asked after ``describe``, return a text, which may be empty?

    It is shown where the loss can't take the target.
    """
    dataset = example.make()
    dataset.describe()
    remedy = dataset.target_remedy()
    if not isinstance(remedy, str):
        raise Nonconformity(f"target_remedy returned {remedy!r}", expected="a text")


@checks_examples("dataset")
def advice_changes_no_example(example: DatasetExample) -> None:
    """Are the examples the same when ``doubts`` and ``target_remedy`` were asked before ``open``?

    They are asked before a training, and not when its model is evaluated.
    """
    dataset = example.make()
    dataset.describe()
    dataset.doubts()
    dataset.target_remedy()
    expected = example.sample_of(example.splits)
    when, remedy = "after doubts and target_remedy were asked", "let both only look at what describe has read"
    expect_same_bits(example.sample_of(dataset.open(0)), expected, when, remedy)

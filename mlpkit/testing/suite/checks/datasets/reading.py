"""Reading: any examples, in any order, written where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.target import Classes, Labels
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.dataset import INPUTS, TARGETS
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.dataset import DatasetExample


@checks_examples("dataset")
def takes_any_examples(example: DatasetExample) -> None:
    """Does ``take`` give for positions in any order, with repeats, what it gives for each by itself?

    Minibatches are drawn at random, and with replacement an example comes twice.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        together = example.take(split, indices)
        one_by_one = [example.take(split, np.array([index])) for index in indices]
        alone = {what: np.concatenate([found[what] for found in one_by_one]) for what in (INPUTS, TARGETS)}
        expect_same_bits(together, alone, f"in {name}, together with others", "write row i of out from indices[i]")


@checks_examples("dataset", says_why_unusable=True)
def takes_every_example(example: DatasetExample) -> None:
    """Can the first and the last example of each split be read, and all of a small split?

    Evaluation reads all.
    """
    for name, split in example.splits.items():
        size = example.description.sizes[name]
        for index in (0, size - 1):
            example.take(split, np.array([index]))
        if size <= 10_000:
            example.take(split, np.arange(size))


@checks_examples("dataset")
def writes_all_of_out(example: DatasetExample) -> None:
    """Is what ``take`` gives the same whatever the arrays held before?

    They are used again for the next minibatch.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        one, other = (example.take(split, indices, fill=fill) for fill in (113, 57))
        expect_same_bits(one, other, f"in {name}, with other content in out", "write every element of both arrays")


@checks_examples("dataset")
def leaves_the_positions_alone(example: DatasetExample) -> None:
    """Are the positions the same after ``take`` as before, and may they be read-only?

    They are the sampler's own.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        before = indices.copy()
        example.take(split, indices)
        if (indices != before).any():
            raise Nonconformity(f"take of {name} changed the positions", expected="them to be left as they are")
        indices.flags.writeable = False
        example.take(split, indices)


@checks_examples("dataset")
def examples_are_what_was_described(example: DatasetExample) -> None:
    """Are the inputs finite, and the targets such as the description says, in float32 as in float64?

    Layers and loss were built for them.
    """
    target = example.description.target
    for dtype in ("float32", "float64"):
        for name, split in example.splits.items():
            found = example.take(split, example.some_rows(name, 50), dtype)
            if not np.isfinite(found[INPUTS]).all() or not np.isfinite(found[TARGETS]).all():
                raise Nonconformity(f"an example of {name} is infinite or not a number", expected="finite values")
            t = found[TARGETS]
            right = True
            if isinstance(target, Classes) and target.one_hot:
                right = bool(((t == 0) | (t == 1)).all() and (t.sum(axis=1) == 1).all())
            elif isinstance(target, Classes):
                right = bool(((t >= 0) & (t < target.count)).all())
            elif isinstance(target, Labels):
                right = bool(((t == 0) | (t == 1)).all())
            if not right:
                raise Nonconformity(f"targets of {name} are such as {t[:3].tolist()}", expected=f"{target}")

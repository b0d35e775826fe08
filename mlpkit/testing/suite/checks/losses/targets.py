"""Targets: ``build`` refuses those that the loss can't compare with its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import MlpkitError
from mlpkit.network.shape_proof import StackError
from mlpkit.testing.outside_network import standalone
from mlpkit.testing.random_targets import random_targets
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.components.target import Target
    from mlpkit.testing.suite.examples.loss import LossExample


@checks_examples("loss", says_why_unusable=True)
def refuses_targets_it_can_not_compare(example: LossExample) -> None:
    """Does ``build`` either refuse a shape and target with ``ShapeError``, or can ``forward`` then take them?

    A user who joins the wrong data and loss sees the line of the spec, and what would fit.
    """
    for shape in ((), (1,), example.shape, (2, 3)):
        for target in (Classes(4), Classes(4, one_hot=True), Labels(4), Values((4,)), Values(()), None):
            _expect_refused_or_taken(example, shape, target)


@checks_examples("loss")
def predictions_have_a_row_for_each_example(example: LossExample) -> None:
    """Does ``predict`` return a row for each row of its inputs, which depends on that row alone, and leave them alone?

    Metrics compare each row with its target.
    """
    operation, x = example.ready(training=False), example.batch().x
    before = x.copy()
    whole = np.array(operation.predict(x))
    if whole.shape[:1] != (len(x),):
        raise Nonconformity(f"predict returned shape {whole.shape} for {len(x)} rows", expected=f"({len(x)}, ...)")
    if x.tobytes() != before.tobytes():
        raise Nonconformity("predict wrote into its inputs", expected="inputs that are left as they are")
    alone = np.array(operation.predict(x[2:4].copy()))
    if not np.allclose(alone, whole[2:4], rtol=1e-6, atol=1e-9):
        raise Nonconformity(
            "predict gave other predictions for rows by themselves", expected="the same as among others"
        )


def _expect_refused_or_taken(example: LossExample, shape: tuple[int, ...], target: Target | None) -> None:
    what = f"inputs of shape {shape} and {target or 'targets that are not known'}"
    try:
        loss = standalone(example.make(), shape, target=target, resolver=example.registry.create)
    except StackError as error:
        if not isinstance(error.cause, MlpkitError):
            raise Nonconformity(
                f"build raised {type(error.cause).__name__} for {what}: {error.cause}", expected="ShapeError"
            ) from error.cause
        return
    if target is None:
        return
    rng = example.random("targets")
    x, t = rng.normal(size=(2, *shape)), random_targets(target, 2, rng)
    try:
        loss.forward(x, t)
    except Exception as error:
        raise Nonconformity(
            f"build took {what}, but forward raised {type(error).__name__}: {error}",
            expected="forward to work for all that build takes",
            remedy="let build raise ShapeError",
        ) from error

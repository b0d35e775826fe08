"""Targets: those that a metric is not for are refused, before there are predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import WrongUseError
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity
from mlpkit.testing.suite.raised import described

if TYPE_CHECKING:
    from mlpkit.components.metric import Metric
    from mlpkit.components.target import Target
    from mlpkit.testing.suite.examples.metric import MetricExample

TARGETS: Final[tuple[Target, ...]] = (
    Classes(2),
    Classes(2, one_hot=True),
    Classes(4),
    Classes(3, one_hot=True),
    Labels(1),
    Labels(3),
    Values(()),
    Values((3,)),
    Values((2, 3)),
)
"""Targets that a metric is tried on, whatever its examples say."""


@checks_examples("metric", says_why_unusable=True)
def refuses_targets_it_can_not_judge(example: MetricExample) -> None:
    """Does ``expect_target`` take the example's target, and each other only if predictions of it can be judged?

    It is asked before data is read; a user sees the line of the spec, and what would fit.
    """
    for target in (example.target, *TARGETS):
        metric = _made_for(target, example)
        if metric is None:
            continue
        try:
            metric.update(*example.predictions(target=target))
            metric.result()
        except Exception as error:
            raise Nonconformity(
                f"a target of {_shown(target)} was not refused, and failed: {described(error)}",
                expected="ShapeError from expect_target for targets that the metric is not for",
            ) from error


def _made_for(target: Target, example: MetricExample) -> Metric | None:
    """Return a new metric that has taken a target, or None if it refuses it."""
    try:
        return example.ready(target)
    except WrongUseError as error:
        if target == example.target:
            raise Nonconformity(
                f"expect_target refused {_shown(target)}: {error}", expected="it to take the example's target"
            ) from error
        return None
    except Exception as error:
        raise Nonconformity(
            f"expect_target raised {described(error)} for {_shown(target)}", expected="ShapeError, or nothing"
        ) from error


def _shown(target: Target) -> str:
    return f"{target}, one-hot" if isinstance(target, Classes) and target.one_hot else str(target)

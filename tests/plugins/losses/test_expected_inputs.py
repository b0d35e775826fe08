"""Which inputs each loss takes for a target, and what it says of others."""

from __future__ import annotations

import pytest

from mlpkit import Classes, Labels, ShapeError, TargetError, Values
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.ordinal import Ordinal
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

TARGETS = [Classes(2), Classes(4), Labels(1), Labels(3), Values(()), Values((1,)), Values((2, 3))]


@pytest.mark.parametrize(
    ("loss", "shapes"),
    [
        (SoftmaxWithLoss(), [(2,), (4,), None, None, None, None, None]),
        (SigmoidWithLoss(), [(1,), None, (1,), (3,), None, None, None]),
        (Ordinal(), [(1,), (1,), None, None, None, None, None]),
        (Huber(), [None, None, None, None, (), (1,), (2, 3)]),
        (Poisson(), [None, None, None, None, (), (1,), (2, 3)]),
        (Pinball(), [None, None, None, None, (), (1,), (2, 3)]),
        (Pinball(quantiles=(0.1, 0.2, 0.3, 0.9)), [None, None, None, None, (4,), (4,), (4,)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_auto_asks_for_an_input_for_each_output_of_the_target(loss, shapes):
    assert [loss.expected_inputs(target) for target in TARGETS] == shapes


@pytest.mark.parametrize(
    ("loss", "shape", "target", "kind", "message"),
    [
        (
            SoftmaxWithLoss,
            (3,),
            Labels(3),
            TargetError,
            "compares logits with classes, but the data gives 3 labels; expected data whose target is one of several "
            "classes",
        ),
        (
            SoftmaxWithLoss,
            (3,),
            Classes(4),
            ShapeError,
            "gets 3 logits for 4 classes; expected inputs of shape (4,), one logit per class; give the last layer "
            "before it 4 units",
        ),
        (
            SigmoidWithLoss,
            (3,),
            Classes(3),
            TargetError,
            "compares logits with labels or with two classes, but the data gives 3 classes; expected data whose target "
            "is labels, or one of two classes; use SoftmaxWithLoss instead",
        ),
        (
            SigmoidWithLoss,
            (3,),
            Values((3,)),
            TargetError,
            "compares logits with labels or with two classes, but the data gives real values of shape (3,); expected "
            "data whose target is labels, or one of two classes",
        ),
        (
            SigmoidWithLoss,
            (3,),
            Classes(2),
            ShapeError,
            "gets 3 logits for 2 classes; expected inputs of shape (1,); give the last layer before it 1 unit",
        ),
        (
            SigmoidWithLoss,
            (1,),
            Labels(2),
            ShapeError,
            "gets 1 logits for 2 labels; expected inputs of shape (2,); give the last layer before it 2 units",
        ),
        (
            Huber,
            (3,),
            Values((1,)),
            ShapeError,
            "gets inputs of shape (3,) for real values of shape (1,); expected inputs of shape (1,), one per value; "
            "give the last layer before it 1 unit",
        ),
        (
            lambda: Pinball(quantiles=(0.1, 0.9)),
            (3,),
            Values((1,)),
            ShapeError,
            "gets inputs of shape (3,) for real values of shape (1,); expected inputs of shape (2,), one per "
            "quantile; give the last layer before it 2 units",
        ),
        (
            lambda: Pinball(quantiles=(0.1, 0.9)),
            (2,),
            Values((2,)),
            TargetError,
            "predicts quantiles of a single value, but the data gives real values of shape (2,); expected data whose "
            "target is one real value; choose one value as the target, or give one quantile in place of quantiles",
        ),
        (
            Ordinal,
            (1,),
            Labels(3),
            TargetError,
            "compares a score with ordered classes, but the data gives 3 labels; expected data whose target is one of "
            "several classes",
        ),
    ],
)
def test_what_does_not_fit_comes_with_what_would(loss, shape, target, kind, message):
    made = loss()
    with pytest.raises(StackError) as caught:
        standalone(made, shape, target=target)
    assert type(caught.value.cause) is kind
    assert str(caught.value.cause) == f"{type(made).__name__}1 {message}"

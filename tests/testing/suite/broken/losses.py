"""Losses that break what losses promise."""

from __future__ import annotations

import math

import numpy as np
from kill_matrix import caught_by
from sound import MeanSquare, SpreadOfErrors, SquareOfProbabilities, WeightedSquare

from mlpkit import Labels, Loss, ShapeError


@caught_by("loss_is_a_finite_number")
class LossForEachRow(MeanSquare):
    """returns a loss for each row"""

    def forward(self, x, t):
        super().forward(x, t)
        return np.square(self.difference).reshape(len(x), -1).sum(axis=1)


@caught_by("loss_is_a_finite_number")
class RootOfTheVariance(MeanSquare):
    """is not a number for a minibatch of one row"""

    def forward(self, x, t):
        return super().forward(x, t) if len(x) > 1 else float("nan")


@caught_by("loss_of_the_whole_is_the_mean_of_its_parts")
class SumOverRows(MeanSquare):
    """is a sum over the rows, and weighs rows as a mean would"""

    def forward(self, x, t):
        return super().forward(x, t) * len(x)

    def backward(self, dloss=1.0):
        return dloss * self.difference


@caught_by("loss_of_the_whole_is_the_mean_of_its_parts")
class WeightOfOne(MeanSquare):
    """gives every minibatch the same weight, however many rows it has"""

    def weight(self, t):
        return 1.0


@caught_by("input_gradient_is_the_derivative")
class ForgetsDloss(MeanSquare):
    """leaves dloss out"""

    def backward(self, dloss=1.0):
        return self.difference / len(self.difference)


@caught_by("refuses_targets_it_can_not_compare")
class TakesAnyTarget(MeanSquare):
    """takes every target in build, and fails in forward"""

    def build(self, input_shape, target):
        pass


@caught_by("refuses_targets_it_can_not_compare")
class CountsItsTarget(MeanSquare):
    """raises AttributeError for a target of another kind"""

    def build(self, input_shape, target):
        if target is not None and target.shape == input_shape:
            return
        super().build(input_shape, target)


@caught_by("predictions_have_a_row_for_each_example")
class PredictsTheMean(MeanSquare):
    """predicts one row for the whole minibatch"""

    def predict(self, x):
        return x.mean(axis=0)


@caught_by("predictions_have_a_row_for_each_example")
class PredictsInPlace(MeanSquare):
    """overwrites its inputs when it predicts"""

    def predict(self, x):
        x *= 2
        return x


@caught_by("input_gradient_is_the_derivative")
class LossOfOppositeSign(MeanSquare):
    """returns a gradient of the wrong sign"""

    def backward(self, dloss=1.0):
        return -super().backward(dloss)


@caught_by("leaves_its_inputs_alone")
class SubtractsInPlace(MeanSquare):
    """subtracts the targets from the inputs in place"""

    def forward(self, x, t):
        x -= t
        return super().forward(x, np.zeros_like(t))


@caught_by("backward_twice_gives_the_same_bits")
class ScalesWhatItKept(MeanSquare):
    """computes the gradient in the array that forward kept"""

    def backward(self, dloss=1.0):
        self.difference *= dloss / len(self.difference)
        return self.difference.copy()


@caught_by("float32_stays_float32")
class DoubleGradient(MeanSquare):
    """returns a float64 gradient from float32 inputs"""

    def backward(self, dloss=1.0):
        return super().backward(dloss).astype(np.float64)


@caught_by("examples_do_not_affect_each_other")
class ComparesWithTheMean(Loss):
    """compares every row with the mean of all targets"""

    build = MeanSquare.build

    def forward(self, x, t):
        self.difference = x - t.mean(axis=0)
        return float(np.square(self.difference).sum()) / (2 * len(x))

    backward = MeanSquare.backward


@caught_by("can_be_loaded")
class PromisesToTakeWeights(MeanSquare):
    """says that it takes weights of examples, and has no parameter for them"""

    takes_weights = True


@caught_by("loss_counts_a_row_as_often_as_its_weight_says")
class LeavesWeightsAside(WeightedSquare):
    """takes weights, and counts all rows alike"""

    def forward(self, x, t, weights=None):
        return super().forward(x, t)


@caught_by("loss_counts_a_row_as_often_as_its_weight_says")
class WeighsTheLossOnly(WeightedSquare):
    """weighs rows in the loss, and not in its gradient"""

    backward = MeanSquare.backward


@caught_by("loss_counts_a_row_as_often_as_its_weight_says")
class DividesByAThousandAtMost(WeightedSquare):
    """divides by the sum of the weights only if that is no more than a thousand"""

    def forward(self, x, t, weights=None):
        w = np.ones(len(x)) if weights is None else weights
        loss = super().forward(x, t, weights)
        excess = max(1.0, w.sum() / 1000)
        self.shares = self.shares * excess
        return loss * excess


@caught_by("rows_without_weight_have_no_loss")
class MeanIfAllAreWithoutWeight(WeightedSquare):
    """counts all rows alike if all have weight 0"""

    def forward(self, x, t, weights=None):
        return super().forward(x, t, weights if weights is not None and weights.any() else None)


@caught_by("onnx_describes_what_is_computed")
class DescribesLogits(SquareOfProbabilities):
    """predicts probabilities, and describes the logits that it makes them of"""

    def onnx(self, graph):
        return graph.input


@caught_by("inputs_for_a_prediction_predict_it")
class InvertsAnotherFunction(SquareOfProbabilities):
    """returns logits for a prediction that predict turns into another"""

    def inputs_for(self, prediction):
        return np.log(prediction) * 2


@caught_by("inputs_for_a_prediction_predict_it")
class InvertsInPlace(SquareOfProbabilities):
    """overwrites the prediction that it returns inputs for"""

    def inputs_for(self, prediction):
        prediction[...] = np.log(prediction / (1 - prediction))
        return prediction


@caught_by("has_examples")
class RefusesEveryTarget(MeanSquare):
    """refuses every target"""

    def build(self, input_shape, target):
        raise ShapeError("no target")


@caught_by("loss_is_a_finite_number")
class InfiniteInSingle(MeanSquare):
    """overflows in float32"""

    def forward(self, x, t):
        return super().forward(x, t) * (math.inf if x.dtype == np.float32 else 1.0)


@caught_by("loss_of_the_whole_is_the_mean_of_its_parts")
class NegativeWeight(MeanSquare):
    """gives a minibatch the number of its rows as a negative weight"""

    def weight(self, t):
        return -len(t)


@caught_by("loss_of_the_whole_is_the_mean_of_its_parts")
class WeightOfNoNumber(MeanSquare):
    """gives a weight that is not a number"""

    def weight(self, t):
        return math.nan


@caught_by("loss_of_the_whole_is_the_mean_of_its_parts")
class CouplesInSecret(SpreadOfErrors):
    """compares rows with each other, and declares nothing"""

    couples_examples = False


@caught_by("rows_without_weight_have_no_loss")
class WeighsOneAtLeast(WeightedSquare):
    """gives rows without weight the weight 1"""

    def weight(self, t, weights=None):
        return super().weight(t, weights) or 1.0


@caught_by("rows_without_weight_have_no_loss")
class GradientIfAllAreWithoutWeight(WeightedSquare):
    """has a gradient for rows without weight, if all are"""

    def backward(self, dloss=1.0):
        return super().backward(dloss) if self.shares.any() else self.difference


@caught_by("predictions_have_a_row_for_each_example")
class PredictsNothing(MeanSquare):
    """forgets to return its predictions"""

    def predict(self, x):
        x.copy()


@caught_by("predictions_have_a_row_for_each_example")
class PredictsAmongOthers(MeanSquare):
    """predicts the distance from the mean of the rows at hand"""

    def predict(self, x):
        return x - x.mean(axis=0)


@caught_by("inputs_for_a_prediction_predict_it")
class InputsForOneRow(SquareOfProbabilities):
    """returns the inputs for the first prediction only"""

    def inputs_for(self, prediction):
        return np.log(prediction[:1] / (1 - prediction[:1]))


@caught_by("loss_is_a_finite_number")
class OverflowsInSingle(MeanSquare):
    """is infinite for several rows in float32"""

    def forward(self, x, t):
        loss = super().forward(x, t)
        return float("inf") if x.dtype == np.float32 and len(x) > 1 else loss


@caught_by("refuses_targets_it_can_not_compare")
class TakesAnyLabels(MeanSquare):
    """takes labels of any inputs, whatever their shape"""

    def build(self, input_shape, target):
        if not isinstance(target, Labels):
            super().build(input_shape, target)

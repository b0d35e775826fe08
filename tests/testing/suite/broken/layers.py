"""Layers that break what layers promise."""

from __future__ import annotations

import threading

import numpy as np
from kill_matrix import caught_by
from sound import Centre, Cube, Noise, Plus, Scale, Square

from mlpkit import Layer


@caught_by("build_only_declares")
class AllocatesInBuild(Scale):
    """makes an array in build"""

    def build(self, input_shape):
        self.mask = np.ones(input_shape)
        return super().build(input_shape)


@caught_by("build_only_declares")
class DeclaresByChance(Square):
    """declares something else each time"""

    built = 0

    def build(self, input_shape):
        DeclaresByChance.built += 1
        self.state("count", (DeclaresByChance.built,), 0.0)
        return input_shape


@caught_by("refuses_shapes_it_can_not_take")
class UnpacksItsShape(Scale):
    """raises ValueError for inputs of another rank"""

    def build(self, input_shape):
        (features,) = input_shape
        return super().build((features,))


@caught_by("refuses_shapes_it_can_not_take")
class TakesWhatItCanNot(Layer):
    """takes every shape in build, and fails in forward"""

    def forward(self, x):
        return x[:, ::-1]

    def backward(self, dy):
        return dy[:, ::-1].copy()


@caught_by("layers_inside_are_declared")
class BuildsLayersItself(Plus):
    """calls build of the layers inside, in place of self.child"""

    def build(self, input_shape):
        self.inside = [recipe() for recipe in self.layers]
        for layer in self.inside:
            layer.build(input_shape)
        return input_shape


@caught_by("layers_inside_may_overwrite_dy")
class HandsOutItsDy(Plus):
    """reads dy after the layers inside may have overwritten it"""

    def backward(self, dy):
        dx = dy
        for layer in reversed(self.inside):
            dx = layer.backward(dx)
        return dx + dy


@caught_by("input_gradient_is_the_derivative")
class WrongFactor(Square):
    """forgets a factor of two in dx"""

    def backward(self, dy):
        return dy * self.x


@caught_by("input_gradient_is_the_derivative")
class DerivativeOfTheSquare(Cube):
    """has the derivative of another function"""

    def derivative(self, x, y, out):
        return 2 * x


@caught_by("input_gradient_is_the_derivative")
class SinglePrecision(Square):
    """computes in float32 within a float64 network"""

    def forward(self, x):
        self.x = x
        return np.square(x.astype(np.float32)).astype(x.dtype)


@caught_by("input_gradient_outside_training_is_the_derivative")
class GoesBackAsInTraining(Centre):
    """goes back through the minibatch's mean outside training too"""

    def backward(self, dy):
        return dy - dy.mean(axis=0) if len(dy) else dy


@caught_by("input_gradient_outside_training_is_the_derivative")
class KeepsWhatItDropsFromTraining(Layer):
    """goes back through what it kept in training, of which there is nothing outside"""

    def forward(self, x):
        if not self.training:
            return x
        self.kept = self.rng.random(x.shape) < 0.5
        return x * self.kept

    def backward(self, dy):
        return dy * self.kept


@caught_by("parameter_gradients_are_the_derivatives")
class MeanInPlaceOfSum(Scale):
    """takes the mean over the rows where the derivative has the sum"""

    def backward(self, dy):
        self.w.grad[...] = (self.x * dy).mean(axis=0) if len(dy) else 0
        return dy * self.w.value


@caught_by("parameter_gradients_are_the_derivatives")
class ForgetsItsGradient(Scale):
    """never sets the gradient of its parameter"""

    def backward(self, dy):
        return dy * self.w.value


@caught_by("gradients_are_overwritten")
class AddsToGradients(Scale):
    """adds to the gradient, as other libraries do"""

    def backward(self, dy):
        self.w.grad += (self.x * dy).sum(axis=0)
        return dy * self.w.value


@caught_by("works_where_no_input_gradient_is_needed")
class StopsTooEarly(Scale):
    """returns before it has set its gradient if dx isn't needed"""

    def backward(self, dy):
        return super().backward(dy) if self.needs_input_gradient else None


@caught_by("float32_stays_float32")
class DoublePrecision(Square):
    """multiplies by an array without a dtype, which makes float64 of float32"""

    def forward(self, x):
        return super().forward(x) * np.ones(x.shape)

    def backward(self, dy):
        return super().backward(dy) * np.ones(dy.shape)


@caught_by("float64_stays_float64")
class AlwaysSingle(Square):
    """returns float32 whatever the network's dtype is"""

    def forward(self, x):
        return super().forward(x).astype(np.float32)


@caught_by("examples_do_not_affect_each_other")
class SubtractsTheMean(Layer):
    """subtracts the minibatch's mean and doesn't declare couples_examples"""

    def forward(self, x):
        return x - x.mean(axis=0) if len(x) else x

    def backward(self, dy):
        return dy - dy.mean(axis=0) if len(dy) else dy


@caught_by("in_evaluation_examples_stand_alone")
class NoRunningMean(Centre):
    """subtracts the minibatch's mean in evaluation too"""

    def forward(self, x):
        return x - x.mean(axis=0) if len(x) else x


@caught_by("leaves_its_inputs_alone")
class SquaresInPlace(Layer):
    """overwrites its inputs"""

    def forward(self, x):
        self.slope = 2 * x
        x *= x
        return x

    def backward(self, dy):
        return dy * self.slope


@caught_by("leaves_its_inputs_alone")
class OverwritesInputsInBackward(Square):
    """overwrites its inputs in backward"""

    def backward(self, dy):
        dx = super().backward(dy)
        self.x[...] = 0
        return dx


@caught_by("leaves_its_inputs_alone")
class DerivesInPlace(Cube):
    """uses its inputs as memory for the derivative"""

    def derivative(self, x, y, out):
        return np.multiply(3 * x, x, out=x)


@caught_by("works_on_read_only_inputs")
class WritesAndRestores(Square):
    """writes into its inputs and writes the old values back"""

    def forward(self, x):
        before = x.copy()
        x += 1
        x[...] = before
        return super().forward(x)


@caught_by("works_on_any_memory_layout")
class ReadsMemoryInOrder(Square):
    """takes the inputs' values in the order of the memory"""

    def forward(self, x):
        return super().forward(x.ravel(order="K").reshape(x.shape))


@caught_by("works_on_parameters_whose_rows_lie_apart")
class SumsIntoACopy(Scale):
    """writes its gradient into what reshape returns, which is a copy if there are gaps between rows"""

    def backward(self, dy):
        size = self.w.grad.size
        np.sum((self.x * dy).reshape(len(dy), size), axis=0, out=self.w.grad.reshape(size))
        return dy * self.w.value

    @classmethod
    def examples(cls):
        return [({}, (2, 3))]


@caught_by("works_on_any_memory_layout")
class ViewsDy(Square):
    """takes dy's values in the order of the memory"""

    def backward(self, dy):
        return super().backward(dy.ravel(order="K").reshape(dy.shape))


@caught_by("evaluation_changes_no_state")
class LearnsInEvaluation(Centre):
    """goes on averaging in evaluation"""

    def forward(self, x):
        if not self.training and len(x):
            y = x - self.mean.value
            self.mean.value[...] = 0.9 * self.mean.value + 0.1 * x.mean(axis=0)
            return y
        return super().forward(x)


@caught_by("evaluation_changes_no_state")
class AlwaysNoisy(Noise):
    """adds noise in evaluation too"""

    def forward(self, x):
        return x + 0.1 * self.rng.normal(size=x.shape).astype(x.dtype)


@caught_by("backward_twice_gives_the_same_bits")
class DerivesInWhatItKept(Square):
    """turns the inputs that forward kept into the gradient"""

    def forward(self, x):
        self.x = x.copy()
        return x * x

    def backward(self, dy):
        self.x *= 2 * dy
        return self.x


@caught_by("backward_twice_gives_the_same_bits")
class ReturnsItsParameter(Layer):
    """returns a view of its parameter from backward"""

    def build(self, input_shape):
        self.w = self.parameter("w", input_shape, "he_normal", fans=(4, 4))
        return input_shape

    def forward(self, x):
        self.x = x
        return x * self.w.value

    def backward(self, dy):
        np.sum(self.x * dy, axis=0, out=self.w.grad)
        return np.lib.stride_tricks.as_strided(self.w.value, self.x.shape, (0, *self.w.value.strides))


@caught_by("a_repeated_step_gives_the_same_bits")
class CountsSteps(Square):
    """changes from step to step"""

    steps = 0

    def forward(self, x):
        self.steps += 1
        return super().forward(x) + self.steps


@caught_by("other_steps_leave_no_trace")
class KeepsItsFirstInputs(Square):
    """keeps for backward what an earlier step left, if there were as many rows"""

    x = None

    def forward(self, x):
        if self.x is None or len(self.x) != len(x):
            self.x = x.copy()
        return x * x


@caught_by("scratch_is_written_before_it_is_read")
class ZeroesItsBorderOnce(Layer):
    """sets the border of a scratch array to zero once, and relies on it ever after"""

    begun = False

    def build(self, input_shape):
        return self.expect_rank(input_shape, 1)

    def forward(self, x):
        padded = self.buffer("padded", (len(x), x.shape[1] + 1))
        if not self.begun:
            padded[...] = 0
            self.begun = True
        padded[:, 1:] = x
        return x + padded[:, :-1]

    def backward(self, dy):
        dx = dy.copy()
        dx[:, :-1] += dy[:, 1:]
        return dx


class _Shared:
    x: np.ndarray


@caught_by("replicas_share_nothing")
class KeepsInputsInTheClass(Layer):
    """keeps its inputs in the class, where all copies find them"""

    shared = _Shared

    def forward(self, x):
        self.shared.x = x
        return x * x

    def backward(self, dy):
        return 2 * dy * self.shared.x


@caught_by("replicas_share_nothing")
class HoldsALock(Square):
    """can't be copied, for a lock that its constructor makes"""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@caught_by("replicas_run_in_threads")
class MainThreadOnly(Square):
    """works in the main thread only"""

    def forward(self, x):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("signals only work in the main thread")
        return super().forward(x)


@caught_by("outputs_have_the_declared_shape")
class DropsAnAxis(Square):
    """returns one number a row and declares the shape of its inputs"""

    def forward(self, x):
        return super().forward(x).sum(axis=-1)


@caught_by("outputs_have_the_declared_shape")
class DividesByTheLargest(Layer):
    """takes the largest element, which an empty minibatch lacks"""

    def forward(self, x):
        x.max()
        return x

    def backward(self, dy):
        return dy


@caught_by("input_gradient_has_the_inputs_shape")
class SumsItsGradient(Square):
    """returns dx summed over the rows"""

    def backward(self, dy):
        return super().backward(dy).sum(axis=0)


@caught_by("input_gradient_has_the_inputs_shape")
class ReadOnlyGradient(Square):
    """returns dx as an array that can't be written"""

    def backward(self, dy):
        dx = super().backward(dy)
        dx.flags.writeable = False
        return dx


@caught_by("plan_computes_the_same")
class PlansForOneInput(Square):
    """plans what it computes for the first inputs"""

    def prediction_plan(self, x):
        y = x * x
        return lambda: y


@caught_by("plan_computes_the_same")
class PlansForOneParameter(Scale):
    """plans with a copy of its parameter"""

    def prediction_plan(self, x):
        w = self.w.value.copy()
        return lambda: x * w


@caught_by("onnx_describes_what_is_computed")
class ForgetsItsWeights(Scale):
    """leaves its parameter out of what it describes"""

    def onnx(self, graph):
        return graph.input


@caught_by("onnx_describes_what_is_computed")
class DescribesAnotherFunction(Cube):
    """describes the square where it computes the cube"""

    def onnx(self, graph):
        return graph.op("Mul", graph.input, graph.input)


@caught_by("onnx_describes_what_is_computed")
class DescribesTraining(Centre):
    """describes the mean of the minibatch, which it subtracts in training only"""

    def onnx(self, graph):
        return graph.op("Sub", graph.input, graph.op("ReduceMean", graph.input, axes=[0]))


@caught_by("onnx_describes_what_is_computed")
class DescribesSevenRows(Square):
    """describes what it computes for a minibatch of seven rows"""

    def onnx(self, graph):
        return graph.op("Reshape", graph.op("Mul", graph.input, graph.input), np.array([7, -1]))


@caught_by("onnx_describes_what_is_computed")
class TakesAnIntegerForANumber(Square):
    """multiplies by the integer 1, where a network's numbers are no integers"""

    def onnx(self, graph):
        return graph.op("Mul", graph.op("Mul", graph.input, graph.input), 1)


@caught_by("onnx_describes_what_is_computed")
class DescribesInDoublePrecision(Square):
    """has a constant in float64 in a float32 network"""

    def onnx(self, graph):
        return graph.op("Mul", graph.op("Mul", graph.input, graph.input), np.array(1.0))


@caught_by("onnx_describes_what_is_computed")
class UsesAnOperatorOfItsOwn(Square):
    """uses an operator that there isn't"""

    def onnx(self, graph):
        return graph.op("Square", graph.input)


@caught_by("onnx_describes_what_is_computed")
class ReturnsNoValue(Square):
    """returns nothing from onnx"""

    def onnx(self, graph):
        graph.op("Mul", graph.input, graph.input)


@caught_by("onnx_describes_what_is_computed")
class DescribesTheLayersInsideAlone(Plus):
    """leaves out that it adds its input"""

    def onnx(self, graph):
        return graph.chain(self.inside)


@caught_by("refuses_shapes_it_can_not_take")
class FlattensInSecret(Layer):
    """declares the shape of its inputs, and flattens those with several axes"""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


@caught_by("layers_inside_are_declared")
class KeepsALayerByName(Scale):
    """keeps a layer in a dictionary, and doesn't declare it"""

    def build(self, input_shape):
        self.inside = {"first": Square()}
        return super().build(input_shape)


@caught_by("outputs_have_the_declared_shape")
class SqueezesItsOutputs(Square):
    """drops the axis of the rows if there is one row"""

    def forward(self, x):
        return super().forward(x).squeeze(axis=0) if len(x) == 1 else super().forward(x)


@caught_by("outputs_have_the_declared_shape")
class ReturnsAList(Square):
    """returns its outputs as a list"""

    def forward(self, x):
        return super().forward(x).tolist()


@caught_by("input_gradient_has_the_inputs_shape")
class SqueezesItsGradient(Square):
    """drops the axis of the rows of dx if there is one row"""

    def backward(self, dy):
        return super().backward(dy).squeeze()


@caught_by("float32_stays_float32")
class DoublesDx(Square):
    """returns dx in float64 from float32 inputs"""

    def backward(self, dy):
        return super().backward(dy).astype(np.float64)


@caught_by("build_only_declares")
class DeclaresParametersByChance(Scale):
    """declares a parameter of another name each time"""

    built = 0

    def build(self, input_shape):
        DeclaresParametersByChance.built += 1
        self.parameter(f"w{self.built}", input_shape, "zeros")
        return super().build(input_shape)

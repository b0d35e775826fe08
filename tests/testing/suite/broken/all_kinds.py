"""Components that break what every kind promises."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge
from kill_matrix import caught_by
from sound import Cube, Falling, Momentum, Noise, Scale, Share, Square, Uniform

from mlpkit import Layer


@caught_by("says_what_it_is", fault="has no docstring")
class Silent(Square):
    pass


@caught_by("says_what_its_parameters_mean")
class SilentAboutItsParameter(Square):
    """doesn't say what its parameter means"""

    def __init__(self, power: int = 2) -> None:
        self.power = power


@caught_by("says_what_its_parameters_mean")
class DescribesWhatIsNotThere(Square):
    """describes a parameter that was renamed

    Args:
        exponent: the power.
    """


@caught_by("can_be_loaded")
class WithoutAnnotation(Square):
    """has a parameter without an annotation

    Args:
        power: the power.
    """

    def __init__(self, power=2) -> None:
        self.power = power


@caught_by("can_be_loaded")
class WithoutBackward(Layer):
    """lacks a method that its kind needs"""

    def forward(self, x):
        return x


@caught_by("can_be_loaded")
class ForgetsSelf(Square):
    """lacks self among the arguments of forward"""

    def forward(x):  # noqa: N805 - that is what is wrong with it
        return x * x


@caught_by("can_be_loaded")
class AsksForMore(Square):
    """needs an argument that forward doesn't get"""

    def forward(self, x, training):
        return super().forward(x) if training else x


@caught_by("can_be_loaded")
class NeverTrains(Square):
    """has a parameter, training, that always keeps its default"""

    def forward(self, x, training=False):
        return super().forward(x) if training else x


@caught_by("can_be_loaded")
class AsksForNoMemory(Cube):
    """lacks the argument out of function"""

    def function(self, x):
        return x**3


@caught_by("can_be_loaded")
class UpdatesWithoutStep(Momentum):
    """lacks the argument step of update"""

    def update(self, value, gradient, slots):
        value -= self.learning_rate * gradient


@caught_by("can_be_loaded")
class ExamplesOfAnObject(Falling):
    """has examples that are no class method"""

    def examples(self):
        return [{}]


@caught_by("can_be_used")
class NeverDeclares(Scale):
    """reads a parameter that it never declares"""

    build = Layer.build


@caught_by("can_be_used")
class ReturnsNothing(Square):
    """forgets to return what backward computes"""

    def backward(self, dy):
        dy *= 2 * self.x


@caught_by("can_be_used")
class DerivesNothing(Cube):
    """forgets to return the derivative"""

    def derivative(self, x, y, out):
        np.multiply(3 * x, x, out=out)


@caught_by("can_be_used")
class HalfWritten(Share):
    """raises NotImplementedError in a method that is still to be written"""

    def merge(self, other):
        raise NotImplementedError


@caught_by("has_examples")
class WithoutExamples(Square):
    """has a required parameter and no examples

    Args:
        power: the power.
    """

    def __init__(self, power: int) -> None:
        self.power = power


@caught_by("has_examples")
class ExamplesWithoutShapes(Square):
    """returns examples without input shapes"""

    @classmethod
    def examples(cls):
        return [{}]


@caught_by("examples_can_be_built")
class OutdatedExamples(Square):
    """shows itself by a parameter that it no longer has"""

    @classmethod
    def examples(cls):
        return [({"power": 2}, (4,))]


@caught_by("defaults_are_what_a_spec_could_say")
class DefaultOutOfRange(Square):
    """has a default that its own annotation refuses

    Args:
        power: the power.
    """

    def __init__(self, power: Annotated[int, Ge(1)] = 0) -> None:
        self.power = power

    @classmethod
    def examples(cls):
        return [({"power": 2}, (4,))]


@caught_by("defaults_are_what_a_spec_could_say")
class DefaultPartlyOutOfRange(Square):
    """has a mapping as its default, and its own annotation refuses one of the values

    Args:
        powers: the power of each column by name.
    """

    def __init__(self, powers: dict[str, Annotated[int, Ge(1)]] = {"a": 3, "b": 0}) -> None:  # noqa: B006 - that's it
        self.powers = powers

    @classmethod
    def examples(cls):
        return [({"powers": {"a": 2}}, (4,))]


@caught_by("a_spec_keeps_the_parameters")
class ObjectAsExample(Scale):
    """shows itself by an object, which no spec can hold

    Args:
        weights: first values of w.
    """

    def __init__(self, weights: Annotated[object, "anything"] = "zeros") -> None:
        self.weights = weights

    @classmethod
    def examples(cls):
        return [({"weights": Uniform()}, (4,))]


@caught_by("odd_parameters_are_refused_with_our_errors")
class DividesByItsParameter(Square):
    """raises ZeroDivisionError for a parameter that its annotation lets through

    Args:
        parts: number of parts.
    """

    def __init__(self, parts: int = 2) -> None:
        self.share = 1 / parts


@caught_by("the_process_is_left_alone")
class SilencesNumpy(Square):
    """changes NumPy's error settings for the whole process"""

    def forward(self, x):
        np.seterr(all="ignore")
        return super().forward(x)


@caught_by("the_process_is_left_alone")
class SetsEnvironment(Uniform):
    """sets an environment variable"""

    def __call__(self, shape, fans, rng, dtype):
        os.environ["OMP_NUM_THREADS"] = "1"
        return super().__call__(shape, fans, rng, dtype)


@caught_by("the_process_is_left_alone")
class WritesALog(Square):
    """writes a log into the working folder"""

    def forward(self, x):
        Path("debug.log").write_text(str(x.shape))
        return super().forward(x)


@caught_by("the_same_twice_gives_the_same_bits")
class OwnGenerator(Noise):
    """draws from a generator that is seeded by the operating system"""

    def forward(self, x):
        return x + np.random.default_rng().normal(size=x.shape).astype(x.dtype)


@caught_by("the_same_twice_gives_the_same_bits")
class CountsObjects(Uniform):
    """depends on how many objects there were before"""

    number = itertools.count(1)

    def __init__(self) -> None:
        self.width = next(self.number)

    def __call__(self, shape, fans, rng, dtype):
        return (self.width * rng.uniform(size=shape)).astype(dtype)


@caught_by("the_same_twice_gives_the_same_bits")
class GlobalNumpyNoise(Noise):
    """draws from numpy.random"""

    def forward(self, x):
        return x + np.random.normal(size=x.shape).astype(x.dtype)


@caught_by("the_same_twice_gives_the_same_bits")
class GlobalShuffle(Falling):
    """draws from the module random"""

    def __call__(self, progress):
        return random.random()


@caught_by("the_process_is_left_alone")
class SeedsNumpy(Noise):
    """seeds numpy.random, and so is the same each time"""

    def forward(self, x):
        np.random.seed(0)
        return x + np.random.normal(size=x.shape).astype(x.dtype)


@caught_by("trains_saves_and_loads")
class ForgetsWhatItLearned(Scale):
    """keeps in an attribute what it learned, so that the model file lacks it"""

    total = None

    def forward(self, x):
        if self.training:
            self.total = x.mean(axis=0) if len(x) else None
        return super().forward(x) + (0 if self.training or self.total is None else self.total)

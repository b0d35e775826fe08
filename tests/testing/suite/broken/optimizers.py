"""Optimizers that break what optimizers promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Momentum

from mlpkit import Rate, Step


@caught_by("blocks_may_be_cut_anywhere")
class NormalizesByBlock(Momentum):
    """divides by the norm of the block's gradient, and calls itself elementwise"""

    def update(self, value, gradient, slots, step):
        super().update(value, gradient / (1 + np.linalg.norm(gradient)), slots, step)


@caught_by("slots_are_all_that_it_keeps")
class KeepsMomentumInItself(Momentum):
    """keeps its momentum in an attribute"""

    slots = ()
    elementwise = False

    def __init__(self, learning_rate: Rate = 0.05) -> None:
        self.learning_rate = learning_rate
        self.v = 0.0

    def update(self, value, gradient, slots, step):
        self.v = 0.5 * self.v + gradient
        value -= step.learning_rate * self.v


@caught_by("update_leaves_no_trace_in_the_object")
class CountsCalls(Momentum):
    """counts the calls of update"""

    calls = 0

    def update(self, *arguments):
        self.calls = self.calls + 1
        super().update(*arguments)


@caught_by("declares_its_rate_and_slots")
class CallsItEta(Momentum):
    """keeps its learning rate under another name

    Args:
        eta: the step length.
    """

    def __init__(self, eta: Rate = 0.05) -> None:
        self.eta = eta


@caught_by("declares_its_rate_and_slots")
class SlotsAsOneText(Momentum):
    """gives its slots as one text, which is a sequence of letters"""

    slots = "v"


@caught_by("decay_is_a_factor")
class DecaysInSecret(Momentum):
    """looks at decay and says that it doesn't"""

    uses_decay = False


@caught_by("decay_is_a_factor")
class DecaysOrNot(Momentum):
    """decays as much whatever the factor"""

    def update(self, value, gradient, slots, step):
        super().update(value, gradient, slots, step._replace(decay=float(step.decay > 0)))


@caught_by("steps_go_downhill")
class GoesUphill(Momentum):
    """adds the gradient"""

    def update(self, value, gradient, slots, step):
        super().update(value, -gradient, slots, step)


@caught_by("steps_go_downhill")
class ReplacesItsValue(Momentum):
    """makes a new array of the parameters in place of changing them"""

    def update(self, value, gradient, slots, step):
        value = value - step.learning_rate * gradient


@caught_by("slots_are_changed_in_place")
class ReplacesItsSlot(Momentum):
    """puts a new array into its slot"""

    def update(self, value, gradient, slots, step):
        slots["v"] = 0.5 * slots["v"] + gradient
        value -= step.learning_rate * slots["v"]


@caught_by("the_learning_rate_given_counts")
class UsesItsAttribute(Momentum):
    """uses self.learning_rate, which no schedule reaches"""

    def update(self, value, gradient, slots, step):
        super().update(value, gradient, slots, Step(self.learning_rate, step.number, step.decay))


@caught_by("float64_keeps_its_digits")
class ComputesInSingle(Momentum):
    """computes in float32 whatever the dtype is"""

    def update(self, value, gradient, slots, step):
        single = value.astype(np.float32)
        super().update(single, gradient.astype(np.float32), slots, step)
        value[...] = single


@caught_by("vanishing_gradients_keep_parameters_finite")
class DividesByTheGradient(Momentum):
    """divides by the size of the gradient, without a small number beside it"""

    def update(self, value, gradient, slots, step):
        super().update(value, gradient / np.abs(gradient), slots, step)


@caught_by("declares_its_rate_and_slots")
class SeesMatrices(Momentum):
    """asks for something that the trainer doesn't know"""

    sees = "matrices"


@caught_by("declares_its_rate_and_slots")
class SlotsWithoutShapes(Momentum):
    """gives the names of its slots and no shapes"""

    sees = "parameters"

    def slots_of(self, name, shape):
        return ("v",)


@caught_by("rows_may_lie_apart")
class ChangesACopy(Momentum):
    """flattens parameters, which copies those whose rows lie apart"""

    sees = "parameters"

    def update(self, value, gradient, slots, step):
        super().update(value.reshape(-1), gradient.reshape(-1), {"v": slots["v"].reshape(-1)}, step)


@caught_by("declares_its_rate_and_slots")
class LearnsOrNot(Momentum):
    """takes whether it learns for a learning rate

    Args:
        learning_rate: whether it learns.
    """

    def __init__(self, learning_rate: bool = True) -> None:
        self.learning_rate = learning_rate


@caught_by("declares_its_rate_and_slots")
class OneSlotTwice(Momentum):
    """has two slots of one name"""

    slots = ("v", "v")


@caught_by("declares_its_rate_and_slots")
class SlotOfTwoWords(Momentum):
    """has a slot whose name is no name"""

    slots = ("the momentum",)


@caught_by("declares_its_rate_and_slots")
class LengthsInPlaceOfShapes(Momentum):
    """gives lengths of slots, and no shapes"""

    sees = "parameters"

    def slots_of(self, name, shape):
        return {"v": len(shape)}


@caught_by("declares_its_rate_and_slots")
class SlotsWithoutElements(Momentum):
    """gives a slot no elements"""

    sees = "parameters"

    def slots_of(self, name, shape):
        return {"v": (0, *shape)}


@caught_by("update_leaves_no_trace_in_the_object")
class KeepsAScratchArray(Momentum):
    """writes into an array of its own"""

    def __init__(self, learning_rate: Rate = 0.05) -> None:
        self.learning_rate = learning_rate
        self.scratch = np.zeros(1)

    def update(self, value, gradient, slots, step):
        self.scratch += 1
        super().update(value, gradient, slots, step)


class Count:
    """Counts, and doesn't show it."""

    def __init__(self) -> None:
        self.calls = 0


@caught_by("update_leaves_no_trace_in_the_object")
class CountsInAnObject(Momentum):
    """counts its calls in an object that it keeps"""

    def __init__(self, learning_rate: Rate = 0.05) -> None:
        self.learning_rate = learning_rate
        self.count = Count()

    def update(self, value, gradient, slots, step):
        self.count.calls += 1
        super().update(value, gradient, slots, step)


@caught_by("vanishing_gradients_keep_parameters_finite")
class DividesByTinyGradients(Momentum):
    """divides by the square root of the squared gradient, if the gradient is not 0"""

    def update(self, value, gradient, slots, step):
        size = np.where(gradient == 0, 1, np.sqrt(gradient * gradient))
        super().update(value, gradient / size, slots, step)

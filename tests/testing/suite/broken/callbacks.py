"""Callbacks that break what callbacks promise."""

from __future__ import annotations

from kill_matrix import caught_by
from sound import Losses, Patience

from mlpkit import Callback


@caught_by("writes_no_other_files_than_it_says")
class NeedsAFolder(Callback):
    """takes for granted that there is a run folder"""

    def files(self):
        return ["done.txt"]

    def on_end(self, training):
        (training.folder / "done.txt").write_text("done")


@caught_by("writes_no_other_files_than_it_says")
class WritesInSecret(Callback):
    """writes a file that it doesn't name"""

    def files(self):
        return ["loss.txt"]

    def on_start(self, training):
        if training.folder is not None:
            (training.folder / "losses.txt").write_text("")


@caught_by("leaves_the_parameters_alone")
class ClipsParameters(Callback):
    """changes the parameters"""

    def on_step(self, training, loss):
        for value in training.parameters.values():
            value *= 0.99


@caught_by("state_is_plain_data")
class StateByStep(Patience):
    """returns a mapping whose keys are numbers"""

    def state(self):
        return super().state() | {"seen": {1: 0.5}}


@caught_by("state_is_plain_data")
class StateThatIsAList(Patience):
    """returns a list in place of a mapping"""

    def state(self):
        return [self.last, self.risen]

    def load_state(self, state):
        self.last, self.risen = state


@caught_by("state_is_plain_data")
class StateWithASet(Patience):
    """returns what a checkpoint can't hold"""

    def state(self):
        return super().state() | {"seen": {1, 2}}


@caught_by("goes_on_after_a_resume")
class ForgetsItsPatience(Patience):
    """leaves out of its state how often the loss has risen"""

    def state(self):
        return {"last": self.last}

    def load_state(self, state):
        self.last = state["last"]


@caught_by("goes_on_after_a_resume")
class BeginsAnewWhenResumed(Patience):
    """sets back in on_start what load_state has just given it"""

    def on_start(self, training):
        self.risen = 0


@caught_by("the_same_twice_gives_the_same_bits")
class RemembersInTheClass(Patience):
    """keeps the losses in the class, where the next training finds them"""

    losses: list[float] = []

    def __init__(self) -> None:
        super().__init__()

    def on_start(self, training):
        if len(self.losses) >= 24:
            self.losses.clear()

    def on_step(self, training, loss):
        self.losses.append(loss)
        if len(self.losses) == 15:
            training.stop("enough")


@caught_by("goes_on_after_a_resume")
class ForgetsAnArray(Losses):
    """puts zeros in the place of the array that load_state gives it"""

    def load_state(self, state):
        super().load_state(state)
        self.losses[:] = 0


@caught_by("leaves_the_parameters_alone")
class ClipsAtTheEnd(Callback):
    """changes the parameters when the training is over"""

    def on_close(self, training, outcome):
        next(iter(training.parameters.values()))[...] = 0


@caught_by("goes_on_after_a_resume")
class AsksAgain(Patience):
    """asks to stop whenever it is resumed"""

    def on_start(self, training):
        if training.history:
            training.stop("again")

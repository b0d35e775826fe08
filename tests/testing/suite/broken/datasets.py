"""Data sets that break what data sets promise."""

from __future__ import annotations

import itertools

import numpy as np
from kill_matrix import caught_by
from sound import Points, PointSplit, WeightedPoints, WeightedSplit

from mlpkit import Classes, DataError, Description, InputColumn, Labels, Proposal, ShapeError, Values


class _With(Points):
    """A data set whose splits are of a class of their own."""

    split = PointSplit

    def open(self, seed):
        return {name: self.split(split.x, split.t) for name, split in super().open(seed).items()}


@caught_by("description_is_whole")
class ShapeAsANumber(Points):
    """gives the input shape as a number"""

    def describe(self):
        return Description(2, Classes(3), {"train": 12, "validation": 5})


@caught_by("description_is_whole")
class WithoutTraining(Points):
    """has no split for training"""

    def describe(self):
        return Description((2,), Classes(3), {"validation": 5})

    def open(self, seed):
        return {"validation": PointSplit(np.zeros((5, 2)), np.zeros(5, int))}


@caught_by("description_agrees_with_the_splits")
class CountsWrong(Points):
    """describes fewer examples than it opens"""

    def open(self, seed):
        return super().open(seed) | {"test": PointSplit(np.zeros((5, 2)), np.zeros(5, int))}


@caught_by("the_same_seed_gives_the_same_splits")
class ShufflesAnew(Points):
    """shuffles otherwise each time it is opened, whatever the seed is"""

    opened = itertools.count()

    def open(self, seed):
        return super().open(next(self.opened))


@caught_by("encoder_goes_on_without_the_data")
class ForgetsItsMean(Points):
    """leaves out of the encoder's state what encode needs"""

    mean = 0.0

    def encoder_state(self):
        return {}

    def load_encoder_state(self, state):
        pass


@caught_by("encoder_goes_on_without_the_data")
class ArrayAsState(Points):
    """returns an array in the encoder's state"""

    def encoder_state(self):
        return {"mean": self.mean}


@caught_by("encoder_goes_on_without_the_data")
class RefusesAfterLoading(Points):
    """can't encode unless it was opened"""

    def load_encoder_state(self, state):
        pass

    def encode(self, raw):
        if not hasattr(self, "mean"):
            raise ShapeError("not opened")
        return super().encode(raw)


@caught_by("names_are_distinct")
class TwoColumnsOfOneName(Points):
    """calls both of its columns the same"""

    def column_names(self):
        return ("width", "width")

    def from_columns(self, columns):
        raise DataError("the rows", "there is no such column", column="width")


@caught_by("names_are_distinct")
class ForgetsItsColumns(Points):
    """knows its columns only once it is opened, and not from the encoder's state"""

    names = None

    def column_names(self):
        return self.names

    def open(self, seed):
        self.names = ("width", "height")
        return super().open(seed)


@caught_by("takes_its_examples_for_encoded")
class RefusesItsOwn(Points):
    """takes its own examples for raw ones"""

    def why_not_encoded(self, inputs):
        return "they are negative" if (inputs < 0).any() else ""


@caught_by("opens_with_the_encoders_state")
class ScalesTwice(Points):
    """takes the mean off twice if it knows it already"""

    def open(self, seed):
        known = getattr(self, "mean", 0.0)
        return {name: PointSplit(split.x - known, split.t) for name, split in super().open(seed).items()}


@caught_by("names_are_distinct")
class OneNameForTwo(Points):
    """has one name for two elements of an input"""

    def feature_names(self):
        return ("left",)


@caught_by("names_are_distinct")
class TwoNamesForThree(Points):
    """has fewer names than classes"""

    def class_names(self):
        return ("left", "right")


def _codes(splits):
    return {name: np.zeros(len(split), np.int32) for name, split in splits.items()}


@caught_by("proposes_nothing_for_files_of_others")
class ProposesForEveryFile(Points):
    """proposes the same spec for every file"""

    @classmethod
    def propose(cls, files, target):
        return Proposal({"data": "points"}, {}, [])


@caught_by("proposes_nothing_for_files_of_others")
class OpensEveryFile(Points):
    """opens a file before it looks at its name"""

    @classmethod
    def propose(cls, files, target):
        raise DataError(files["train"], "no such file")


@caught_by("proposes_nothing_for_files_of_others")
class RecipeForEveryFile(Points):
    """has a recipe that fills in every file"""

    @classmethod
    def recipes(cls):
        return {"mine": lambda files, target: Proposal({"data": "points"}, {}, [])}


@caught_by("takes_any_examples")
class SortsItsPositions(_With):
    """gives the examples in the order of their positions"""

    class split(PointSplit):
        def take(self, indices, out):
            super().take(np.sort(indices), out)


@caught_by("takes_any_examples")
class EachOnce(_With):
    """gives an example once that was asked for twice"""

    class split(PointSplit):
        def take(self, indices, out):
            unique = np.unique(indices)
            super().take(np.resize(unique, len(indices)), out)


@caught_by("description_agrees_with_the_splits")
class LosesTheLast(_With):
    """fails on the last example"""

    class split(PointSplit):
        def take(self, indices, out):
            if (indices == len(self) - 1).any():
                raise IndexError("out of range")
            super().take(indices, out)


@caught_by("writes_all_of_out")
class LeavesZerosOut(_With):
    """writes into out only what is not negative"""

    class split(PointSplit):
        def take(self, indices, out):
            x = self.x[indices]
            np.copyto(out[0], x, where=x >= 0)
            out[1][...] = self.t[indices]


@caught_by("takes_any_examples")
class WrapsItsPositions(_With):
    """changes the positions in place"""

    class split(PointSplit):
        def take(self, indices, out):
            super().take(indices, out)
            indices[...] = 0


@caught_by("examples_are_what_was_described")
class LabelsFromOne(_With):
    """numbers its classes from 1"""

    class split(PointSplit):
        def take(self, indices, out):
            super().take(indices, out)
            out[1][...] += 1


@caught_by("examples_are_what_was_described")
class MissingValues(_With):
    """gives missing values as what is not a number"""

    class split(PointSplit):
        def take(self, indices, out):
            super().take(indices, out)
            out[0][0] = np.nan


@caught_by("weights_are_numbers_from_0_up")
class NegativeWeights(WeightedPoints):
    """gives negative weights"""

    def open(self, seed):
        return {name: NegativeSplit(split.x, split.t) for name, split in super().open(seed).items()}


class NegativeSplit(WeightedSplit):
    def take(self, indices, out):
        super().take(indices, out)
        out[2][...] -= 1


@caught_by("weights_are_numbers_from_0_up")
class NoWeightAtAll(WeightedPoints):
    """gives every example the weight 0"""

    def open(self, seed):
        return {name: WeightlessSplit(split.x, split.t) for name, split in super().open(seed).items()}


class WeightlessSplit(WeightedSplit):
    def take(self, indices, out):
        super().take(indices, out)
        out[2][...] = 0


def _describing(**others):
    """Return a data set whose description has some other parts."""

    class Described(Points):
        def describe(self):
            return super().describe()._replace(**others)

    return Described


@caught_by("description_is_whole")
class NoLength(_describing(input_shape=(2, 0))):
    """has inputs without elements"""


@caught_by("description_is_whole")
class TargetByName(_describing(target="classes")):
    """gives its target as a text"""


@caught_by("description_is_whole")
class UnknownSplit(_describing(sizes={"train": 12, "holdout": 5})):
    """has a split that mlpkit doesn't know"""


@caught_by("description_is_whole")
class EmptySplit(_describing(sizes={"train": 12, "validation": 0})):
    """has a split without examples"""


@caught_by("description_is_whole")
class ColumnsByName(_describing(columns=["width", "height"])):
    """gives the names of its columns"""


@caught_by("description_is_whole")
class ColumnsOfWords(_describing(columns=[InputColumn("width", "numbers"), InputColumn("height", "words")])):
    """has a column that holds what none can"""


@caught_by("description_is_whole")
class ColumnsTooWide(_describing(columns=[InputColumn("width", "numbers"), InputColumn("height", "one_hot", 2)])):
    """has columns of more elements than its inputs"""


class Vague(Values):
    """Values whose shape is lost when they are saved."""

    def to_plain(self):
        return {}

    @classmethod
    def from_plain(cls, plain):
        return cls(())


@caught_by("description_is_whole")
class ForgetsItsTarget(_describing(target=Vague((2,)))):
    """has a target of its own that loses its shape when it is saved"""

    target_types = (Vague,)


@caught_by("weights_are_numbers_from_0_up")
class WeightsThatAreNoNumbers(WeightedPoints):
    """gives an example a weight that is not a number"""

    def open(self, seed):
        return {name: UnknownWeight(split.x, split.t) for name, split in super().open(seed).items()}


class UnknownWeight(WeightedSplit):
    def take(self, indices, out):
        super().take(indices, out)
        out[2][indices == 0] = np.nan


@caught_by("description_agrees_with_the_splits")
class LosesTheFirst(_With):
    """fails on the first example"""

    class split(PointSplit):
        def take(self, indices, out):
            if indices[0] == 0 and len(indices) == 1:
                raise IndexError("out of range")
            super().take(indices, out)


@caught_by("description_agrees_with_the_splits")
class TakesSomeAtMost(_With):
    """fails if all examples are asked for at once"""

    class split(PointSplit):
        def take(self, indices, out):
            if len(indices) == len(self):
                raise MemoryError
            super().take(indices, out)


@caught_by("the_same_seed_gives_the_same_splits")
class FingerprintByChance(Points):
    """has another fingerprint each time"""

    made = itertools.count()

    def fingerprint(self):
        return str(next(self.made))


@caught_by("the_same_seed_gives_the_same_splits")
class FingerprintAsANumber(Points):
    """has a number for a fingerprint"""

    def fingerprint(self):
        return 7


@caught_by("names_are_distinct")
class NumbersForNames(Points):
    """numbers the elements of an input in place of naming them"""

    def feature_names(self):
        return (1, 2)


@caught_by("names_are_distinct")
class OneNameForTwoClasses(Points):
    """has one name for two classes"""

    def class_names(self):
        return ("left", "right", "right")


@caught_by("takes_any_examples")
class WritesPositionsAndRestores(_With):
    """writes into the positions, and writes the old values back"""

    class split(PointSplit):
        def take(self, indices, out):
            indices += 1
            indices -= 1
            super().take(indices, out)


@caught_by("writes_all_of_out")
class LeavesTheFirstClassOut(_With):
    """writes only the numbers of classes that are not 0"""

    class split(PointSplit):
        def take(self, indices, out):
            out[0][...] = self.x[indices]
            np.copyto(out[1], self.t[indices], where=self.t[indices] > 0)


@caught_by("examples_are_what_was_described")
class LabelsFromMinusOne(_With):
    """numbers its classes from -1"""

    class split(PointSplit):
        def take(self, indices, out):
            super().take(indices, out)
            out[1][...] -= 1


class _OneHot(_describing(target=Classes(3, one_hot=True))):
    """Points whose classes are rows of zeros and a one, or of labels."""

    def open(self, seed):
        return {name: PointSplit(split.x, self.rows(split.t)) for name, split in super().open(seed).items()}

    def rows(self, t):
        return np.eye(3)[t]


@caught_by("examples_are_what_was_described")
class TwoOnesInARow(_OneHot):
    """marks two classes of an example"""

    def rows(self, t):
        return np.maximum(super().rows(t), super().rows(t - 1))


@caught_by("examples_are_what_was_described")
class ShareOfAClass(_OneHot):
    """divides the one of a row between two classes"""

    def rows(self, t):
        return (super().rows(t) + super().rows(t - 1)) / 2


@caught_by("examples_are_what_was_described")
class TwoForALabel(_OneHot):
    """marks a label by 2"""

    def describe(self):
        return super().describe()._replace(target=Labels(3))

    def rows(self, t):
        return 2 * super().rows(t)


@caught_by("examples_are_what_was_described")
class InfiniteTargets(_OneHot):
    """has an infinite target"""

    def describe(self):
        return super().describe()._replace(target=Values((3,)))

    def rows(self, t):
        return np.where(t[:, None] == 0, np.inf, super().rows(t))

"""Data sets that describe their encoder wrongly."""

from __future__ import annotations

from kill_matrix import caught_by
from sound import Points


@caught_by("onnx_describes_how_inputs_are_encoded")
class DescribesNoMean(Points):
    """describes an encoder that takes off no mean"""

    def onnx(self, graph):
        return self.points(graph)


@caught_by("onnx_describes_how_inputs_are_encoded")
class FeedsColumnsTheWrongWayRound(Points):
    """gives an exported model each column under the other's name"""

    def feeds(self, columns):
        width, height = super().feeds(columns).values()
        return {"width": height, "height": width}


@caught_by("onnx_describes_how_inputs_are_encoded")
class FeedsOneColumn(Points):
    """gives an exported model one of two inputs"""

    def feeds(self, columns):
        return {"width": super().feeds(columns)["width"]}


@caught_by("onnx_describes_how_inputs_are_encoded")
class DescribesAnOddOperator(Points):
    """describes its encoder with an operator that ONNX lacks"""

    def onnx(self, graph):
        return graph.op("TakeOff", self.points(graph), self.mean)


@caught_by("raw_rows_are_those_of_the_split")
class FirstRawRows(Points):
    """returns the first raw rows, whatever the positions"""

    def raw_rows(self, split, indices):
        return super().raw_rows(split, range(len(indices)))


@caught_by("raw_rows_are_those_of_the_split")
class RawRowsOfTraining(Points):
    """returns raw rows of the training split for every split"""

    def raw_rows(self, split, indices):
        return super().raw_rows("train", indices)

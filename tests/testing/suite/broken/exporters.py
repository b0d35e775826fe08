"""Exporters that break what exporters promise."""

from __future__ import annotations

import uuid

import numpy as np
from kill_matrix import caught_by
from sound import Listing

from mlpkit.graph import evaluate


@caught_by("says_its_ending")
class HasNoDot(Listing):
    """says an ending without a dot"""

    ending = "listing"


@caught_by("refuses_clearly_what_it_cannot_hold")
class LooksUpOperators(Listing):
    """raises KeyError for an operator that it doesn't know"""

    def write(self, model, file):
        if any(node.domain for node in model.graph.nodes):
            raise KeyError("ai.onnx.ml")
        super().write(model, file)


@caught_by("can_be_used")
class RefusesAll(Listing):
    """refuses every model"""

    known = ()


@caught_by("can_be_used")
class WritesASecondFile(Listing):
    """writes a file beside the one that is asked for"""

    def write(self, model, file):
        super().write(model, file)
        file.with_suffix(".txt").write_text("more")


@caught_by("the_file_says_what_it_came_from")
class ForgetsTheRun(Listing):
    """leaves out the provenance"""

    def write(self, model, file):
        super().write(model, file)
        file.write_text("\n".join(file.read_text("utf-8").splitlines()[1:]), "utf-8")


@caught_by("the_same_twice_gives_the_same_bits")
class NumbersEachFile(Listing):
    """writes other bytes each time"""

    def write(self, model, file):
        super().write(model, file)
        file.write_text(f"{file.read_text('utf-8')}\n{uuid.uuid4()}", "utf-8")


@caught_by("the_file_computes_what_the_model_does")
class ForgetsTheBias(Listing):
    """computes without the last bias"""

    def compute(self, file, model, feeds, names):
        graph = model.graph
        kept = graph.constants["Affine2.b"]
        graph.constants["Affine2.b"] = kept * 0
        found = evaluate(graph, feeds)
        graph.constants["Affine2.b"] = kept
        return {name: found[name] for name in names}


@caught_by("says_its_ending")
class EndsInCapitals(Listing):
    """says an ending in capitals"""

    ending = ".LISTING"


@caught_by("says_its_ending")
class EndsInNothing(Listing):
    """says no ending"""

    ending = None


@caught_by("the_file_computes_what_the_model_does")
class ComputesOneRow(Listing):
    """computes the first row only"""

    def compute(self, file, model, feeds, names):
        return super().compute(file, model, {name: rows[:1] for name, rows in feeds.items()}, names)


@caught_by("the_file_computes_what_the_model_does")
class SkipsValuesInside(Listing):
    """says that it shows values inside the network, and leaves them out"""

    def compute(self, file, model, feeds, names):
        return super().compute(file, model, feeds, [name for name in names if name in model.graph.outputs])


@caught_by("the_file_computes_what_the_model_does")
class TakesTextsForOthers(Listing):
    """takes every colour for an unknown one"""

    def compute(self, file, model, feeds, names):
        return super().compute(file, model, feeds | {"colour": np.full(len(feeds["x"]), "?", object)}, names)

"""Fills in what a spec leaves to its data, so that ``resolved.yaml`` and the model hold plain values."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.operation import Shape
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import Auto, Recipe
from mlpkit.components.target import Classes, Labels, Target
from mlpkit.errors import WrongUseError
from mlpkit.jobs.spec_data import names_of_target, open_data
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.spec import Spec
from mlpkit.training.minibatches import BatchReader

ROWS_COUNTED_TOGETHER: Final = 1024


class FactsOfSpec(NamedTuple):
    """What is known of a spec's data, which is described."""

    spec: Spec
    dataset: Dataset
    description: Description

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.description.target

    @property
    def loss_name(self) -> str:
        """The loss's name in the spec."""
        return self.spec.layers[-1].recipe.name

    def loss_inputs(self) -> Shape | None:
        """Return the shape of the inputs that the loss takes for the target; None if that isn't known."""
        with component_errors(f"loss {self.loss_name} failed in expected_inputs"):
            loss: Any = self.spec.layers[-1].recipe()
            shape: Shape | None = loss.expected_inputs(self.target)
        return shape

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes; their numbers, as texts, if they have no others."""
        assert isinstance(self.target, Classes)
        with component_errors(f"dataset {self.spec.data.name} failed in class_names"):
            return names_of_target(self.dataset, self.target)

    def class_counts(self) -> NDArray[np.float64]:
        """Return how many training examples each class has, or the sum of their weights; it takes opening the data."""
        split = open_data(self.spec, self.dataset)["train"]
        reader = BatchReader(split, self.description, np.dtype(self.spec.dtype), min(ROWS_COUNTED_TOGETHER, len(split)))
        counts = (count_classes(self.target, t, weights) for _, t, weights in reader.in_order())
        return np.asarray(reduce(np.add, counts), np.float64)


def filled_in(spec: Spec, facts: FactsOfSpec) -> tuple[Spec, list[Problem]]:
    """Return the spec without anything that is left to the data, and what could not be filled in.

    By default a minibatch has no more than the training examples.
    """
    faults: list[Problem] = []
    layers = tuple(replace(member, recipe=_filled_in(member.recipe, facts, faults)) for member in spec.layers)
    training = spec.training
    if not spec.document.has_value(("training", "batch_size")):
        most = max(1, facts.description.sizes["train"] // training.accumulate)
        training = replace(training, batch_size=min(training.batch_size, most))
    return replace(spec, top_level=replace(spec.top_level, layers=layers, training=training)), faults


def _filled_in(value: Any, facts: FactsOfSpec, faults: list[Problem]) -> Any:
    """Return a recipe, or a value in one, with nothing left to the data except where a fault is found."""
    if isinstance(value, Recipe):
        arguments = {}
        for key, argument in value.arguments.items():
            try:
                arguments[key] = _filled_in(argument, facts, faults)
            except WrongUseError as error:
                path = (*value.place, key)
                faults.append(
                    Problem(path, error.message, expected=error.expected, remedy=error.remedy, code=error.code)
                )
                arguments[key] = argument
        return replace(value, arguments=arguments)
    if isinstance(value, Auto):
        return value.fill_in(facts)
    if type(value) in (list, tuple):
        return type(value)(_filled_in(item, facts, faults) for item in value)
    return {key: _filled_in(item, facts, faults) for key, item in value.items()} if type(value) is dict else value


def count_classes(target: Target, t: Array, weights: Array | None = None) -> Array:
    """Return how many examples have each class or label, or the sum of their weights; nothing of values."""
    if isinstance(target, Classes) and not target.one_hot:
        return np.bincount(t, weights, minlength=target.count)
    if isinstance(target, Classes | Labels):
        return np.asarray(np.rint(t.sum(axis=0, dtype=np.float64)), np.int64) if weights is None else weights @ t
    return np.zeros(0, np.int64)

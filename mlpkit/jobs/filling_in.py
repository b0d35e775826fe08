"""Fills in what a spec leaves to its data, so that ``resolved.yaml`` and the model hold plain values."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.operation import Shape
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import Auto, Recipe
from mlpkit.components.target import Classes, DataFacts, Labels, Target
from mlpkit.errors import WrongUseError
from mlpkit.jobs.spec_data import names_of_target, open_data
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.spec import Spec
from mlpkit.training.minibatches import BatchReader

ROWS_COUNTED_TOGETHER: Final = 1024


def facts_of(spec: Spec, dataset: Dataset, description: Description) -> DataFacts:
    """Return what is known of a spec's data, which is described; to count the classes takes opening it."""
    target, loss_name = description.target, spec.layers[-1].recipe.name

    def loss_inputs() -> Shape | None:
        with component_errors(f"loss {loss_name} failed in expected_inputs"):
            loss: Any = spec.layers[-1].recipe()
            shape: Shape | None = loss.expected_inputs(target)
        return shape

    def class_names() -> tuple[str, ...]:
        with component_errors(f"dataset {spec.data.name} failed in class_names"):
            return names_of_target(dataset, target)

    def class_counts() -> NDArray[np.float64]:
        split = open_data(spec, dataset)["train"]
        reader = BatchReader(split, description, np.dtype(spec.dtype), min(ROWS_COUNTED_TOGETHER, len(split)))
        counts = (count_classes(target, t, weights) for _, t, weights in reader.in_order())
        return np.asarray(reduce(np.add, counts), np.float64)

    return DataFacts(target, loss_name, loss_inputs, class_names, class_counts)


def filled_in(spec: Spec, dataset: Dataset, description: Description) -> tuple[Spec, list[Problem]]:
    """Return the spec without anything that is left to the data, and what could not be filled in.

    By default a minibatch has no more than the training examples.
    """
    faults: list[Problem] = []
    facts, training = facts_of(spec, dataset, description), spec.training
    layers = tuple(replace(member, recipe=_filled_in(member.recipe, facts, faults)) for member in spec.layers)
    if not spec.document.has_value(("training", "batch_size")):
        most = max(1, description.sizes["train"] // training.accumulate)
        training = replace(training, batch_size=min(training.batch_size, most))
    return replace(spec, top_level=replace(spec.top_level, layers=layers, training=training)), faults


def _filled_in(value: Any, facts: DataFacts, faults: list[Problem]) -> Any:
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

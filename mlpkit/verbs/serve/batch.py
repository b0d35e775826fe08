"""Predictions for the rows of several requests at once; a row gets the same bits as alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mlpkit.jobs.inputs import Inputs, inputs_of
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.predict import Predictions, predicted_values, predictions_from, warn_of_no_guarantee
from mlpkit.verbs.serve.noticed import noticed
from mlpkit.verbs.serve.rows import Rows, together


class Request(NamedTuple):
    """Rows, and the model that predicts for them."""

    model: TrainedModel
    rows: Rows


class Predicted(NamedTuple):
    """Predictions, and what was unusual about their rows."""

    predictions: Predictions
    warnings: Sequence[str]


class Encoded(NamedTuple):
    """Encoded rows, and the requests that they belong to: one, or one for each row."""

    inputs: Inputs
    numbers: Sequence[int]


def predict_all(requests: Sequence[Request]) -> list[Predicted | Exception]:
    """Return the predictions for each request, or what is wrong with it, which doesn't concern the others."""
    found: dict[int, Predicted | Exception] = {}
    for model in {id(request.model): request.model for request in requests}.values():
        rows = {number: request.rows for number, request in enumerate(requests) if request.model is model}
        groups, wrong = _encoded(model, rows)
        found |= wrong | _predicted(model, groups)
    return [found[number] for number in range(len(requests))]


def _predicted(model: TrainedModel, groups: list[Encoded]) -> dict[int, Predicted | Exception]:
    """Return predictions by request; the network computes them together."""
    if not groups:
        return {}
    inputs = [group.inputs for group in groups]
    try:
        values = predicted_values(model, np.concatenate([each.x for each in inputs]) if inputs[1:] else inputs[0].x)
    except Exception as error:
        if len(groups) == 1 and len(groups[0].numbers) == 1:
            return {groups[0].numbers[0]: error}
        return _one_by_one(model, groups)
    found: dict[int, Predicted | Exception] = {}
    for group, end in zip(groups, np.cumsum([len(each.x) for each in inputs]).tolist(), strict=True):
        of_group = _meaning(model, group.inputs, values[end - len(group.inputs.x) : end])
        if len(group.numbers) == 1:
            found[group.numbers[0]] = of_group
        elif isinstance(of_group, Exception):
            found |= _one_by_one(model, [group])
        else:
            parts = (of_group.predictions.part(slice(i, i + 1)) for i in range(len(group.numbers)))
            found |= {n: of_group._replace(predictions=part) for n, part in zip(group.numbers, parts, strict=True)}
    return found


def _one_by_one(model: TrainedModel, groups: list[Encoded]) -> dict[int, Predicted | Exception]:
    """Return predictions by request, where one of them is wrong."""
    found: dict[int, Predicted | Exception] = {}
    for inputs, numbers in groups:
        alone = len(numbers) == 1
        parts = [inputs] if alone else [inputs._replace(x=inputs.x[i : i + 1]) for i in range(len(numbers))]
        for number, part in zip(numbers, parts, strict=True):
            found |= _predicted(model, [Encoded(part, [number])])
    return found


def _meaning(model: TrainedModel, inputs: Inputs, values: np.ndarray) -> Predicted | Exception:
    try:
        with noticed() as texts:
            found = predictions_from(model, inputs, values)
            warn_of_no_guarantee(model, found)
    except Exception as error:
        return error
    return Predicted(found, [*inputs.remarks, *texts])


def _encoded(model: TrainedModel, rows: dict[int, Rows]) -> tuple[list[Encoded], dict[int, Predicted | Exception]]:
    """Encode rows by request, and return those that are wrong, too.

    Those of one signature are encoded together, unless one of them is wrong or unusual.
    """
    signatures: dict[object, list[int]] = {}
    for number, each in rows.items():
        signature = each.signature
        signatures.setdefault(number if signature is None else signature, []).append(number)
    groups, wrong = list[Encoded](), dict[int, Predicted | Exception]()
    for numbers in signatures.values():
        whole = encoded(model, together([rows[number] for number in numbers]))
        if isinstance(whole, Inputs) and not (whole.remarks and numbers[1:]):
            groups.append(Encoded(whole, numbers))
            continue
        for number in numbers:
            alone = encoded(model, rows[number])
            if isinstance(alone, Inputs):
                groups.append(Encoded(alone, [number]))
            else:
                wrong[number] = alone
    return groups, wrong


def encoded(model: TrainedModel, rows: Rows) -> Inputs | Exception:
    """Encode rows as in training, with the warnings among the remarks; or return what is wrong with them."""
    try:
        with noticed() as texts, rows.source() as source:
            inputs = inputs_of(model, source)
    except Exception as error:
        return error
    return inputs._replace(remarks=[*texts, *inputs.remarks])

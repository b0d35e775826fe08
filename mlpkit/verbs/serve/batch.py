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


def predict_all(requests: Sequence[Request]) -> list[Predicted | Exception]:
    """Return the predictions for each request, or what is wrong with it, which doesn't concern the others."""
    found: dict[int, Predicted | Exception] = {}
    for model in {id(request.model): request.model for request in requests}.values():
        numbers = [number for number, request in enumerate(requests) if request.model is model]
        encoded = _encoded(model, {number: requests[number].rows for number in numbers})
        found |= {number: each for number, each in encoded.items() if isinstance(each, Exception)}
        found |= _predicted(model, {number: each for number, each in encoded.items() if isinstance(each, Inputs)})
    return [found[number] for number in range(len(requests))]


def _predicted(model: TrainedModel, encoded: dict[int, Inputs]) -> dict[int, Predicted | Exception]:
    """Return predictions for inputs by number; the network computes them together."""
    if not encoded:
        return {}
    inputs = [*encoded.values()]
    try:
        values = predicted_values(model, np.concatenate([each.x for each in inputs]) if inputs[1:] else inputs[0].x)
    except Exception as error:
        if not inputs[1:]:
            return dict.fromkeys(encoded, error)
        return {number: _predicted(model, {number: each})[number] for number, each in encoded.items()}
    ends = np.cumsum([len(each.x) for each in inputs]).tolist()
    return {
        number: _meaning(model, each, values[end - len(each.x) : end])
        for (number, each), end in zip(encoded.items(), ends, strict=True)
    }


def _meaning(model: TrainedModel, inputs: Inputs, values: np.ndarray) -> Predicted | Exception:
    try:
        with noticed() as texts:
            found = predictions_from(model, inputs, values)
            warn_of_no_guarantee(model, found)
    except Exception as error:
        return error
    return Predicted(found, [*inputs.remarks, *texts])


def _encoded(model: TrainedModel, rows: dict[int, Rows]) -> dict[int, Inputs | Exception]:
    """Encode rows by number: those of one signature together, unless one of them is wrong or unusual."""
    groups: dict[object, list[int]] = {}
    for number, each in rows.items():
        signature = each.signature
        groups.setdefault(number if signature is None else signature, []).append(number)
    found: dict[int, Inputs | Exception] = {}
    for numbers in groups.values():
        whole = encoded(model, together([rows[number] for number in numbers])) if numbers[1:] else None
        if isinstance(whole, Inputs) and not whole.remarks:
            found |= {number: Inputs(whole.x[i : i + 1], whole.source) for i, number in enumerate(numbers)}
        else:
            found |= {number: encoded(model, rows[number]) for number in numbers}
    return found


def encoded(model: TrainedModel, rows: Rows) -> Inputs | Exception:
    """Encode rows as in training, with the warnings among the remarks; or return what is wrong with them."""
    try:
        with noticed() as texts, rows.source() as source:
            inputs = inputs_of(model, source)
    except Exception as error:
        return error
    return inputs._replace(remarks=[*texts, *inputs.remarks])

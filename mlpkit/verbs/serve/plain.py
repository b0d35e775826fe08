"""The plain endpoint: rows as people have them, and answers as ``mlpkit predict --json`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.groups.prediction_documents import documents, explanations
from mlpkit.jobs.explanations import explain
from mlpkit.jobs.inputs import Columns, located
from mlpkit.verbs.serve.batch import Request
from mlpkit.verbs.serve.refusals import BAD_REQUEST, UNSUPPORTED, WRONG, Refusal
from mlpkit.verbs.serve.rows import Rows, json_of, rows_of_json

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from mlpkit.jobs.explanations import Explanation
    from mlpkit.verbs.serve.models import Loaded
    from mlpkit.verbs.serve.worker import Worker

JSON, CSV = "application/json", "text/csv"
TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class Options(NamedTuple):
    """What the query of a plain request asks for."""

    explain: bool = False
    all_classes: bool = False


def options_of(request: HttpRequest) -> Options:
    """Return what the query of a request asks for, or raise ``Refusal``."""
    if not request.scope["query_string"]:
        return Options()
    query, found = request.query_params, dict[str, bool]()
    for name, text in query.multi_items():
        if name not in Options._fields:
            remedy = did_you_mean(name, Options._fields)
            expected = "" if remedy else f"one of {', '.join(Options._fields)}"
            message = f"there is no query parameter '{name}'"
            raise Refusal(WRONG, message, code="unknown-key", path=name, expected=expected, remedy=remedy)
        if name in found or text not in TRUTHS:
            message = f"the query parameter {name} is {', '.join(query.getlist(name))!r}"
            raise Refusal(WRONG, message, code="wrong-value", path=name, expected="true or false, once")
        found[name] = TRUTHS[text]
    options = Options(**found)
    if options.all_classes and not options.explain:
        raise Refusal(WRONG, "all_classes goes with explain=true", path="all_classes")
    return options


def rows_of(body: bytes, content_type: str, loaded: Loaded) -> Rows:
    """Return the rows in a body, or raise ``Refusal``."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == CSV:
        if not body.strip():
            raise Refusal(BAD_REQUEST, "the body is empty", code="unreadable-file", expected="CSV with a header")
        if loaded.columns is None or ".csv" not in getattr(loaded.model.dataset, "endings", ".csv"):
            raise Refusal(WRONG, "the model's data set reads no CSV", code="wrong-data", expected=JSON)
        return Rows(body)
    if kind != JSON:
        expected = f"{JSON} or {CSV}"
        raise Refusal(UNSUPPORTED, f"the Content-Type is {content_type!r}", code="wrong-value", expected=expected)
    return rows_of_json(json_of(body), loaded.columns)


async def predict(worker: Worker, loaded: Loaded, rows: Rows, options: Options) -> Mapping[str, Any]:
    """Return predictions, and what was unusual about the rows, as plain data."""
    found = await worker.predict(Request(loaded.model, rows))
    answers = [*documents(found.predictions)]
    if options.explain:
        parts = await worker.call(_single_rows, loaded, rows)
        for answer, part in zip(answers, parts, strict=True):  # others get their turn in between
            answer["explanations"] = await worker.call(_explained, loaded, part, all_classes=options.all_classes)
    return {"predictions": answers, "warnings": list(dict.fromkeys(found.warnings))}


def _explained(loaded: Loaded, row: Any, *, all_classes: bool) -> list[dict[str, Any]]:
    found: Explanation = explain(loaded.model, loaded.directory, row, loaded.background, all_classes=all_classes)
    return explanations(found, 0)


def _single_rows(loaded: Loaded, rows: Rows) -> list[Any]:
    """Return each row as rows of its own."""
    with rows.source() as source:
        if isinstance(source, np.ndarray):
            return [source[i : i + 1] for i in range(len(source))]
        columns = (
            source if isinstance(source, Mapping) else loaded.model.dataset.read_table(located(loaded.model, source))
        )
        return [*_split(columns)]


def _split(columns: Columns) -> Iterator[Columns]:
    for i in range(len(next(iter(columns.values())))):
        yield {name: list(values[i : i + 1]) for name, values in columns.items()}

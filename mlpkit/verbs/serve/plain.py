"""The plain endpoint: rows as people have them, and answers as ``mlpkit predict --json`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.groups.prediction_file import documents, explanations
from mlpkit.jobs.explanations import explain
from mlpkit.jobs.inputs import Columns, located
from mlpkit.verbs.serve.batch import Request, Worker
from mlpkit.verbs.serve.refusals import BAD_REQUEST, UNSUPPORTED, WRONG, Refusal
from mlpkit.verbs.serve.rows import Rows, json_of, rows_of_json

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from mlpkit.verbs.serve.models import Loaded

JSON, CSV = "application/json", "text/csv"
TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def explains(request: HttpRequest) -> bool:
    """Return whether the query of a request asks for explanations, or raise ``Refusal``."""
    if not request.scope["query_string"]:
        return False
    query = request.query_params.multi_items()
    for name, text in query:
        if name != "explain":
            message = f"there is no query parameter '{name}'"
            raise Refusal(WRONG, message, code="unknown-key", path=name, expected="explain")
        if query[1:] or text not in TRUTHS:
            message = f"the query parameter explain is {', '.join(text for _, text in query)!r}"
            raise Refusal(WRONG, message, code="wrong-value", path=name, expected="true or false, once")
    return TRUTHS[query[0][1]]


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


async def predict(worker: Worker, loaded: Loaded, rows: Rows, explains: bool) -> Mapping[str, Any]:
    """Return predictions, and what was unusual about the rows, as plain data."""
    found = await worker.predict(Request(loaded.model, rows))
    answers = [*documents(found.predictions)]
    if explains:
        parts = await worker.call(_single_rows, loaded, rows)
        for answer, part in zip(answers, parts, strict=True):  # others get their turn in between
            answer["explanations"] = await worker.call(_explained, loaded, part)
    return {"predictions": answers, "warnings": list(dict.fromkeys(found.warnings))}


def _explained(loaded: Loaded, row: Any) -> list[dict[str, Any]]:
    return explanations(explain(loaded.model, loaded.directory, row, loaded.background), 0)


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

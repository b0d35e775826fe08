"""Requests that aren't carried out, and every other error, as the problems that ``--json`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from starlette.responses import JSONResponse

from mlpkit.cli.exit_codes import problems_of
from mlpkit.errors import Code, DataError, Diagnostic, MlpkitError, printable

Placed: TypeAlias = Callable[[Diagnostic, DataError], Diagnostic]

BAD_REQUEST, NOT_FOUND, TOO_LARGE, UNSUPPORTED, WRONG = 400, 404, 413, 415, 422
TOO_SLOW, BUSY, BROKEN = 408, 503, 500
CLOSES: Mapping[str, str] = MappingProxyType({"Connection": "close"})
"""A header of answers that come before the whole request has been read."""


class Refusal(Exception):  # noqa: N818 - the request is wrong, not the server
    """A request that isn't carried out: an HTTP status, and what is wrong where."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: Code = "wrong-usage",
        path: str = "",
        expected: str = "",
        remedy: str = "",
        line: int = 0,
        column: int = 0,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        message, expected, remedy = map(printable, (message, expected, remedy))
        self.problem = Diagnostic("", line, column, message, "", 1, expected, remedy, code=code, path=path)
        self.status, self.headers = status, headers
        super().__init__("; ".join(filter(None, [message, expected and f"expected {expected}", remedy])))


def answer_to(error: Exception, placed: Placed | None = None) -> JSONResponse:
    """Return the answer that tells an error; ``placed`` adds its place in the rows, if it has one there.

    The Open Inference Protocol has the message under ``error``.
    """
    if isinstance(error, Refusal):
        status, headers, text = error.status, error.headers, str(error)
        problems: tuple[Diagnostic, ...] = (error.problem,)
    else:
        problems = problems_of(error)
        if isinstance(error, DataError) and placed is not None:
            problems = (placed(problems[0], error),)
        status, headers, text = _status_of(error, problems[0]), {}, problems[0].message
    plain = [problem.to_plain() for problem in problems]
    return JSONResponse({"ok": False, "error": text, "problems": plain, "warnings": []}, status, dict(headers))


def _status_of(error: Exception, problem: Diagnostic) -> int:
    if problem.code in ("out-of-memory", "out-of-resources"):
        return BUSY
    return WRONG if isinstance(error, MlpkitError) else BROKEN

"""The server: its addresses, what answers each, and how it starts and ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mlpkit.errors import MlpkitError, UsageError
from mlpkit.system import descriptor_limit
from mlpkit.terminal.output import message
from mlpkit.verbs.serve import batch, inference, metrics, plain
from mlpkit.verbs.serve.models import Models, Version, message_of
from mlpkit.verbs.serve.openapi import openapi
from mlpkit.verbs.serve.page import HEADERS, page
from mlpkit.verbs.serve.refusals import BUSY, CLOSES, NOT_FOUND, TOO_LARGE, TOO_SLOW, UNSUPPORTED, Refusal, answer_to

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

SECONDS_BETWEEN_LOOKS: Final = 0.5
"""After which the models' files are looked at again."""
MOST_CONNECTIONS: Final = 4096
BACKLOG: Final = 2048

encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
GZIP: Final = b"\x1f\x8b"
"""The beginning of a compressed body, which may hold far more than ``--max-body``."""
Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"
READING: Final = "mlpkit.reading"
"""The key of a request's scope that tells whether its body is still being read."""


class Service:
    """Answers requests about models.

    Args:
        models: the models.
        most_bytes: of a request's body.
        seconds: from a request's head to the end of its answer.
        most_waiting: requests that may wait.
        keeps_rows: whether recent rows are kept, to compare them with training.
    """

    def __init__(
        self, models: Models, most_bytes: int, seconds: float, most_waiting: int, *, keeps_rows: bool = False
    ) -> None:
        self.models, self.keeps_rows, self.metrics = models, keeps_rows, metrics.Metrics()
        self.most_bytes, self.seconds, self.most_waiting = most_bytes, seconds, most_waiting
        self.worker: batch.Worker

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Compute, and look after changed files, until the end of the block."""
        self.worker = batch.Worker(self.most_waiting, self.metrics.batches.add)
        watching = asyncio.create_task(self._watch())
        yield
        watching.cancel()
        self.worker.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            for version in self.models:
                if not version.has_changed():
                    continue
                try:
                    await asyncio.to_thread(version.reload)
                except Exception as error:
                    message(message_of(error, version))
                    self.metrics.reloads[version.model, "failed"] += 1
                else:
                    self.metrics.reloads[version.model, "done"] += 1

    async def body(self, request: Request) -> bytes:
        """Return a request's body, or raise ``Refusal`` if it is too large."""
        headers = dict(request.scope["headers"])
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > self.most_bytes:
            self._refuse_body()
        body, more = bytearray(), True
        request.scope[READING] = True
        while more:
            event = await request.receive()
            body += event.get("body", b"")
            if len(body) > self.most_bytes:
                self._refuse_body()
            more = event.get("more_body", False)
        request.scope[READING] = False
        if headers.get(b"content-encoding", b"identity") != b"identity" or body.startswith(GZIP):
            raise Refusal(UNSUPPORTED, "the body is compressed", code="wrong-value", expected="no Content-Encoding")
        return bytes(body)

    def _refuse_body(self) -> None:
        expected = f"up to {self.most_bytes:,} bytes"
        remedy = "send the rows in several requests, or start the server with a larger --max-body"
        text = "the body is too large"
        raise Refusal(TOO_LARGE, text, code="too-large", expected=expected, remedy=remedy, headers=CLOSES)

    def version_of(self, request: Request) -> Version:
        """Return the version of a model that an address names."""
        return self.models.find(request.path_params.get("name"), request.path_params.get("version"))

    async def predict(self, request: Request) -> Response:
        """Answer the plain endpoint."""
        version = self.version_of(request)
        loaded, explains = version.loaded, plain.explains(request)
        rows = plain.rows_of(await self.body(request), request.headers.get("content-type", ""), loaded)
        try:
            found = await plain.predict(self.worker, loaded, rows, explains)
        except MlpkitError as error:
            return answer_to(error, rows.placed)
        self._count(version, len(found["predictions"]), rows)
        content = encode({"model": version.model, "version": version.version, **found})
        return Response(content, media_type="application/json")

    async def infer(self, request: Request) -> Response:
        """Answer an inference request of the Open Inference Protocol."""
        version = self.version_of(request)
        loaded, body = version.loaded, await self.body(request)
        asked, rows = inference.asked(body, request.headers, loaded)
        try:
            found = await self.worker.predict(batch.Request(loaded.model, rows))
        except MlpkitError as error:
            return answer_to(error, rows.placed)
        content, headers = inference.answer(version, asked, found)
        self._count(version, len(found.predictions.values), rows)
        return Response(content, headers=headers)

    def _count(self, version: Version, count: int, rows: Any) -> None:
        self.metrics.rows[version.model, version.version] += count
        if self.keeps_rows:
            version.keep(rows)

    async def metadata(self, request: Request) -> Response:
        """Answer what a model takes and gives."""
        version = self.version_of(request)
        versions = [*self.models.versions[version.model]]
        return JSONResponse(await self.worker.call(inference.metadata, version, versions))

    async def model_ready(self, request: Request) -> Response:
        """Answer whether a model is loaded: it always is."""
        return JSONResponse({"name": self.version_of(request).model, "ready": True})

    async def health(self, request: Request) -> Response:
        """Answer which models are served, and how many requests wait."""
        names = {name: [*versions] for name, versions in self.models.versions.items()}
        return JSONResponse({"ok": True, "models": names, "waiting": self.worker.waiting})

    async def prometheus(self, request: Request) -> Response:
        """Answer the metrics."""
        return Response(self.metrics.text(self.worker.waiting), media_type=metrics.CONTENT_TYPE)

    async def drift(self, request: Request) -> Response:
        """Answer whether the recent rows are like those of training."""
        version = self.version_of(request)
        if not self.keeps_rows:
            raise Refusal(NOT_FOUND, "recent rows aren't kept", remedy="start the server with --drift")
        found = await self.worker.call(version.drift)
        return PlainTextResponse(json.dumps(found, default=str), media_type="application/json")

    async def openapi(self, request: Request) -> Response:
        """Answer the OpenAPI document."""
        return JSONResponse(openapi(self.models))

    async def page(self, request: Request) -> Response:
        """Answer the page that documents the models and tries them."""
        return HTMLResponse(page(self.models, f"http://{request.url.netloc}"), headers=HEADERS)

    def routes(self) -> list[Route]:
        """Return all addresses."""
        model = "/v2/models/{name}"
        getting: dict[str, Handler] = {
            "/": self.page,
            "/openapi.json": self.openapi,
            "/health": self.health,
            "/metrics": self.prometheus,
            "/drift": self.drift,
            "/models/{name}/drift": self.drift,
            "/v2": _constant("server", inference.SERVER),
            "/v2/health/live": _constant("live", {"live": True}),
            "/v2/health/ready": _constant("ready", {"ready": True}),
        }
        posting = {"/predict": self.predict, "/models/{name}/predict": self.predict}
        for address in (model, model + "/versions/{version}"):
            getting |= {address: self.metadata, f"{address}/ready": self.model_ready}
            posting[f"{address}/infer"] = self.infer
        routes = [Route(path, handler, methods=["GET"]) for path, handler in getting.items()]
        return [Route(path, handler, methods=["POST"]) for path, handler in posting.items()] + routes


def _constant(name: str, content: object) -> Handler:
    """Return what always answers the same, and its name in the metrics."""

    async def constant(_: Request) -> Response:
        return JSONResponse(content)

    constant.__name__ = name
    return constant


def application(service: Service) -> ASGIApp:
    """Return the application that answers for a service."""
    found = Starlette(
        routes=service.routes(),
        lifespan=service.running,
        exception_handlers={HTTPException: _http_error, Refusal: _failure, Exception: _failure},
    )
    found.router.redirect_slashes = False
    return Measured(found, service)


class Measured:
    """Counts and times the answers of an application, and ends those that take too long."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._metrics, self._seconds = app, service.metrics, service.seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def sending(event: Any) -> None:
            nonlocal status
            status = event.get("status", status)
            await send(event)

        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, sending)
        except TimeoutError:
            if status:
                raise  # the connection ends
            late, code = ("body", TOO_SLOW) if scope.get(READING) else ("answer", BUSY)
            text = f"the {late} took more than {self._seconds:g} seconds"
            await answer_to(Refusal(code, text, code="out-of-resources", headers=CLOSES))(scope, receive, sending)
        finally:
            path = getattr(scope.get("endpoint"), "__name__", "none")  # without names of models: there are few
            self._metrics.answers[path, status] += 1
            self._metrics.seconds.add(perf_counter() - began)


async def _failure(request: Request, error: Exception) -> Response:
    return answer_to(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    if error.status_code == NOT_FOUND:
        refusal = Refusal(NOT_FOUND, f"there is no address {request.url.path}", remedy="/ lists the addresses")
    else:
        expected = f"one of {allowed}" if allowed else ""
        text = f"{request.method}: {error.detail}"
        refusal = Refusal(error.status_code, text, expected=expected, headers=error.headers or {})
    return answer_to(refusal)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address, or raise ``UsageError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        remedy = "choose another with --port, or any free one with --port 0"
        raise UsageError(f"can't listen at {host}, port {port}: {error}; {remedy}") from error


class Server(uvicorn.Server):
    """Uvicorn, which leaves signals to the command; ``run`` serves until ``stop`` is called, and all is answered.

    Args:
        service: what answers.
        began: called once it serves.
    """

    def __init__(self, service: Service, began: Callable[[], None]) -> None:
        self._began = began
        config = uvicorn.Config(
            application(service),
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=min(MOST_CONNECTIONS, descriptor_limit() // 2),
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, round(service.seconds)),
        )
        super().__init__(config)

    def stop(self) -> None:
        """Accept no more requests, and end once those that have come are answered."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and tell so."""
        await super().startup(sockets)
        if self.started:
            self._began()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

"""``mlpkit serve``: answer over HTTP with trained models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.errors import UsageError
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry

MISSING: Final = 'mlpkit serve needs starlette and uvicorn; install them with: pip install "mlpkit[serve]"'
MEGABYTE: Final = 10**6


@options.verb("serve")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at; 0.0.0.0 for all.")
@click.option("--port", type=options.PORT, default=8000, show_default=True, help="The port; 0 for any free one.")
@click.option(
    "--max-body",
    metavar="MB",
    type=click.FloatRange(0, min_open=True),
    default=32,
    show_default=True,
    help="The largest body of a request, in megabytes.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=30,
    show_default=True,
    help="The longest time for a request.",
)
@click.option(
    "--queue",
    metavar="N",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="How many requests may wait; more are answered with 503.",
)
@click.option("--drift", is_flag=True, help="Keep the last rows, and compare them with training at /drift.")
@options.registry_option
@options.json_option
def command(
    runs: tuple[str, ...],
    host: str,
    port: int,
    max_body: float,
    timeout: float,
    queue: int,
    drift: bool,
    registry: Registry,
    as_json: bool,
) -> None:
    """Answer over HTTP with trained models.

    RUN is a run folder, a model file, or NAME=RUN; without NAME, the model has the name of its spec. Several runs of
    one name are its versions, 1, 2 and so on; the last answers where none is named. A run whose model file changes is
    loaded again while the former model answers.

    POST /predict takes rows, a list of JSON objects or CSV, and answers as predict --json does; with several models it
    is /models/NAME/predict. The Open Inference Protocol, version 2, is under /v2. The page at / shows and tries it all.
    Ctrl-C or SIGTERM ends the command once the requests that have come are answered.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise UsageError(MISSING)
    with Interrupts() as interrupts:
        from mlpkit.verbs.serve import app  # noqa: PLC0415 - needs an extra
        from mlpkit.verbs.serve.batch import warnings_by_thread  # noqa: PLC0415 - loads NumPy, which --help doesn't need
        from mlpkit.verbs.serve.models import Models  # noqa: PLC0415 - the same

        models = Models(runs, registry)
        service = app.Service(models, round(max_body * MEGABYTE), timeout, queue, keeps_rows=drift)
        with app.listening(host, port) as listener, warnings_by_thread():
            address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

            def began() -> None:
                if as_json:
                    served = [{"name": each.model, "version": each.version, "path": each.path} for each in models]
                    document({"address": address, "models": served})
                else:
                    message("\n".join(f"{each.model} (version {each.version}): {each.path}" for each in models))
                    result(address)

            server = app.Server(service, began)
            interrupts.before_stopping = server.stop
            interrupts.training_began = True  # a signal ends it in order
            server.run(sockets=[listener])
    end_if_stopped(interrupts, "")

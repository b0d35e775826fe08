"""The callback that logs to MLflow."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mlpkit import ParameterError, TrainingView
from mlpkit_plugins.tracking import Tracker, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlflow import MlflowClient

for library in ("mlflow", "sqlalchemy", "alembic"):  # only a run imports them, which takes seconds
    if find_spec(library) is None:
        msg = f"No module named {library!r}"
        raise ModuleNotFoundError(msg, name=library)

STATUS: Final = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}

LARGEST_BATCH: Final = 100
"""Parameters that MLflow takes at once."""

LONGEST_KEY: Final = 250
"""Characters of a parameter's name in MLflow."""

TELEMETRY: Final = "MLFLOW_DISABLE_TELEMETRY"


class Mlflow(Tracker):
    """Logs the run to MLflow: the spec's values, each evaluation, the results, and tags that identify the run.

    A curve is named after its value and its split, as in ``loss/train``; a result, as in ``final/test_loss``. A run
    that is resumed continues the same run in MLflow, without a step twice and without a gap. If MLflow can't be reached
    for a while, the run goes on, and logs what is missing later. Without a run folder, nothing is logged.

    Args:
        uri: where MLflow keeps its runs: a server, as in ``http://127.0.0.1:5000``, or a database, as in
            ``sqlite:///mlflow.db``; by default what the environment variable ``MLFLOW_TRACKING_URI`` says, else
            ``sqlite:///mlflow.db``.
        experiment: name of the experiment that the run belongs to; it is created if it is missing.
        log_model: whether to log the model file, too, as an artifact.

    Raises:
        ParameterError: ``uri`` is a folder of files, which MLflow gives up.
        StorageError: MLflow can't be reached when the run begins or ends.

    Source: Zaharia et al., Accelerating the Machine Learning Lifecycle with MLflow, IEEE Data Engineering Bulletin
        41 (2018).
    """

    product: ClassVar[str] = "MLflow"

    def __init__(self, uri: str | None = None, experiment: str = "mlpkit", *, log_model: bool = False) -> None:
        if uri is not None and ("://" not in uri or uri.startswith("file:")) and not uri.startswith("databricks"):
            raise ParameterError("uri", f"{uri!r} is no server or database", expected="as in sqlite:///mlflow.db")
        self.uri = uri
        self.experiment = experiment
        self.log_model = log_model

    def begin(self, training: TrainingView, folder: Path) -> int:
        """Go on with the run that MLflow has, or create one with the spec's values."""
        with _without_telemetry():
            from mlflow import MlflowClient  # noqa: PLC0415 - slow to import

        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
        self.client = MlflowClient(tracking_uri=uri)
        if self.run_id and _exists(self.client, self.run_id):
            self.client.update_run(self.run_id, status="RUNNING")
            return max((metric.step for metric in self.client.get_metric_history(self.run_id, "epoch")), default=0)
        self.run_id = self._new_run(training, folder)
        return 0

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values in one batch."""
        from mlflow.entities import Metric  # noqa: PLC0415 - slow to import

        now = int(time.time() * 1000)
        self.client.log_batch(self.run_id, [Metric(key, value, now, step) for key, value in values.items()])

    def end(self, results: Mapping[str, float], step: int, folder: Path, state: str) -> None:
        """Log the results as metrics of the last step, and say how the run ended."""
        self.log(results, step)
        if self.log_model and state == "finished":
            self.client.log_artifact(self.run_id, str(folder / "model.safetensors"))
        self.client.set_terminated(self.run_id, STATUS[state])

    def _new_run(self, training: TrainingView, folder: Path) -> str:
        from mlflow.entities import Param  # noqa: PLC0415 - slow to import

        experiment = self.client.get_experiment_by_name(self.experiment)
        number = experiment.experiment_id if experiment else self.client.create_experiment(self.experiment)
        run_id: str = self.client.create_run(number, tags=tags_of(folder), run_name=folder.resolve().name).info.run_id
        values = [Param(_key(key), str(value)) for key, value in training.resolved().items()]
        for begin in range(0, len(values), LARGEST_BATCH):
            self.client.log_batch(run_id, params=values[begin : begin + LARGEST_BATCH])
        return run_id

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it with a database in memory, which leaves nothing behind."""
        return [{"uri": "sqlite://"}]


def _exists(client: MlflowClient, run_id: str) -> bool:
    """Whether MLflow has that run; it may have been deleted, or be in another database."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - slow to import

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def _key(key: str) -> str:
    """Return a parameter's name with those characters only that MLflow takes."""
    return re.sub(r"[^/\w.\- :]", "_", key)[:LONGEST_KEY]


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Import MLflow without its reports to its makers, unless the environment says something about them."""
    given = os.environ.get(TELEMETRY)
    os.environ[TELEMETRY] = "true" if given is None else given
    try:
        yield
    finally:
        if given is None:
            del os.environ[TELEMETRY]

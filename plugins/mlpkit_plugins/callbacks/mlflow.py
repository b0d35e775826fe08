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

for library in ("mlflow", "sqlalchemy", "alembic"):  # imported only by a run, since that takes seconds
    if find_spec(library) is None:
        msg = f"No module named {library!r}"
        raise ModuleNotFoundError(msg, name=library)

STATUS: Final = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}

LARGEST_BATCH: Final = 100
"""The most parameters that MLflow takes at once."""

LONGEST_KEY: Final = 250
"""The most characters of a parameter's name in MLflow."""

TELEMETRY: Final = "MLFLOW_DISABLE_TELEMETRY"


class Mlflow(Tracker):
    """Logs the run to MLflow: the spec's values, each evaluation, the results, and tags that identify the run.

    Curves have names such as ``loss/train``, and results such as ``final/test_loss``. A resumed run continues the same
    run in MLflow, without gaps or repeated steps. If MLflow can't be reached for a while, the run continues, and logs
    the missing values later. Without a run folder, nothing is logged.

    Args:
        uri: MLflow's store: a server, such as ``http://127.0.0.1:5000``, or a database, such as
            ``sqlite:///mlflow.db``; by default the environment variable ``MLFLOW_TRACKING_URI``, or
            ``sqlite:///mlflow.db`` if it isn't set.
        experiment: name of the run's experiment, which is created if it doesn't exist.

    Raises:
        ParameterError: ``uri`` is a folder of files, which MLflow deprecates.
        StorageError: MLflow can't be reached at the beginning or the end of the run.

    Source: Zaharia et al., Accelerating the Machine Learning Lifecycle with MLflow, IEEE Data Engineering Bulletin
        41 (2018).
    """

    product: ClassVar[str] = "MLflow"

    def __init__(self, uri: str | None = None, experiment: str = "mlpkit") -> None:
        if uri is not None and ("://" not in uri or uri.startswith("file:")) and not uri.startswith("databricks"):
            raise ParameterError("uri", f"{uri!r} is not a server or database", expected="such as sqlite:///mlflow.db")
        self.uri = uri
        self.experiment = experiment

    def begin(self, training: TrainingView, folder: Path) -> int:
        """Continue the run in MLflow, or create one with the spec's values."""
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

    def end(self, results: Mapping[str, float], step: int, state: str) -> None:
        """Log the results as metrics of the last step, and set the run's final status."""
        self.log(results, step)
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
        """Show it with a database in memory, which leaves no files."""
        return [{"uri": "sqlite://"}]


def _exists(client: MlflowClient, run_id: str) -> bool:
    """Whether MLflow has the run; it may have been deleted, or be in another database."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - slow to import

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def _key(key: str) -> str:
    """Replace the characters of a parameter's name that MLflow doesn't take."""
    return re.sub(r"[^/\w.\- :]", "_", key)[:LONGEST_KEY]


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Disable MLflow's telemetry during its import, unless the environment sets the variable."""
    setting = os.environ.get(TELEMETRY)
    os.environ[TELEMETRY] = "true" if setting is None else setting
    try:
        yield
    finally:
        if setting is None:
            del os.environ[TELEMETRY]

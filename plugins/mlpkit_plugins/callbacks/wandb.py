"""The callback that logs to Weights & Biases or trackio."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

from mlpkit import ParameterError, TrainingView, UsageError
from mlpkit_plugins.files.regular_file import storing
from mlpkit_plugins.tracking import Tracker, tags_of

if find_spec("wandb") is None and find_spec("trackio") is None:  # imported only by a run, since that takes seconds
    msg = "No module named 'wandb'"
    raise ModuleNotFoundError(msg, name="wandb")

FOLDER = "wandb"
"""The name of W&B's folder in a run folder."""


class Wandb(Tracker):
    """Logs the run to Weights & Biases or trackio: the spec's values, each evaluation, and the results.

    Curves have names such as ``loss/train``, and results such as ``final/test_loss``. A resumed run continues the same
    run there, without gaps or repeated steps. Offline, W&B's files are in the folder ``wandb`` of the run folder,
    ``wandb sync`` sends them later, and a resumed run rewrites them from the history. Without a run folder, nothing is
    logged.

    Args:
        project: name of the run's project.
        entity: user or team that owns the project; by default W&B's default.
        mode: ``online`` or ``offline``; by default the environment variable ``WANDB_MODE``, or ``online`` if it isn't
            set.
        module: the library that logs; ``trackio`` keeps runs on this machine, and has neither entity nor mode.
        log_model: also log the model file, as an artifact.

    Raises:
        ParameterError: ``module`` is not installed, or doesn't support another parameter.
        UsageError: W&B is online, and not logged in.
        StorageError: logging fails at the beginning or the end of the run.

    Source: Biewald, Experiment Tracking with Weights and Biases (2020).
    """

    product: ClassVar[str] = "W&B"

    def __init__(
        self,
        project: str = "mlpkit",
        entity: str | None = None,
        mode: Literal["online", "offline"] | None = None,
        module: Literal["wandb", "trackio"] = "wandb",
        *,
        log_model: bool = False,
    ) -> None:
        if find_spec(module) is None:
            raise ParameterError("module", f"{module} isn't installed", remedy=f"install it with: pip install {module}")
        if module == "trackio":
            for name, value in (("entity", entity), ("mode", mode)):
                if value is not None:
                    raise ParameterError(name, f"trackio has no {name}", remedy="leave it out")
        self.project = project
        self.entity = entity
        self.mode = mode
        self.module = module
        self.log_model = log_model

    def files(self) -> Sequence[str]:
        """Return the name of W&B's folder."""
        return [FOLDER] if self.module == "wandb" else []

    def begin(self, training: TrainingView, folder: Path) -> int:
        """Continue the run with its id, or create it with the spec's values."""
        self.run_id = self.run_id or secrets.token_hex(4)
        config = {**training.resolved(), **tags_of(folder)}
        name = folder.resolve().name
        with _unhooked():
            self.run = self._trackio(name, config) if self.module == "trackio" else self._wandb(name, config, folder)
        return self._last_step()

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step at once."""
        self.run.log(dict(values), step=step)

    def end(self, results: Mapping[str, float], step: int, folder: Path, state: str) -> None:
        """Log the results, and set the run's final status."""
        if self.log_model and state == "finished":
            name = re.sub(r"[^\w.-]", "_", f"{folder.resolve().name}-model")
            self.run.log_artifact(str(folder / "model.safetensors"), name=name, type="model")
        if self.module == "trackio":
            self._end_trackio(results, step)
            return
        self.run.summary.update(dict(results))
        if state == "stopped":
            self.run.mark_preempting()
        self.run.finish(exit_code=0 if state == "finished" else 1)

    def _wandb(self, name: str, config: Mapping[str, Any], folder: Path) -> Any:
        import wandb  # noqa: PLC0415 - slow to import

        online = (self.mode or wandb.setup().settings.mode) == "online"
        if online and not wandb.login(prompt=False, verify=False):
            raise UsageError(
                "W&B isn't logged in; run wandb login, or write wandb: {mode: offline} in the spec, or set "
                "WANDB_MODE=offline"
            )
        place = folder / FOLDER
        with storing(place):
            if place.is_symlink():  # a foreign run folder must not redirect what is written
                place.unlink()
            for old in place.glob(f"offline-run-*-{self.run_id}"):
                shutil.rmtree(old)
        settings = wandb.Settings(silent=True, console="off", quiet=True)
        return wandb.init(
            project=self.project,
            entity=self.entity,
            id=self.run_id,
            name=name,
            config=dict(config),
            dir=str(folder),
            mode=self.mode,
            resume="allow",
            reinit="create_new",
            settings=settings,
        )

    def _trackio(self, name: str, config: Mapping[str, Any]) -> Any:
        import trackio  # noqa: PLC0415 - slow to import

        return trackio.init(
            project=self.project,
            name=f"{name}-{self.run_id}",
            config=dict(config),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def _end_trackio(self, results: Mapping[str, float], step: int) -> None:
        import trackio  # noqa: PLC0415 - slow to import

        if results:
            self.run.log(dict(results), step=step)
        trackio.finish()  # type: ignore[no-untyped-call]  # after the run's own method, exit would finish it again

    def _last_step(self) -> int:
        """Return the last logged step, from the next step of W&B or trackio."""
        following = self.run._next_step if self.module == "trackio" else self.run.step  # noqa: SLF001 - not public there
        return int(following) - 1

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it offline, which needs no account."""
        return [{"mode": "offline"}]


@contextmanager
def _unhooked() -> Iterator[None]:
    """Undo W&B's replacement of ``sys.exit``, which reports how the process ends: ``Wandb.end`` does that."""
    exit_, excepthook = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = exit_, excepthook

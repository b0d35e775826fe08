"""The callback that logs to Weights & Biases, or to trackio in its place."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlpkit import ParameterError, TrainingView, UsageError
from mlpkit_plugins.files.storing import storing
from mlpkit_plugins.tracking import Tracker, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

if find_spec("wandb") is None and find_spec("trackio") is None:  # only a run imports them, which takes seconds
    msg = "No module named 'wandb'"
    raise ModuleNotFoundError(msg, name="wandb")

FOLDER = "wandb"
"""Where W&B keeps its files in a run folder."""


class Wandb(Tracker):
    """Logs the run to Weights & Biases, or trackio: the spec's values, each evaluation, and the results.

    A curve is named after its value and its split, as in ``loss/train``; a result, as in ``final/test_loss``. A run
    that is resumed continues the same run there, without a step twice and without a gap. Offline, W&B's files are in
    the folder ``wandb`` of the run folder, ``wandb sync`` sends them later, and a resumed run writes them again from
    the history. Without a run folder, nothing is logged.

    Args:
        project: name of the project that the run belongs to.
        entity: user or team that the project belongs to; by default W&B's.
        mode: ``online`` or ``offline``; by default what the environment variable ``WANDB_MODE`` says, else ``online``.
        module: the library that logs; ``trackio`` keeps runs on this machine, and has neither entity nor mode.
        log_model: whether to log the model file, too, as an artifact.

    Raises:
        ParameterError: ``module`` is not installed, or can't do what another parameter asks for.
        UsageError: W&B is online, and doesn't know who logs.
        StorageError: nothing can be logged when the run begins or ends.

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
        """Go on with the run of that id, or create it with the spec's values."""
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
        """Log the results, and say how the run ended."""
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
                "W&B doesn't know who logs; run wandb login, or write wandb: {mode: offline} in the spec, or set "
                "WANDB_MODE=offline"
            )
        place = folder / FOLDER
        with storing(place):
            if place.is_symlink():  # a run folder from elsewhere must not redirect the writing
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
        trackio.finish()  # type: ignore[no-untyped-call]  # the run's own method leaves it to be finished again at exit

    def _last_step(self) -> int:
        """Return the last step that is logged: W&B and trackio say which one is next."""
        following = self.run._next_step if self.module == "trackio" else self.run.step  # noqa: SLF001 - not public there
        return int(following) - 1

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it offline, which needs no account."""
        return [{"mode": "offline"}]


@contextmanager
def _unhooked() -> Iterator[None]:
    """Leave ``sys.exit`` as it is: W&B replaces it to learn how the process ends, which ``Wandb.end`` says."""
    exit_, excepthook = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = exit_, excepthook

"""What the tests of faults share: a plugin, specs, and a server of processes that may be killed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mlpkit
from mlpkit.training.events import StopRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HERE = Path(__file__).parent
RESULTS = ("model.safetensors", "history.jsonl", "metrics.json", "history.csv")


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full stays full: nothing waits for room."""
    monkeypatch.setattr("mlpkit.jobs.run_recorder.SECONDS_FOR_ROOM", 0.0)


@pytest.fixture(scope="session")
def acme() -> ModuleType:
    """Return the plugin, imported."""
    return _module("acme")


@pytest.fixture(scope="session")
def specs() -> ModuleType:
    """Return the module with the specs' texts."""
    return _module("specs")


@pytest.fixture(scope="session")
def plugin_file() -> Path:
    """Return the plugin's file."""
    return HERE / "acme.py"


class Runs:
    """Runs one spec, in this process, as often as a test likes."""

    def __init__(self, acme: ModuleType, folder: Path, text: str) -> None:
        self.acme = acme
        self.folder = folder
        self.spec = folder / "spec.yaml"
        self.spec.write_text(text, encoding="utf-8")
        self._count = 0

    def start(self, halt_at: int | None = None, out: Path | None = None) -> Path:
        """Run the spec in a new folder, perhaps only to a step, and return the folder."""
        self._count += 1
        out = out or self.folder / f"run{self._count}"
        with self._halting(halt_at) as stop:
            mlpkit.run(mlpkit.load_spec(self.spec, plugins=[self.acme]), out, stop=stop)
        return out

    def resume(self, out: Path, halt_at: int | None = None) -> mlpkit.Run:
        """Go on with a run, perhaps only to a step."""
        with self._halting(halt_at) as stop:
            return mlpkit.resume(out, plugins=[self.acme], stop=stop)

    def _halting(self, at: int | None) -> Any:
        halt = self.acme.Halt

        class Halting:
            def __enter__(self) -> StopRequest:
                halt.at, halt.stop = at, StopRequest()
                return halt.stop

            def __exit__(self, *error: object) -> None:
                halt.at = None

        return Halting()


@pytest.fixture
def runs(acme: ModuleType, tmp_path: Path) -> Any:
    """Return a function that makes ``Runs`` of a spec's text."""
    return lambda text: Runs(acme, tmp_path, text)


@pytest.fixture(scope="session")
def results() -> Any:
    """Return a function that reads what a finished run came to: the bytes of model, history and metrics, and so on.

    The last regular checkpoint and the best one have the states of callbacks, which nothing else shows.
    """

    def read(folder: Path) -> dict[str, bytes]:
        regular = "checkpoint: {every: 7" in (folder / "spec.yaml").read_text("utf-8")
        wanted = ["best", *(["step-000000119"] if regular else [])]
        checkpoints = [f"checkpoints/{name}.safetensors" for name in wanted]
        names = [*RESULTS, *(name for name in checkpoints if (folder / name).exists())]
        return {name: (folder / name).read_bytes() for name in names}

    return read


class Server:
    """A process that has everything loaded and forks one for each command; forks may be killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "process_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
        )

    def start(self, **command: Any) -> int:
        """Fork a process that does something, and return its number."""
        self._tell(command)
        return int(self._answer()["pid"])

    def wait(self, pid: int) -> dict[str, Any]:
        """Wait for the end of a fork, and return its exit code, negative for a signal, and its last words."""
        self._tell({"wait": pid})
        return self._answer()

    def close(self) -> None:
        """End the server."""
        self._process.stdin.close()  # type: ignore[union-attr]
        assert self._process.wait(timeout=60) == 0
        self._process.stdout.close()  # type: ignore[union-attr]

    def _tell(self, command: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(command, default=str) + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]
        return answer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return a server of processes."""
    found = Server(os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    yield found
    found.close()

"""Fixtures of tests of the command line: a tiny data set, specs for it, and ways to run the program."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from calibration import slowness
from click.testing import CliRunner
from idx_files import write_idx
from requirements import Optional

if TYPE_CHECKING:
    from pathlib import Path

pexpect, pyte = Optional("pexpect"), Optional("pyte")

SPEC = """\
mlpkit: 1
name: tiny
data:
  mnist: {{directory: {digits}, validation: 50}}
layers:
  - Affine: {{units: 5}}
  - Relu
  - Affine: {{units: 10}}
  - SoftmaxWithLoss
training:
  optimizer: {{sgd: {{learning_rate: 0.1}}}}
  batch_size: 50
  iterations: 4
  evaluate_every: 2
  metrics: [accuracy]
"""

FOREVER = ("--set", "training.iterations=1000000000", "--set", "training.evaluate_every=2000")
"""Options that make the tiny spec train until it is stopped."""

ACME = '''\
import sys
import time
from typing import Annotated

from annotated_types import Ge
from mlpkit import Classes, Dataset, Description, Layer, component, hookimpl


class Slow(Layer):
    """Hands on its inputs, after a while.

        y = x

    Args:
        seconds: how long each forward takes.
        note: something to say,
            in two lines.

    Source: Acme, Annual Report (1949).
    """

    def __init__(self, seconds: Annotated[float, Ge(0)], note: str | None = None) -> None:
        self.seconds = seconds

    def forward(self, x):
        if self.seconds:
            print("forward", file=sys.stderr, flush=True)
        time.sleep(self.seconds)
        return x

    def backward(self, dy):
        return dy


class Broken(Layer):
    """Fails as soon as it is used."""

    def forward(self, x):
        raise ValueError("acme's own mistake")

    def backward(self, dy):
        return dy


class SlowData(Dataset):
    """Takes for ever to open."""

    def describe(self):
        return Description((16,), Classes(10), {"train": 100})

    def open(self, seed):
        print("opening", file=sys.stderr, flush=True)
        time.sleep(60)


class WrongData(SlowData):
    """Raises an unexpected exception when it is opened."""

    def open(self, seed):
        raise KeyError("the third shelf")


@hookimpl
def mlpkit_components():
    return [
        component("layer", "Slow", Slow),
        component("layer", "Broken", Broken),
        component("dataset", "slow_data", SlowData),
        component("dataset", "wrong_data", WrongData),
    ]
'''


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with images of 4 by 4 pixels in MNIST's format: 200 to train on, 60 to test."""
    folder = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    for name, count in (("train", 200), ("t10k", 60)):
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        images = rng.integers(0, 60, (count, 4, 4), dtype=np.uint8)
        images.reshape(count, 16)[np.arange(count), labels] = 255
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels)
    return folder


@pytest.fixture
def forever() -> tuple[str, ...]:
    """Return the options that make the tiny spec train until it is stopped."""
    return FOREVER


@pytest.fixture
def cwd(tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to an empty folder with the spec ``tiny.yaml`` and the plugin ``acme.py``, and return it."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(SPEC.format(digits=digits))
    (folder / "acme.py").write_text(ACME)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def invoke(cwd: Path) -> Any:
    """Return a function that runs the program within this process, in ``cwd``."""
    from mlpkit.cli.verbs import program

    def run(*arguments: object, **options: Any) -> Any:
        runner = CliRunner()
        done = runner.invoke(program, [str(a) for a in arguments], prog_name="mlpkit", **options)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of the program's processes, the same wherever the tests run."""
    unwanted = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "MLPKIT_DEBUG"}
    unwanted |= {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {
        "TERM": "xterm-256color",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode")),  # compiled once for all processes
    }


@pytest.fixture(scope="session")
def program() -> list[str]:
    """Return the command that starts the program."""
    return [sys.executable, "-m", "mlpkit"]


@pytest.fixture
def mlpkit(cwd: Path, environment: dict[str, str], program: list[str]) -> Any:
    """Return a function that runs the program in a process of its own, in ``cwd``, and waits for it."""

    def run(*arguments: object, **options: Any) -> Any:
        settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60}
        settings |= {"cwd": cwd, "env": environment | options.pop("env", {})} | options
        done = subprocess.run([*program, *map(str, arguments)], encoding="utf-8", check=False, **settings)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def started(cwd: Path, environment: dict[str, str], program: list[str]) -> Any:
    """Return a function that starts the program and returns its process, which ends with the test at the latest."""
    processes = []

    def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*program, *map(str, arguments)],
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": cwd, "env": environment} | options),
            encoding="utf-8",
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def terminal(cwd: Path, environment: dict[str, str], program: list[str]) -> Any:
    """Return a function that runs the program on a terminal of a size; needs no terminal itself."""
    opened = []

    def open_terminal(
        *arguments: object, columns: int = 80, rows: int = 24, env: Any = None, command: Any = program
    ) -> Terminal:
        found = Terminal([*command, *map(str, arguments)], cwd, environment | (env or {}), columns, rows)
        opened.append(found)
        return found

    yield open_terminal
    for each in opened:
        each.child.close(force=True)


class Terminal:
    """A program on a pseudo-terminal, and what one would see there."""

    def __init__(self, command: list[str], cwd: Path, env: dict[str, str], columns: int, rows: int) -> None:
        self.raw = ""
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(cwd),
            env=env,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=30 * slowness(perf_counter),
        )
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.Stream(self.screen)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def wait_for(self, text: str) -> None:
        """Wait until the program prints a text."""
        self.child.expect_exact(text)
        self._feed(self.child.before + self.child.after)

    def wait_until_shown(self, text: str) -> None:
        """Wait until a text is to be seen, however the program draws it."""
        while text not in "\n".join(self.screen.display):
            self.child.expect(".+")
            self._feed(self.child.before + self.child.after)

    def wait_for_end(self) -> int:
        """Wait for the end and return the exit code."""
        self.child.expect(pexpect.EOF)
        self._feed(self.child.before)
        self.child.close()
        code = self.child.exitstatus
        return code if code is not None else -self.child.signalstatus

    def lines(self) -> list[str]:
        """Return what is to be seen, without blanks at the ends."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _feed(self, text: str) -> None:
        self.raw += text
        self._stream.feed(text)

"""How the program starts."""

from __future__ import annotations

import errno
import gc
import io
import re
import subprocess
import sys

import pytest

from mlpkit.cli.main import main
from mlpkit.system import NO_THREADS, TOO_MANY_FILES

PLUGIN = """
import gc
from mlpkit import Dataset, Description, Classes, component, hookimpl

class Watching(Dataset):
    def describe(self):
        print(f"frozen {gc.get_freeze_count() > 10_000}, threshold {gc.get_threshold()[0]}")
        return Description((2,), Classes(2), {"train": 4, "test": 2})

    def open(self, seed):
        raise NotImplementedError

@hookimpl
def mlpkit_components():
    return [component("dataset", "watching", Watching)]
"""
SPEC = """
mlpkit: 1
data: watching.watching
layers: [Affine: {units: 2}, SoftmaxWithLoss]
training: {optimizer: sgd, iterations: 1, batch_size: 2}
"""


def test_the_console_script_and_the_module_are_the_same_program(mlpkit):
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="mlpkit")
    assert script.value == "mlpkit.cli.main:main"
    assert re.match(r"Usage: mlpkit \[OPTIONS\] COMMAND", mlpkit("--help").out)


def test_formulas_survive_a_locale_that_lacks_them(mlpkit):
    done = mlpkit("show", "Affine", env={"PYTHONIOENCODING": "latin-1"})
    assert done.code == 0
    assert "dy W\\u1d40" in done.out


def test_control_c_while_the_program_starts_ends_it_in_silence(environment, tmp_path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")  # as if it came while click was imported
    command = [sys.executable, "-m", "mlpkit", "--help"]
    env = environment | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def ending(error, monkeypatch):
    """Have the program fail, on a terminal without Greek letters; return what it printed, and how it ended."""

    def program(prog_name):
        sys.stdout.write(f"{prog_name}: \u03b1\n")
        raise error

    before, out = gc.get_threshold(), io.TextIOWrapper(io.BytesIO(), "ascii", newline="\n")
    monkeypatch.setattr("mlpkit.cli.verbs.program", program)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", None)  # it was closed
    try:
        with pytest.raises((SystemExit, type(error))) as caught:
            main()
    finally:
        gc.set_threshold(*before)
    out.flush()
    return out.buffer.getvalue(), getattr(caught.value, "code", caught.value)


def test_what_fails_outside_a_verb_ends_the_program_with_a_message_if_something_has_run_out(monkeypatch):
    printed = b"mlpkit: \\u03b1\n"
    for error, end in (
        (KeyboardInterrupt(), 130),
        (OSError(errno.EMFILE, "x"), f"error: {TOO_MANY_FILES}"),
        (RuntimeError("can't start new thread"), f"error: {NO_THREADS}"),
        *((error, error) for error in (RuntimeError("x"), ImportError("x"), OSError(errno.EIO, "x"))),
    ):
        assert ending(error, monkeypatch) == (printed, end)


def test_once_a_spec_is_read_garbage_is_looked_for_among_later_objects_alone(mlpkit, cwd):
    (cwd / "watching.py").write_text(PLUGIN)
    (cwd / "watched.yaml").write_text(SPEC)

    done = mlpkit("check", "watched.yaml", "--plugin", "watching.py")

    assert done.out.splitlines()[0] == "frozen True, threshold 10000"


def test_a_process_that_mlpkit_did_not_start_collects_garbage_as_before(invoke, cwd):
    before = gc.get_threshold(), gc.get_freeze_count()
    assert invoke("check", "tiny.yaml").code == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before

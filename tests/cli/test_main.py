"""How the program starts."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from mlpkit.cli.main import main


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


def test_windows_is_answered_with_where_mlpkit_runs(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="runs on Linux and macOS; on Windows, install and run it in WSL"):
        main()

"""Commands that are advised after a training can be pasted into a shell."""

from pathlib import Path
from types import SimpleNamespace

from mlpkit.display.display import of_run


def run(**end):
    return of_run(SimpleNamespace(folder=Path("runs/my run"), steps=3, metrics={}, ended="", **end))


def test_resuming(capsys):
    run(stopped="SIGINT").print_stop()
    assert capsys.readouterr().err.endswith("resume it with: mlpkit resume 'runs/my run'\n")


def test_predicting():
    assert run(stopped="").next_command == "mlpkit predict 'runs/my run' FILE"

"""Commands that are advised after a training can be pasted into a shell."""

from pathlib import Path
from types import SimpleNamespace

from mlpkit.display.display import next_command, print_stop

RUN = SimpleNamespace(folder=Path("runs/my run"), steps=3, stopped="SIGINT")


def test_resuming(capsys):
    print_stop(RUN)
    assert capsys.readouterr().err.endswith("resume it with: mlpkit resume 'runs/my run'\n")


def test_predicting():
    assert next_command(RUN) == "mlpkit predict 'runs/my run' FILE"

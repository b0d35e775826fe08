from __future__ import annotations

import pytest
from requirements import require_components_of
from stop_at import StopAt

import mlpkit

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  batch_size: 10
  iterations: 6
  evaluate_every: 2
  metrics: [accuracy]
  callbacks: [CALLBACK]
  checkpoint: {every: 1}
"""


@pytest.fixture
def logging_spec(tmp_path, monkeypatch):
    """Return a function that writes s.yaml, with a callback, into the current folder, and loads it."""
    monkeypatch.chdir(tmp_path)

    def write(callback):
        require_components_of(callback)
        (tmp_path / "s.yaml").write_text(SPEC.replace("CALLBACK", callback))
        return mlpkit.load_spec("s.yaml")

    return write


@pytest.fixture
def run_until():
    """Return a function that runs a spec and interrupts it at an evaluation; with 0, before the first one."""

    def run(spec, folder, iteration):
        watch = StopAt(iteration)
        if iteration == 0:
            watch.stop.stop("SIGINT")
        interrupted = mlpkit.run(spec, folder, observer=watch, stop=watch.stop)
        assert interrupted.stopped

    return run

"""Training over MPI: real processes, which mpiexec starts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mlpkit

pytest.importorskip("mpi4py", reason='needs mpi4py: pip install "mlpkit[mpi]"')
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
pytestmark = [
    pytest.mark.skipif(MPIEXEC is None, reason="needs mpiexec: pip install mpich"),
    pytest.mark.filterwarnings("ignore:.*compute"),
]

SPEC = """\
mlpkit: 1
name: shared
data: {{csv: {{file: points.csv, target: kind}}}}
layers:
  - Affine: {{units: 8}}
{layers}
  - trap.Trap
  - Affine: {{units: 3}}
  - SoftmaxWithLoss
training:
  optimizer: {{adam: {{learning_rate: 0.01}}}}
  batch_size: 30
  iterations: 9
  evaluate_every: 5
  metrics: [accuracy]
  checkpoint: {{every: 3}}
  slices: 4
"""

TRAP = '''\
import os
import time

from mlpkit import Layer, component, hookimpl


class Trap(Layer):
    """Hands on its inputs, y = x, unless it is set: then it snaps in the last slice of step 5."""

    def forward(self, x):
        at = self._position
        trap = os.environ.get("TRAP") if self.training else None
        if trap == "slow":
            time.sleep(0.2)
        elif trap and at.step == 4 and at.slice == 3:
            if trap == "raise":
                raise ValueError("the trap snapped")
            time.sleep(60)
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Trap", Trap)]
'''

LAYERS = {"dense": "  - Relu", "dropout": "  - Dropout: {rate: 0.4}", "batch norm": "  - BatchNorm"}
RESULTS = ("model.safetensors", "history.jsonl", "metrics.json", "resolved.yaml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trap.py").write_text(TRAP, encoding="utf-8")
    points = np.random.default_rng(0).normal(size=(3000, 3)).round(2)  # several batches an evaluation
    lines = (f"{x},{y},{z},{'abc'[int(x > y) + int(y > z)]}" for x, y, z in points)
    (tmp_path / "points.csv").write_text("\n".join(["x,y,z,kind", *lines]), encoding="utf-8")
    return tmp_path


def start(folder, ranks, *arguments, trap="", timeout=60):
    """Start the program on so many ranks, in a folder."""
    environment = {
        **os.environ,
        "TRAP": trap,
        "MLPKIT_MPI_TIMEOUT": str(timeout),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    program = [sys.executable, "-m", "mlpkit", *arguments, "--plugin", "trap.py", "--no-report"]
    command = [MPIEXEC, "-n", str(ranks), *program]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process):
    try:
        _, errors = process.communicate(timeout=100)
    finally:
        process.kill()
    return process.returncode, errors


def alone(folder, layers):
    """Train on one rank, which is this process."""
    (folder / "spec.yaml").write_text(SPEC.format(layers=LAYERS[layers]), encoding="utf-8")
    mlpkit.run(mlpkit.load_spec(folder / "spec.yaml", plugins=[folder / "trap.py"]), folder / "alone")
    return results(folder / "alone")


def results(run):
    return {name: (run / name).read_bytes() for name in RESULTS}


@pytest.mark.parametrize(("layers", "ranks"), [("dense", 2), ("dropout", 4), ("batch norm", 4)])
def test_ranks_train_to_the_bits_of_one(folder, layers, ranks):
    expected = alone(folder, layers)
    code, errors = finish(start(folder, ranks, "run", "spec.yaml", "--out", "shared", "--quiet"))
    assert (code, re.sub("(?s).*warning: BatchNorm1.*meant\n", "", errors).strip()) == (0, "")
    assert results(folder / "shared") == expected


def test_an_exception_in_one_rank_ends_all_and_the_run_goes_on_with_others(folder):
    expected = alone(folder, "dense")
    began = time.monotonic()
    code, errors = finish(start(folder, 2, "run", "spec.yaml", "--out", "shared", "--quiet", trap="raise"))
    assert time.monotonic() - began < 40
    assert code == 1
    assert re.match(
        r"error: rank 1 of 2, on \S+: layer Trap1 \(Trap\) failed in forward: ValueError: the trap snapped\n"
        r"  note: its inputs have shape \(rows, 8\)\n"
        r"  note: what there is of the run is kept in shared\n$",
        errors,
    )
    assert "the trap snapped" in (folder / "shared/failure.json").read_text()
    assert [path.name for path in (folder / "shared/checkpoints").iterdir()] == ["step-000000003.safetensors"]
    assert finish(start(folder, 4, "resume", "shared", "--quiet")) == (0, "")
    assert results(folder / "shared") == expected


def test_a_rank_that_hangs_is_named_and_ends_all(folder):
    (folder / "spec.yaml").write_text(SPEC.format(layers=LAYERS["dense"]), encoding="utf-8")
    code, errors = finish(start(folder, 4, "run", "spec.yaml", "--out", "shared", "--quiet", trap="hang", timeout=2))
    assert code == 1
    assert re.match(
        r"error: rank 3 of 4, on \S+: hangs, or its connection is lost: rank 0, on \S+, has waited 2 s", errors
    )
    assert errors.count("error:") == 1


def test_one_signal_ends_all_ranks_after_the_step_they_are_in(folder):
    expected = alone(folder, "dense")
    process = start(folder, 2, "run", "spec.yaml", "--out", "shared", trap="slow")
    while process.poll() is None and not (folder / "shared/history.jsonl").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code == 130
    assert errors.count("stopped after step") == 1
    mlpkit.resume(folder / "shared", plugins=[folder / "trap.py"])
    assert results(folder / "shared") == expected


def test_a_training_that_diverges_ends_all_ranks_in_order(folder):
    (folder / "spec.yaml").write_text(SPEC.format(layers=LAYERS["dense"]), encoding="utf-8")
    rate = "training.optimizer.adam.learning_rate=1e38"
    code, errors = finish(start(folder, 2, "run", "spec.yaml", "--out", "shared", "--quiet", "--set", rate))
    assert code == 1
    assert errors.count("training diverged") == 1
    assert errors.startswith("error: training diverged")


def test_a_fast_reduction_gives_nearly_the_same(folder):
    alone(folder, "dense")
    fast = ("--set", "training.reduce=fast")
    assert finish(start(folder, 4, "run", "spec.yaml", "--out", "shared", "--quiet", *fast)) == (0, "")
    found, expected = (
        mlpkit.load_model(folder / run / "model.safetensors", plugins=[folder / "trap.py"])
        for run in ("shared", "alone")
    )
    for name, values in found.parameters.items():
        assert values == pytest.approx(expected.parameters[name], rel=1e-4, abs=1e-5)

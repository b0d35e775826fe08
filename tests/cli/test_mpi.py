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
from requirements import require_package, requires
from run_folders import results

import mlpkit

require_package("mpi4py", 'needs mpi4py: pip install "mlpkit[mpi]"')
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
pytestmark = [
    requires("packages", MPIEXEC is not None, "needs mpiexec: pip install mpich"),
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
from pathlib import Path

import numpy as np
from mlpkit import Classes, Dataset, Description, Layer, Schedule, component, hookimpl

RANK = os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK", "0"))


def snap(place):
    """Raise or wait if the trap is set at this place in this rank."""
    trap = os.environ.get("TRAP", "")
    if trap.endswith(f" in {place} on {RANK}"):
        Path("snapped").touch()
        time.sleep(60 if trap.startswith("hang") else 0)
        raise ValueError("the trap snapped")


class Trap(Layer):
    """Hands on its inputs, y = x, unless it is set: then it snaps in the last slice of step 5."""

    def forward(self, x):
        at = self._position
        trap = os.environ.get("TRAP") if self.training else None
        if trap == "slow":
            time.sleep(0.2)
        elif trap in ("raise", "hang") and at.step == 4 and at.slice == 3:
            if trap == "raise":
                raise ValueError("the trap snapped")
            time.sleep(60)
        return x

    def backward(self, dy):
        return dy


class Rate(Schedule):
    """A learning rate with a trap: after the data is open, ranks first ask for it as they begin."""

    def __call__(self, progress):
        if Points.is_open:
            snap("begin")
        return 0.01


class Points(Dataset):
    """Numbers by chance, in a set with traps."""

    is_open = False

    def describe(self):
        snap("describe")
        return Description((3,), Classes(3), {"train": 3000})

    def open(self, seed):
        snap("open")
        Points.is_open = True
        return {"train": self}

    def __len__(self):
        return 3000

    def take(self, indices, out):
        if len(indices) > 500:
            snap("evaluation")
        out[0][:], out[1][:] = np.sin(indices)[:, np.newaxis], indices % 3


@hookimpl
def mlpkit_components():
    return [
        component("layer", "Trap", Trap),
        component("schedule", "rate", Rate),
        component("dataset", "points", Points),
    ]
'''

LAYERS = {"dense": "  - Relu", "dropout": "  - Dropout: {rate: 0.4}", "batch norm": "  - BatchNorm"}
UNEVEN = {"slices: 4": "slices: 7\n  accumulate: 2\n  freeze: [Affine1]", "batch_size: 30": "batch_size: 5"}
"""Turns the spec into one whose slices the ranks can't share out evenly, and whose minibatches don't fill them."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trap.py").write_text(TRAP, encoding="utf-8")
    points = np.random.default_rng(0).normal(size=(3000, 3)).round(2)  # several batches an evaluation
    lines = (f"{x},{y},{z},{'abc'[int(x > y) + int(y > z)]}" for x, y, z in points)
    (tmp_path / "points.csv").write_text("\n".join(["x,y,z,kind", *lines]), encoding="utf-8")
    return tmp_path


def start(folder, ranks, *arguments, trap="", timeout=60, **variables):
    """Start the program on several ranks, in a folder."""
    environment = {
        **os.environ,
        **variables,
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


def write_spec(folder, layers="dense", changes=None):
    text = SPEC.format(layers=LAYERS[layers])
    for before, after in (changes or {}).items():
        text = text.replace(before, after)
    (folder / "spec.yaml").write_text(text, encoding="utf-8")


def alone(folder, layers="dense", changes=None):
    """Train on one rank, which is this process."""
    write_spec(folder, layers, changes)
    mlpkit.run(mlpkit.load_spec(folder / "spec.yaml", plugins=[folder / "trap.py"]), folder / "alone")
    return results(folder / "alone")


@pytest.mark.parametrize(
    ("layers", "ranks", "changes"), [("dense", 2, {}), ("dropout", 4, UNEVEN), ("batch norm", 4, {})]
)
def test_ranks_train_to_the_bits_of_one(folder, layers, ranks, changes):
    expected = alone(folder, layers, changes)
    code, errors = finish(start(folder, ranks, "run", "spec.yaml", "--out", "shared", "--quiet"))
    assert (code, re.sub("(?s).*warning: BatchNorm1.*intended\n", "", errors).strip()) == (0, "")
    assert results(folder / "shared") == expected


def test_an_exception_in_one_rank_ends_all_and_the_run_goes_on_with_others(folder):
    expected = alone(folder)
    began = time.monotonic()
    code, errors = finish(start(folder, 2, "run", "spec.yaml", "--out", "shared", "--quiet", trap="raise"))
    assert time.monotonic() - began < 40
    assert code == 1
    assert re.match(
        r"error: rank 1 of 2, on \S+: layer Trap1 \(Trap\) failed in forward: ValueError: the trap snapped\n"
        r"  note: its inputs have shape \(rows, 8\)\n"
        r"  note: raised at trap\.py:\d+, in forward\n"
        r"  help: with MLPKIT_DEBUG=1 in the environment, mlpkit shows the whole traceback\n"
        r"  note: the run so far is saved in shared\n$",
        errors,
    )
    assert "the trap snapped" in (folder / "shared/failure.json").read_text()
    assert [path.name for path in (folder / "shared/checkpoints").iterdir()] == ["step-000000003.safetensors"]
    assert finish(start(folder, 4, "resume", "shared", "--quiet")) == (0, "")
    assert results(folder / "shared") == expected


def begin(folder, trap, **options):
    """Start two ranks on data in which a trap is set, and wait until it snaps."""
    write_spec(folder)
    trapped = ("--set", "data=trap.points", "--set", "training.optimizer.adam.learning_rate=trap.rate")
    process = start(folder, 2, "run", "spec.yaml", "--out", "shared", *trapped, trap=trap, **options)
    while process.poll() is None and not (folder / "snapped").exists():
        time.sleep(0.05)
    return process


def test_a_rank_may_read_its_data_for_long_and_a_signal_ends_all_meanwhile(folder):
    process = begin(folder, "hang in open on 1", timeout=1)
    time.sleep(1.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, "")
    assert not (folder / "shared").exists()


def test_an_exception_while_a_rank_reads_its_data_ends_all(folder):
    code, errors = finish(begin(folder, "raise in open on 1", MLPKIT_DEBUG="1"))
    assert code == 1
    assert errors.count("error: rank 1 of 2, on ") == 1
    assert re.search(
        r": dataset trap\.points failed in open: ValueError: the trap snapped\n  note: raised at trap", errors
    )
    assert len(re.findall(r'  File "trap\.py", line \d+, in open\n', errors)) == 1  # of the whole traceback


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("place", ["describe", "open", "begin", "evaluation"])
def test_an_exception_of_any_rank_at_any_time_ends_all(folder, place, rank):
    code, errors = finish(begin(folder, f"raise in {place} on {rank}"))
    assert code == 1
    assert errors.count("error: ") == 1
    assert ("error: rank 1 of 2, on " in errors) == (rank == 1)
    assert "ValueError: the trap snapped" in errors


def test_a_rank_that_hangs_is_named_and_ends_all(folder):
    write_spec(folder)
    code, errors = finish(start(folder, 4, "run", "spec.yaml", "--out", "shared", "--quiet", trap="hang", timeout=2))
    assert code == 1
    assert re.match(
        r"error: rank 3 of 4, on \S+: hangs, or its connection is lost: rank 0, on \S+, has waited 2 s", errors
    )
    assert errors.count("error:") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_one_signal_ends_all_ranks_after_the_step_they_are_in(folder, number):
    expected = alone(folder)
    process = start(folder, 2, "run", "spec.yaml", "--out", "shared", trap="slow")
    while process.poll() is None and not (folder / "shared/history.jsonl").exists():
        time.sleep(0.05)
    process.send_signal(number)
    code, errors = finish(process)
    assert code == 128 + number
    assert errors.count("stopped after step") == 1
    mlpkit.resume(folder / "shared", plugins=[folder / "trap.py"])
    assert results(folder / "shared") == expected


def test_a_training_that_diverges_ends_all_ranks_in_order(folder):
    write_spec(folder)
    rate = "training.optimizer.adam.learning_rate=1e38"
    code, errors = finish(start(folder, 2, "run", "spec.yaml", "--out", "shared", "--quiet", "--set", rate))
    assert code == 1
    assert errors.count("training diverged") == 1
    assert errors.startswith("error: training diverged")


def test_a_fast_reduction_gives_nearly_the_same(folder):
    alone(folder)
    fast = ("--set", "training.reduce=fast")
    assert finish(start(folder, 4, "run", "spec.yaml", "--out", "shared", "--quiet", *fast)) == (0, "")
    found, expected = (
        mlpkit.load_model(folder / run / "model.safetensors", plugins=[folder / "trap.py"])
        for run in ("shared", "alone")
    )
    for name, values in found.parameters.items():
        assert values == pytest.approx(expected.parameters[name], rel=1e-4, abs=1e-5)

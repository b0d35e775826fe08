"""Files that another process cuts or overwrites while a run trains on them: an error, and a model; never a signal."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import mlpkit

CHILD = """\
import sys
from mlpkit.cli.main import main
from mlpkit_plugins.formats import rows_on_disk

rows_on_disk.LARGEST_COPY = int(sys.argv.pop(1))
main()
"""
SPEC = """\
mlpkit: 1
data: {data}
layers: [{{Affine: {{units: 2}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 128, epochs: {epochs}}}
"""
ROW_BY_ROW, COPIED = "0", "100000000"
FORMATS = {"npy": "{npy: {inputs: x.npy, targets: t.npy}}", "npz": "{npz: {file: x.npz}}"}


def cut(path):
    os.truncate(path, 0)


def overwrite(path):
    path.write_bytes(bytes(path.stat().st_size))


@pytest.fixture
def train_while(tmp_path):
    """Return a function that trains in a process of its own and changes a file once the first epoch is done."""

    def train(format_, copied, change, epochs):
        x = np.random.default_rng(0).normal(size=(20_000, 50))
        t = (x[:, 0] > 0).astype(np.int64)
        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "t.npy", t)
        np.savez(tmp_path / "x.npz", x=x, t=t)
        (tmp_path / "spec.yaml").write_text(SPEC.format(data=FORMATS[format_], epochs=epochs))
        command = [sys.executable, "-c", CHILD, copied, "run", "spec.yaml", "--out", "run"]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            history = tmp_path / "run" / "history.jsonl"
            while process.poll() is None and not (history.exists() and history.stat().st_size):
                time.sleep(0.01)
            if process.poll() is None:
                change(tmp_path / f"x.{format_}")
            _, told = process.communicate(timeout=100)
        return process.returncode, told.decode()

    return train


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("change", [cut, overwrite])
def test_a_run_that_reads_rows_ends_with_an_error_and_its_model(tmp_path, train_while, format_, change):
    code, told = train_while(format_, ROW_BY_ROW, change, epochs=100_000)
    assert code == 1, told
    assert "the file was overwritten or truncated while it was in use; train on a copy that doesn't change" in told
    assert f"error: x.{format_}" in told
    network = mlpkit.load_model(tmp_path / "run" / "model.safetensors")
    assert network.predict(np.ones((1, 50), np.float32)).shape == (1, 2)


@pytest.mark.parametrize("change", [cut, overwrite])
def test_a_run_that_has_copied_the_arrays_goes_on(tmp_path, train_while, change):
    code, told = train_while("npy", COPIED, change, epochs=60)
    assert code == 0, told
    assert len((tmp_path / "run" / "history.jsonl").read_text().splitlines()) == 60

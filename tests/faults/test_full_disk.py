"""A model for which a disk has no room is written once there is some."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

NAMESPACE = ["unshare", "--map-root-user", "--mount"]
TRAIN = """
import sys
from pathlib import Path
import mlpkit
from mlpkit.errors import StorageError
from mlpkit.jobs import run_recorder
from mlpkit.training.events import Observer

run_recorder.SECONDS_BETWEEN_TRIES = 0.01
filler = Path("filler")

class Fills(Observer):
    def ended(self):
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                print("full")

    def noticed(self, message):
        print(message.partition("; ")[0])
        filler.unlink()

spec = mlpkit.load_spec("spec.yaml", plugins=[sys.argv[1]])
mlpkit.run(spec, "run", observer=Fills())
assert Path("run/metrics.json").exists()
print("Affine1.W" in mlpkit.load_model("run/model.safetensors", plugins=[sys.argv[1]]).parameters)
"""
SPEC = """\
mlpkit: 1
data: acme.blobs
layers: [Affine: {units: 2000}, Affine: {units: 4}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 16, iterations: 4}
"""


def test_a_model_that_a_full_disk_does_not_take_is_written_once_there_is_room(plugin_file, tmp_path):
    if not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    inside = 'mount -t tmpfs -o size=1m none disk && cp spec.yaml disk && cd disk && exec "$@"'
    (tmp_path / "disk").mkdir()
    (tmp_path / "spec.yaml").write_text(SPEC)
    command = [*NAMESPACE, "sh", "-c", inside, "sh", sys.executable, "-c", TRAIN, str(plugin_file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    said = ["full", "run: the model can't be written: No space left on device", "True"]
    assert (done.stdout.splitlines(), done.stderr) == (said, "")

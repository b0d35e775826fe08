"""Files that are read as far as the system says that they go: those in /proc have no size, and some never end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit_plugins.files.regular_file import regular_file, sized

ENDLESS = Path("/proc/self/pagemap")
SPEC = """\
mlpkit: 1
data: {data}
layers: [{{Affine: {{units: 2}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 1, iterations: 1}}
"""
READERS = {
    "csv": "{csv: {file: FILE, target: t}}",
    "parquet": "{parquet: {file: FILE, target: t}}",
    "npy": "{npy: {inputs: FILE, targets: FILE}}",
    "npz": "{npz: {file: FILE}}",
    "idx": "{idx: {images: FILE, labels: FILE}}",
    "gz": "{idx: {images: FILE, labels: FILE}}",
}


@pytest.mark.skipif(not ENDLESS.exists(), reason="the system has no such file")
def test_a_file_of_no_size_has_no_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    for path, content in ((tmp_path / "x", b"abc"), (ENDLESS, b"")):
        with regular_file(path, "x") as file:
            assert sized(file).read(3) == content


@pytest.mark.skipif(not ENDLESS.exists(), reason="the system has no such file")
@pytest.mark.parametrize(("name", "data"), READERS.items(), ids=READERS)
def test_every_reader_refuses_a_file_without_an_end(tmp_path, name, data):
    file = tmp_path / f"x.{name}"
    file.symlink_to(ENDLESS)
    (tmp_path / "spec.yaml").write_text(SPEC.format(data=data.replace("FILE", file.name)))
    command = [sys.executable, "-m", "mlpkit", "check", "spec.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert f"'{file.name}' is not a regular file" in done.stderr

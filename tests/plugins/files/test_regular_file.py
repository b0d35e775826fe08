"""Files that are read as far as the system says that they go: those in /proc have no size, and some never end."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit import DataError, StorageError
from mlpkit_plugins.files.regular_file import GzipStream, regular_file, sized, storing

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


@pytest.mark.parametrize(
    ("error", "reason"), [(OSError(5, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")]
)
def test_an_error_of_the_system_has_its_reason(tmp_path, monkeypatch, error, reason):
    (tmp_path / "x").touch()

    def refuse(*_):
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=f"^data x: can't be read: {reason}$"), regular_file(tmp_path / "x", "data x"):
        pass
    expected = f"^out: can't be written: {reason}; check the disk, and what is at that path$"
    with pytest.raises(StorageError, match=expected), storing(Path("out")):
        refuse()


def test_an_error_about_a_file_that_is_not_regular_has_what_was_expected(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, expected in (("pipe", "is not a regular file"), (".", "is a folder"), ("none", "no such file")):
        ending = "" if name == "none" else "; expected a table"
        with pytest.raises(DataError) as caught, regular_file(tmp_path / name, "x", "a table"):
            pass
        assert str(caught.value) == f"x: {expected}{ending}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda content: content[:-9], "the compressed content ends too early; the file is incomplete"),
        (lambda content: b"xx" + content[2:], "the compressed content is damaged: Not a gzipped file (b'xx'); restore"),
        (lambda content: content[:30] + b"?" + content[31:], "the compressed content is damaged: "),
    ],
)
def test_damaged_gzip_files_are_errors(change, expected):
    content = gzip.compress(bytes(range(256)) * 9)
    whole = GzipStream(io.BufferedReader(io.BytesIO(content)), "x.gz")
    assert (whole.readable(), whole.read()) == (True, bytes(range(256)) * 9)
    with pytest.raises(DataError) as caught:
        GzipStream(io.BufferedReader(io.BytesIO(change(content))), "x.gz").read()
    assert str(caught.value).startswith(f"x.gz: {expected}")

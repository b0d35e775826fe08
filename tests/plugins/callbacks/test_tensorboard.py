"""Evaluations as curves for TensorBoard."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import mlpkit


@pytest.fixture
def spec(logging_spec):
    return logging_spec("tensorboard")


def records_of(folder):
    """Read records of the format of TensorFlow: length, its checksum, content, its checksum."""
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def masked(content):
        checksum = crc32c(content)
        return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF

    (path,) = folder.iterdir()
    content, events = path.read_bytes(), []
    while content:
        length = int.from_bytes(content[:8], "little")
        assert int.from_bytes(content[8:12], "little") == masked(content[:8])
        body, after = content[12 : 12 + length], content[12 + length :]
        assert int.from_bytes(after[:4], "little") == masked(body)
        events.append(Event.FromString(body))
        content = after[4:]
    assert events[0].file_version == "brain.Event:2"
    return [(event.step, value.tag, value.simple_value) for event in events[1:] for value in event.summary.value]


def curves_of(history):
    curves = []
    for record in history:
        for key, value in record.items():
            split, _, name = key.partition("_")
            curve = f"{name}/{split}" if split in {"train", "validation"} else key
            curves.append((record["iteration"], curve, float(np.float32(value))))
    return [curve for curve in curves if curve[1] != "iteration"]


def test_every_figure_of_every_evaluation_is_a_point_of_a_curve(spec):
    run = mlpkit.run(spec, "run")
    found = records_of(run.folder / "tensorboard")
    assert found == curves_of(run.history)
    assert {"loss/train", "loss/validation", "accuracy/validation", "learning_rate"} < {tag for _, tag, _ in found}


def test_a_run_that_was_interrupted_has_no_step_twice(spec, run_until):
    whole = mlpkit.run(spec, "whole")
    run_until(spec, "again", 4)
    (old,) = (whole.folder.parent / "again/tensorboard").iterdir()
    old.rename(old.with_name("events.out.tfevents.7.elsewhere"))  # a new file has another second or machine in its name
    resumed = mlpkit.resume("again")
    assert records_of(resumed.folder / "tensorboard") == records_of(whole.folder / "tensorboard")


def test_a_link_in_a_run_folder_from_a_stranger_is_not_followed(spec, run_until, tmp_path):
    run_until(spec, "run", 2)
    folder, other = tmp_path / "run/tensorboard", tmp_path / "other"
    folder.rename(other)
    folder.symlink_to(other)
    before = {path: path.read_bytes() for path in other.iterdir()}
    run = mlpkit.resume("run")
    assert {path: path.read_bytes() for path in other.iterdir()} == before
    assert records_of(folder) == curves_of(run.history)


def test_a_folder_that_cannot_be_made_is_an_error(spec, run_until, tmp_path):
    run_until(spec, "run", 0)
    for path in sorted((tmp_path / "run/tensorboard").iterdir()):
        path.unlink()
    (tmp_path / "run/tensorboard").rmdir()
    (tmp_path / "run/tensorboard").write_text("a file")
    with pytest.raises(mlpkit.StorageError, match=r"^run/tensorboard: can't be written: .*; check the disk, and what"):
        mlpkit.resume("run")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp", '"a\\n"', "checkpoints", "model.safetensors"])
def test_names_that_are_none_or_taken(logging_spec, tmp_path, name):
    spec = logging_spec(f"tensorboard: {{folder: {name or repr('')}}}")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(mlpkit.SpecError, match=r"s\.yaml:10:37: .*\n.*\n.*\n *expected: a (plain )?name"):
        mlpkit.run(spec, "run")
    assert set(tmp_path.rglob("*")) == before


def test_without_a_folder_nothing_is_written(spec, tmp_path):
    before = set(tmp_path.rglob("*"))
    mlpkit.run(spec)
    assert set(tmp_path.rglob("*")) == before


WITHOUT = """\
import sys
class Hidden:  # as if it were not there
    def find_spec(self, name, path=None, target=None):
        if name == "tensorboardX":
            raise ModuleNotFoundError("No module named 'tensorboardX'", name=name)
sys.meta_path.insert(0, Hidden())
from mlpkit.cli.main import main
main()
"""


@pytest.mark.parametrize("arguments", [("check", "s.yaml"), ("show", "tensorboard")])
@pytest.mark.usefixtures("spec")
def test_without_tensorboardx_the_error_says_how_to_install_it(arguments):
    command = [sys.executable, "-c", WITHOUT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'needs the package tensorboardX; install it with: pip install "mlpkit[tensorboard]"' in done.stderr
    assert "Traceback" not in done.stderr

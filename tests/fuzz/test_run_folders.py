"""Run folders from strangers: whatever their files hold, verbs end with an error of ours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlpkit.errors import MlpkitError
from mlpkit.jobs.evaluate import evaluate
from mlpkit.jobs.predict import predict
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.overview import STATES, overview_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import SmallModel

GARBAGE = {
    "nothing": b"",
    "zeros": bytes(1000),
    "no text": bytes(range(256)) * 10,
    "brackets": b"[" * 100_000 + b"\n",
    "a number": b"7\n",
    "null": b"null\n",
    "not a number": b'{"loss": NaN}\n',
    "infinity": b'{"loss": 1e999}\n',
    "a key twice": b'{"loss": 1, "loss": 2}\n',
    "many digits": b'{"loss": ' + b"9" * 100_000 + b"}\n",
    "many parts": b'{"loss": [' + b"[]," * 1_000_000 + b"0]}\n",
    "torn": b'{"loss": 1',
    "another encoding": '{"loss": 1}\n'.encode("utf-16"),
}
FILES = {
    "lock.json": RunFolder.read_lock,
    "metrics.json": RunFolder.read_metrics,
    "history.jsonl": RunFolder.read_history,
    "resolved.yaml": RunFolder.resolved_text,
}


@pytest.fixture
def run(model: SmallModel) -> Path:
    """Return a run folder with a model and nothing else that is right."""
    folder = model.path.parent
    for name in (*FILES, "spec.yaml", "timing.jsonl"):
        (folder / name).write_bytes(b"\xff garbage \0 [[[")
    np.save(folder / "x.npy", np.zeros((3, 4), np.float32))
    return folder


def test_prediction_needs_nothing_but_the_model(run: Path) -> None:
    assert predict(run, run / "x.npy").values.shape == (3, 10)


def test_a_model_of_other_data_is_not_evaluated(run: Path) -> None:
    with pytest.raises(MlpkitError, match=r"gives inputs of shape \(784,\), and the network was trained on .* \(4,\)"):
        evaluate(run)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", [*FILES, "failure.json", "checkpoints", ".lock", "seeds.json"])
def test_a_folder_with_garbage_is_listed(run: Path, name: str, garbage: str) -> None:
    (run / "resolved.yaml").write_text("name: x\nseed: 0\ntraining: {iterations: 9}\n")
    (run / name).write_bytes(GARBAGE[garbage])
    assert overview_of(run).state in STATES


def expect_named(error: MlpkitError, name: str) -> None:
    assert name in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", FILES)
def test_garbage_in_its_files_is_read_or_named(run: Path, name: str, garbage: str) -> None:
    (run / name).write_bytes(GARBAGE[garbage])
    try:
        found: Any = FILES[name](RunFolder.open(run))
    except MlpkitError as error:
        expect_named(error, name)
    else:
        assert isinstance(found, list if name == "history.jsonl" else str if name == "resolved.yaml" else dict)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_special_files_are_named(run: Path, name: str, make: Callable[[Path], None]) -> None:
    (run / name).unlink()
    make(run / name)
    with pytest.raises(MlpkitError, match=name):
        FILES[name](RunFolder.open(run))


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_end_is_not_read_to_its_end(run: Path, name: str) -> None:
    os.truncate(run / name, 2**40)  # sparse: it takes no room on the disk
    with pytest.raises(MlpkitError, match=r"it is larger than \d+ MiB"):
        FILES[name](RunFolder.open(run))


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_for_a_model_is_refused(run: Path, garbage: str) -> None:
    (run / "model.safetensors").write_bytes(GARBAGE[garbage])
    for use in (lambda: predict(run, run / "x.npy"), lambda: evaluate(run)):
        with pytest.raises(MlpkitError, match=r"model\.safetensors"):
            use()

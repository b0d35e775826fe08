"""What the tests of run files share: system calls that fail, and model files that are forged."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlpkit.runs.model_file import save_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a context manager in which the nth call of a function of ``os`` raises instead of working."""

    @contextmanager
    def fail(function: str, failure: BaseException, *, call: int = 1) -> Iterator[list[int]]:
        real: Callable[..., Any] = getattr(os, function)
        calls = [0]

        def fails(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] == call:
                if function == "close":
                    real(*args)
                raise failure
            return real(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(os, function, fails)
            yield calls

    return fail


@pytest.fixture
def forge() -> Any:
    """Return a function that makes a model file whose checksum is right, whatever else is in it."""

    def make(entries: Any, data: bytes = b"", *, content: Any = None, metadata: Any = None) -> bytes:
        if content is None:
            content = {"format": 1, "metadata": {}, "sha256": "0" * 64}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        header = {"__metadata__": {"mlpkit": text} if metadata is None else metadata, **entries}
        head = json.dumps(header, separators=(",", ":")).encode()
        zeroed = len(head).to_bytes(8, "little") + head + data
        return zeroed.replace(b"0" * 64, hashlib.sha256(zeroed).hexdigest().encode(), 1)

    return make


@pytest.fixture
def small_model() -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the metadata of a small model."""
    rng = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {
        "Affine1.W": rng.normal(size=(6, 20)).astype(np.float32),
        "Affine1.b": np.zeros(20, np.float32),
        "Affine2.W": rng.normal(size=(20, 3)),
        "steps": np.array(7),
    }
    return arrays, {"spec": {"name": "small", "layers": [{"Affine": {"units": 20}}]}, "classes": ["ä", "b"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a test keeps its model file."""
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(path: Path, small_model: Any) -> bytes:
    """Return the bytes of a small model, which is saved at ``path``."""
    save_model(path, *small_model)
    return path.read_bytes()

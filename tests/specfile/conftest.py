"""What the tests of specs share: files in a folder of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlpkit.errors import SpecSyntaxError
from mlpkit.specfile.document import read_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that writes files, given as name=text, into the working folder, which is empty at first."""
    monkeypatch.chdir(tmp_path)

    def write_files(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write_files


@pytest.fixture
def faults_of() -> Callable[..., list[str]]:
    """Return a function that reads a spec and returns its faults, each as ``place: message``."""

    def faults(*arguments: object, reader: Callable[..., object] = read_document) -> list[str]:
        with pytest.raises(SpecSyntaxError) as caught:
            reader(*arguments)
        return [f"{fault.file}:{fault.line}:{fault.column}: {fault.message}" for fault in caught.value.faults]

    return faults

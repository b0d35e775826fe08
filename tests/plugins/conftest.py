"""Fixtures for components that read files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file into the working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def written(content, name="data.csv"):
        Path(name).write_text(content, encoding="utf-8")
        return name

    return written

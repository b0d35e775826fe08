"""An editor with ``mlpkit lsp`` for the tests of a module."""

from __future__ import annotations

import pytest
from spec_editor import spec_editor


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """An editor, open in an empty folder."""
    with spec_editor(tmp_path_factory.mktemp("editor")) as client:
        yield client

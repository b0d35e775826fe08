"""The example files are what their script writes, and their README names each."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from requirements import Optional, require_package

from mlpkit_plugins.files.named_file import EXAMPLES
from mlpkit_plugins.formats.image import read_image

pq = Optional("pyarrow.parquet")
SCRIPT = Path(__file__).parents[3] / "tools/example_files.py"


def _generate(folder):
    spec = importlib.util.spec_from_file_location("example_files", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(folder)


def test_the_script_writes_the_files_that_ship(tmp_path):
    require_package("pyarrow")
    _generate(tmp_path)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    shipped = {path.relative_to(EXAMPLES): path.read_bytes() for path in EXAMPLES.rglob("*") if path.is_file()}
    assert set(written) == set(shipped) - {Path("README.md")}
    for path, content in written.items():
        if path.suffix == ".parquet":  # which says by what version of which library it was written
            assert pq.read_table(tmp_path / path).equals(pq.read_table(EXAMPLES / path))
        elif path.suffix == ".png":  # which one version of a library packs better than another
            np.testing.assert_array_equal(read_image(tmp_path / path), read_image(EXAMPLES / path))
        else:
            assert content == shipped[path]


def test_the_readme_names_every_file_and_its_licence():
    readme = (EXAMPLES / "README.md").read_text()
    assert "CC0" in readme
    for path in EXAMPLES.iterdir():
        if path.name != "README.md":
            assert f"`{path.name}`" in readme

"""The example files are what their script writes, and their README names each."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
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


HOUSES = {"file": "example:houses.csv", "target": "price", "predict": "values", "categorical": ["district"]}
MACHINES = {"file": "example:machines.parquet", "target": "fails", "inputs": ["hours"], "missing": "fill"}
DIGITS = {"images": "example:shapes-images-idx3-ubyte", "labels": "example:shapes-labels-idx1-ubyte"}
OF_ARRAYS = (120, 15, 15), ["5", "42", "52"], ["13", "16", "39"]


@pytest.mark.parametrize(
    ("name", "parameters", "sizes", "validation", "test"),
    [
        ("csv", HOUSES, (228, 32, 40), ["20", "32", "59"], ["13", "21", "43"]),
        ("parquet", MACHINES, (256, 32, 32), ["4", "12", "18"], ["10", "11", "14"]),
        ("npz", {"file": "example:shapes.npz"}, *OF_ARRAYS),
        ("npy", {"inputs": "example:shapes_x.npy", "targets": "example:shapes_t.npy"}, *OF_ARRAYS),
        ("idx", DIGITS, *OF_ARRAYS),
        (
            *("image_folder", {"folder": "example:shapes"}, (45, 3, 12)),
            *(["06.png", "37.png", "42.png"], ["00.png", "10.png", "32.png"]),
        ),
    ],
)
def test_without_parameters_examples_are_split_as_they_were(name, parameters, sizes, validation, test):
    """Results are compared across versions, so the usual shares and the usual seed stay."""
    kind = getattr(require_package(f"mlpkit_plugins.datasets.{name}"), name.title().replace("_", ""))
    dataset = kind(**parameters)
    assert tuple(dataset.describe().sizes.values()) == sizes
    dataset.open(0)
    for split, places in (("validation", validation), ("test", test)):
        sources = dataset.example_sources(split, np.arange(3))
        assert [source.replace("/", " ").rpartition(" ")[2] for source in sources] == places

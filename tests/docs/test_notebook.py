"""The notebook, run in a kernel of its own, shows what is stored in it; ``pytest --renew-golden`` stores it again."""

from __future__ import annotations

import base64
import copy
import io
import re
import shutil
from pathlib import Path

import pytest
from html_tables import rows_of
from requirements import require_package
from walkthrough import expect_printed

nbclient = require_package("nbclient")
nbformat = require_package("nbformat")
require_package("ipykernel")
require_package("matplotlib")
require_package("pandas")

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs/notebook.ipynb"
EXAMPLES = "plugins/mlpkit_plugins/datasets/example_files"
LARGEST = 300_000
"""Bytes that the notebook may have, pictures included."""


@pytest.fixture(scope="module")
def executed(request, tmp_path_factory):
    """Return the notebook after a run in a clone, and store that if pytest was asked to renew what is golden."""
    notebook = nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)
    kernel = notebook.metadata["kernelspec"]
    clone = tmp_path_factory.mktemp("clone")
    (clone / "docs").mkdir()
    shutil.copytree(ROOT / EXAMPLES, clone / EXAMPLES)
    with pytest.MonkeyPatch.context() as patch:
        for setting in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR"):
            patch.setenv(setting, str(clone / "settings"))
        where = {"metadata": {"path": str(clone / "docs")}}
        nbclient.NotebookClient(notebook, timeout=300, record_timing=False, resources=where).execute()
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    if request.config.getoption("renew_golden"):
        nbformat.write(_with_small_pictures(notebook), NOTEBOOK)
    return notebook


@pytest.fixture(scope="module")
def stored(executed):
    """Return the notebook as it is in the repository, renewed if pytest was asked to."""
    return nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)


def _with_small_pictures(notebook):
    """Return a notebook whose pictures have few colours, which a quarter of the bytes will do for."""
    from PIL import Image

    smaller = copy.deepcopy(notebook)
    for output in (output for cell in smaller.cells for output in cell.get("outputs", ()) if "data" in output):
        if "image/png" in output.data:
            content = io.BytesIO()
            picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
            picture.convert("RGB").quantize(64).save(content, "png", optimize=True)
            output.data["image/png"] = base64.b64encode(content.getvalue()).decode()
    return smaller


def outputs_of(notebook):
    """Return what each cell with code shows: texts by kind, tables as cells, and that there is a picture."""
    return [[_shown(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


def _shown(output):
    content = {"text/plain": output.text} if output.output_type == "stream" else dict(output.data)
    if "image/png" in content:
        content["image/png"] = "a picture"
    if "text/html" in content:
        tables = re.sub(r"<style.*?</style>", "", content["text/html"], flags=re.DOTALL)
        content["text/html"] = _kinds_of_rows(rows_of(tables))
    return content


def _kinds_of_rows(rows):
    """Return each kind of row once, with # for its numbers: which one is the best may depend on the processor."""
    lines = (" | ".join(row).removeprefix("best") for row in rows)
    return "\n".join(dict.fromkeys(re.sub(r"-?\b\d[\d.,]*(e[-+]?\d+)?", "#", line) for line in lines))


def test_every_cell_shows_what_is_stored(stored, executed):
    for before, now in zip(outputs_of(stored), outputs_of(executed), strict=True):
        assert [output.keys() for output in before] == [output.keys() for output in now]
        for first, second in zip(before, now, strict=True):
            for kind, text in first.items():
                expect_printed(text, second[kind])


def test_a_training_is_one_output_that_is_a_table_in_the_end(executed):
    trainings = [cell for cell in executed.cells if "mlpkit.fit(" in cell.source]
    assert len(trainings) == 2
    for cell in trainings:
        (output,) = cell.outputs
        assert "<progress" not in output.data["text/html"]
        assert re.search(r"steps in [\d.]+ s; best validation loss", output.data["text/plain"])


def test_curves_are_one_picture_with_its_size(executed):
    for cell in executed.cells:
        if cell.source == "run.plot()":
            (output,) = cell.outputs
            assert output.metadata["image/png"]["width"] == 960


def test_it_is_stored_as_a_run_from_top_to_bottom_leaves_it(stored):
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert NOTEBOOK.stat().st_size < LARGEST


def test_its_links_lead_somewhere(stored):
    text = "".join(cell.source for cell in stored.cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        assert (NOTEBOOK.parent / link).exists(), link

"""From CSV to ONNX and C: what leaves gives the labels of ``mlpkit predict`` on a whole test file.

Inputs are made from the file by pandas, as a person would who has the ONNX file and its table of inputs, and nothing
of mlpkit.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from real_tables import PACKAGED, SHARED_NAMES, RealTable, shared_table
from requirements import Optional, require_package

from mlpkit.graph.model_graph import model_graph
from mlpkit.jobs.load_model import load_run
from mlpkit_plugins.exporters.c_file import compute_c

onnxruntime = Optional("onnxruntime")
pd = Optional("pandas")

SHORT = ("wa_churn", "vehicle", "concrete", "penguins", "seattle_weather", "penguins_raw", "chile")
MISSING = ["", "NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None", "none", "?", "-", "--"]

TRUTHS = {**dict.fromkeys(["yes", "true", "y", "t"], 1.0), **dict.fromkeys(["no", "false", "n", "f"], 0.0)}


def feeds_of(file, table: RealTable) -> dict[str, Any]:
    """Return the columns of a table's test file as the ONNX file says that it takes them."""
    (said,) = onnx.load(file).metadata_props
    frame = pd.read_csv(io.StringIO(table.test), dtype=str, keep_default_na=False, **table.read)
    feeds = {}
    for each in json.loads(said.value)["inputs"]:
        column = frame[each["name"]].str.strip()
        if each["kind"] == "category":
            feeds[each["name"]] = column.to_numpy(object)
            continue
        column = column.where(~column.isin(MISSING))
        if each["kind"] == "date":
            seconds = (pd.to_datetime(column) - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
            feeds[each["name"]] = seconds.to_numpy(np.float64)
        else:
            truths = column.str.lower().map(TRUTHS)
            numbers = truths if truths.notna().equals(column.notna()) else column
            feeds[each["name"]] = numbers.to_numpy(np.float64, na_value=np.nan)
    return feeds


def labels_of_onnx(file, feeds) -> Any:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run([output_of(output.name for output in session.get_outputs())], feeds)[0]


def labels_of_c(file, feeds) -> Any:
    model = load_run(Path("run"))
    graph = model_graph(model.network, model.dataset, {})
    name = output_of(graph.graph.outputs)
    return compute_c(Path(file), graph, feeds, [name])[name]


def output_of(names) -> str:
    """Return the name of the labels, or of the values."""
    return next(name for name in names if "probabilities" not in name)


FILES = {"t.onnx": labels_of_onnx} | ({"t.c": labels_of_c} if shutil.which("cc") else {})


@pytest.fixture
def expect_the_same(cwd, invoke):
    """Return a function that trains on a table, exports, and compares what comes out on the test file."""
    require_package("onnxruntime")

    def expect(table: RealTable, *options: str) -> None:
        (cwd / "t.csv").write_text(table.train)
        (cwd / "test.csv").write_text(table.test)
        done = invoke("init", "--data", "t.csv", "--target", table.target, "--test", "test.csv")
        assert done.code == 0, done.err
        done = invoke("run", "t.mlpkit.yaml", "--quiet", "--out", "run", *options)
        assert done.code == 0, done.err
        for file in FILES:
            done = invoke("export", "run", "--to", file)
            assert (done.code, done.err) == (0, "")
            assert "match mlpkit predict" in done.out

        lines = invoke("predict", "run", "test.csv", "--json").out.splitlines()
        feeds = feeds_of("t.onnx", table)
        for file, labels_of in FILES.items():
            found = labels_of(file, feeds)
            assert len(found) == len(lines)
            if table.classes:
                assert found.tolist() == [json.loads(line)["class"] for line in lines]
            else:
                values = [json.loads(line)["values"][table.target] for line in lines]
                np.testing.assert_allclose(found[:, 0], values, rtol=1e-5, atol=1e-5 * np.abs(values).max())

    return expect


def table_named(name: str) -> RealTable:
    """Return a table of a package, or of the folder beside the repository."""
    return PACKAGED[name].table(seed=0) if name in PACKAGED else shared_table(name)


@pytest.mark.parametrize("name", SHORT)
def test_a_real_table_after_two_epochs(expect_the_same, name):
    expect_the_same(table_named(name), "--set", "training.epochs=2")


@pytest.mark.long
@pytest.mark.parametrize("name", [*SHARED_NAMES, *PACKAGED])
def test_a_real_table(expect_the_same, name):
    expect_the_same(table_named(name))

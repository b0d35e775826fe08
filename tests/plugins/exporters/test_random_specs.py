"""Whole models from random specs, in C: rows with gaps and unknown categories have the bits of ``predict``."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from c_models import bits, logits_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_specs import random_arrays, random_rows, random_specs_of_arrays, random_specs_of_tables

import mlpkit
from mlpkit.graph.model_graph import model_graph
from mlpkit.jobs.inputs import inputs_of
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.export.export import _feeds
from mlpkit_plugins.exporters.c_file import CFile, compute_c
from mlpkit_plugins.kernels import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of unknown categories, which the rows have
needs_kernels = pytest.mark.skipif(not COMPILED, reason="without compiled kernels, predict computes in another order")
often = settings(max_examples=100, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
seldom = settings(max_examples=3, deadline=None, phases=[Phase.generate])


def expect_the_bits_of_predict(spec: dict[str, Any], raw: Any, folder: Path) -> None:
    mlpkit.run(mlpkit.load_spec(spec), directory=folder / "run", quiet=True)
    model = load_run(folder / "run")
    graph = model_graph(model.network, model.dataset, {})
    x = np.asarray(inputs_of(model, raw).x, model.network.dtype)
    CFile().write(graph, folder / "model.c")

    names = ["logits", graph.encoded.name]
    found = compute_c(folder / "model.c", graph, _feeds(model, graph, raw), names)

    assert bits(found[graph.encoded.name].reshape(x.shape)) == bits(x)
    logits = logits_of(model.network, x)
    assert bits(found["logits"].reshape(logits.shape)) == bits(logits)


@st.composite
def tables(draw: st.DrawFn, folder: Path) -> Any:
    """Draw a spec for a table in a folder, and other rows."""
    seed = draw(st.integers(0, 99))
    rows, others = random_rows(seed, 150, unknown=False), random_rows(seed + 1, 100, unknown=True)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    columns = {name: np.array([row[name] for row in others], object) for name in rows[0]}
    return draw(random_specs_of_tables(str(folder / "table.csv"))), columns


@st.composite
def arrays(draw: st.DrawFn, folder: Path) -> Any:
    """Draw a spec for arrays in a folder, and other rows."""
    np.savez(folder / "arrays.npz", **random_arrays(draw(st.integers(0, 99)), 150))
    return draw(random_specs_of_arrays(str(folder / "arrays.npz"))), random_arrays(100, 100)["x"]


def models_have_the_bits_of_predict(data, kind, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    expect_the_bits_of_predict(*data.draw(kind(folder)), folder)


kinds = pytest.mark.parametrize("kind", [tables, arrays])


@needs_kernels
@kinds
@seldom
@given(data=st.data())
def test_models_have_the_bits_of_predict(data, kind, tmp_path_factory):
    models_have_the_bits_of_predict(data, kind, tmp_path_factory)


@needs_kernels
@pytest.mark.long
@kinds
@often
@given(data=st.data())
def test_a_hundred_models_have_the_bits_of_predict(data, kind, tmp_path_factory):
    models_have_the_bits_of_predict(data, kind, tmp_path_factory)

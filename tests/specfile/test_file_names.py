"""The name that a spec has from its file."""

from __future__ import annotations

import pytest

import mlpkit

SPEC = "mlpkit: 1\ndata: mnist\nlayers: [Affine: {units: 10}, SoftmaxWithLoss]\ntraining: {optimizer: sgd, epochs: 1}\n"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.yaml", "a"),
        ("a.yml", "a"),
        ("a.mlpkit.yaml", "a"),
        ("a.mlpkit.yml", "a"),
        ("a.b.mlpkit.yaml", "a.b"),
        ("a.mlpkit.mlpkit.yaml", "a.mlpkit"),
        ("mlpkit.yaml", "mlpkit"),
        (".mlpkit.yaml", "mlpkit"),
    ],
)
def test_the_name_leaves_out_the_endings(tmp_path, file, name):
    (tmp_path / file).write_text(SPEC)
    assert mlpkit.load_spec(tmp_path / file).name == name


def test_a_run_is_saved_by_the_name(cwd, invoke):
    tiny = (cwd / "tiny.yaml").read_text().replace("name: tiny\n", "")
    (cwd / "small.mlpkit.yaml").write_text(tiny)
    assert invoke("run", "small.mlpkit.yaml", "--quiet").code == 0
    assert (cwd / "runs/small/model.safetensors").exists()

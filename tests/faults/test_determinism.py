"""The same spec gives the same bits in every new process, for any assignment of slices to workers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove
from mlpkit.training.loop import Trainer


def in_new_processes(count, specs, results, tmp_path, plugin_file):
    (tmp_path / "spec.yaml").write_text(specs.spec_text("drawn", "adam"), encoding="utf-8")
    hashes = set()
    for number in range(count):
        command = [sys.executable, "-m", "mlpkit", "run", "spec.yaml", "--plugin", str(plugin_file), "--quiet"]
        environment = os.environ | {"PYTHONHASHSEED": str(number)}
        subprocess.run([*command, "--out", f"run{number}"], check=True, cwd=tmp_path, env=environment)
        hashes.add(hashlib.sha256(b"".join(results(tmp_path / f"run{number}").values())).hexdigest())
    return hashes


def test_three_new_processes_one_hash(specs, results, tmp_path, plugin_file):
    assert len(in_new_processes(3, specs, results, tmp_path, plugin_file)) == 1


@pytest.mark.long
def test_twenty_new_processes_one_hash(specs, results, tmp_path, plugin_file):
    assert len(in_new_processes(20, specs, results, tmp_path, plugin_file)) == 1


@pytest.mark.parametrize("freeze", [[], ["Affine1"], ["Affine2"]], ids=str)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_slices_computed_by_one_two_and_four_workers_one_hash(optimizer, freeze, acme, specs, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(specs.spec_text("drawn", optimizer), encoding="utf-8")
    affine = [{"Affine": {"units": units}} for units in (700, 500, 4)]
    stack = [affine[0], "acme.Restless", affine[1], "Relu", affine[2], "SoftmaxWithLoss"]
    wide = {"layers": stack, "training.slices": 4, "training.iterations": 12, "training.freeze": freeze}
    spec = mlpkit.load_spec(path, overrides=wide, plugins=[acme])

    def trained(workers):
        proved = prove(spec)
        network = build_for(spec, proved.proof, slices=4)
        splits = spec.data().open(spec.seed)
        description, section = proved.description, spec.training
        trainer = Trainer(network, splits, description, section, frozen=proved.frozen, workers=workers)
        history = trainer.train()
        return hashlib.sha256(network.values.tobytes() + str(history).encode()).hexdigest()

    assert len({trained(workers) for workers in (1, 2, 4)}) == 1

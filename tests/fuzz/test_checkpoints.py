"""Checkpoints from strangers: damage is always noticed, and one that was forged can do a resumed run no harm."""

from __future__ import annotations

import random
import shutil
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from fuzzing.checked_file import BEYOND_THE_FILE, refuses_damage, survives_forgeries
from fuzzing.watch import Limits, campaign, counts

import mlpkit
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.training.events import Observer, StopRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = """\
mlpkit: 1
name: small
data: {csv: {file: 'example:flowers.csv', target: species, ignore: [soil], missing: fill}}
layers: [BatchNorm, {Affine: {units: 3}}, SoftmaxWithLoss]
training:
  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}
  batch_size: 60
  iterations: 4
  evaluate_every: 2
  metrics: [accuracy]
  moving_average: {decay: 0.9}
  early_stopping: {metric: accuracy, patience: 3}
  best_weights: loss
  checkpoint: {every: 1, keep: 1, best: loss}
  threads: 1
  slices: 1
"""


class StopAt(Observer):
    """Asks to stop at the first evaluation."""

    def __init__(self) -> None:
        self.stop = StopRequest()

    def evaluated(self, record: Any, seconds: float) -> None:
        self.stop.stop("the test")


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was stopped after two of four steps."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "spec.yaml").write_text(SPEC)
    watch = StopAt()
    assert (
        mlpkit.run(mlpkit.load_spec(folder / "spec.yaml"), folder / "run", observer=watch, stop=watch.stop).steps == 2
    )
    return folder / "run"


def resumed(path: Path) -> mlpkit.Run:
    """Go on with the run whose only checkpoint is the file at that path, in a copy of its folder."""
    copy = path.parents[1].with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path.parents[1], copy)
    return mlpkit.resume(copy, observer=Observer())


@pytest.fixture
def checkpoint(interrupted: Path, tmp_path: Path) -> Path:
    """Return the only checkpoint of a run folder of one's own."""
    shutil.copytree(interrupted, tmp_path / "run")
    (tmp_path / "run/checkpoints/best.safetensors").unlink()
    (found,) = (tmp_path / "run/checkpoints").iterdir()
    return found


@pytest.mark.parametrize(
    ("count", "every"),
    [pytest.param(150, 64, id="short"), pytest.param(20_000, 1, id="long", marks=pytest.mark.fuzz)],
)
def test_damage(checkpoint: Path, count: int, every: int) -> None:
    def load(path: Path) -> Any:
        return RunFolder.open(path.parents[1]).checkpoints.load_newest(lambda fault: None)

    content = checkpoint.read_bytes()
    assert load(checkpoint).path == checkpoint
    refuses_damage(load_model_file, content, checkpoint, seed=11, count=count, every=every)
    with pytest.raises(mlpkit.RunFolderError, match="every checkpoint is damaged"):
        load(checkpoint)


@counts(30, 3_000)
def test_a_right_checksum_over_damage(checkpoint: Path, count: int) -> None:
    content, digits = checkpoint.read_bytes(), load_model_file(checkpoint).sha256
    # The observer gets the name of a damaged checkpoint; the error is about the folder.
    survives_forgeries(resumed, content, digits, checkpoint, seed=12, count=count, names_file=False)


GARBAGE: list[Any] = [None, True, -1, 10**30, 1.5, "x", [], [1], {}, {"!array": "x"}, {"!tuple": 3}, [[[]]], "1"]


def altered(plain: Any, chance: random.Random) -> Any:
    """Return plain data with something else in one place."""
    places: list[tuple[Any, Any]] = []

    def visit(value: Any) -> None:
        keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            places.append((value, key))
            visit(value[key])

    visit(plain)
    holder, key = chance.choice(places)
    holder[key] = chance.choice(GARBAGE)
    return plain


@counts(30, 2_000)
def test_well_formed_checkpoints_that_say_something_else(checkpoint: Path, count: int) -> None:
    print("seed 13")  # noqa: T201 - to repeat a failure
    found, chance = load_model_file(checkpoint), random.Random(13)

    def forged() -> Iterator[bytes]:
        for _ in range(count):
            arrays, metadata = dict(found.arrays), deepcopy(found.metadata)
            if chance.random() < 0.3:
                name = chance.choice(list(arrays))
                values = arrays.pop(name)
                if chance.random() < 0.7:
                    arrays[name] = chance.choice([values[:1], values.astype("f8"), values[:0], values.reshape(1, -1)])
            else:
                metadata["snapshot"] = altered(metadata["snapshot"], chance)
            save_model(checkpoint, arrays, metadata)
            yield checkpoint.read_bytes()

    limits = Limits(memory=checkpoint.stat().st_size + BEYOND_THE_FILE)
    campaign(resumed, forged(), checkpoint, may_accept=lambda run: True, limits=limits, names_file=False)

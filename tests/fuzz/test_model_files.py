"""Model files from strangers: damage is always noticed, and a forged one can do no harm."""

from __future__ import annotations

import copy
import random
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from fuzzing.checked_file import BEYOND_THE_FILE, refuses_damage, survives_forgeries
from fuzzing.spec_mutants import VALUES, spec_mutants
from fuzzing.watch import Limits, campaign, counts

from mlpkit.errors import StorageError
from mlpkit.jobs.load_model import TrainedModel, load_trained
from mlpkit.registry.registry import Registry
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.training.divergence import without_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import SmallModel


@pytest.fixture(scope="module")
def load_and_use() -> Callable[[Path], TrainedModel]:
    """Return a function that loads a model and predicts with it, if its inputs are of a size that anybody has."""
    registry = Registry.discover()

    def load(path: Path) -> TrainedModel:
        model = load_trained(path, registry)
        shape = model.network.input_shape
        if prod(shape) <= 10_000:
            with without_warnings():
                model.network.predict(np.zeros((2, *shape), np.float32))
        return model

    return load


@counts(350, 40_000)
def test_damage(model: SmallModel, load_and_use: Any, keep: Path, count: int) -> None:
    assert 1500 < len(model.content) < 3000
    refuses_damage(
        load_and_use,
        model.content,
        model.path,
        seed=1,
        count=count,
        every=16 if count < 1000 else 1,
        keep=keep / "models",
    )


def test_a_good_file_is_loaded(model: SmallModel, load_and_use: Any) -> None:
    load_and_use(model.path)


@counts(350, 40_000)
def test_a_right_checksum_over_damage(model: SmallModel, load_and_use: Any, keep: Path, count: int) -> None:
    report = survives_forgeries(
        load_and_use, model.content, model.digits, model.path, seed=2, count=count, keep=keep / "models"
    )
    assert report.refused > 0.5 * count


@counts(300, 20_000)
def test_well_formed_files_that_say_something_else(
    model: SmallModel, load_and_use: Any, tmp_path: Path, keep: Path, count: int
) -> None:
    limits = Limits(memory=len(model.content) + BEYOND_THE_FILE)
    files = _forged(model, random.Random(3), count, tmp_path / "forged.safetensors")
    report = campaign(
        load_and_use,
        files,
        model.path,
        may_accept=lambda loaded: True,
        limits=limits,
        keep=keep / "models",
        names_file=False,
    )
    assert report.refused > 0.5 * count


def _forged(model: SmallModel, chance: random.Random, count: int, path: Path) -> Iterator[bytes]:
    """Go through model files that were saved as they should be, with something in them that should not be."""
    specs = (text.decode("utf-8", "replace") for text in spec_mutants([model.metadata["spec"]], chance, 10 * count))
    done = 0
    while done < count:
        arrays, metadata = dict(model.arrays), copy.deepcopy(model.metadata)
        for _ in range(chance.choice((1, 1, 2))):
            match chance.randrange(6):
                case 0 | 1:
                    metadata["spec"] = next(specs)
                case 2:
                    metadata[chance.choice(list(metadata))] = copy.deepcopy(chance.choice(VALUES))
                case 3:
                    inner = metadata[chance.choice(("encoder", "target"))]
                    if isinstance(inner, dict):
                        inner[chance.choice([*inner, "x"])] = copy.deepcopy(chance.choice(VALUES))
                case 4:
                    metadata["input_shape"] = [
                        chance.choice((0, -1, 1, 2, 4, 10**12, 4.0, "4", True)) for _ in "ab"[1:]
                    ]
                case 5:
                    name = chance.choice(list(arrays))
                    values = arrays.pop(name)
                    altered = [values.astype("f8"), values[:1], values.reshape(-1), values * np.nan, values.astype("?")]
                    arrays[chance.choice((name, name, "x", "Affine1.W.x", "\x1b[2J"))] = chance.choice(altered)
        try:
            save_model(path, arrays, metadata)
        except StorageError:  # a surrogate, say, can't be saved in the first place
            continue
        done += 1
        yield path.read_bytes()


def changed(path: Path, **values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what changes keys of the spec inside."""

    def change(metadata: dict[str, Any]) -> dict[str, Any]:
        said = yaml.safe_load(metadata["spec"])
        for key, value in values.items():
            *above, last = key.split("__")
            holder = said
            for part in above:
                holder = holder[int(part) if part.isdigit() else part]
            holder[int(last) if last.isdigit() else last] = value
        return metadata | {"spec": yaml.safe_dump(said, sort_keys=False)}

    return change


HOSTILE = {
    "a billion units": ({"layers__0__Affine__units": 10**9}, "array 'Affine1.W' is"),
    "units beyond any memory": ({"layers__0__Affine__units": 10**90}, "array 'Affine1.W' is"),
    "a billion slices": ({"training__slices": 10**9}, "out of range"),
    "threads beyond any machine": ({"training__threads": 10**30}, "out of range"),
    "a billion copies": ({"layers__1": {"Repeat": {"times": 10**9, "layer": "Relu"}}}, "more than 5,000"),
    "a plugin that doesn't exist": ({"layers__1": {"evil.Layer": {}}}, "no plugin 'evil' is installed"),
    "an import path": ({"layers__1": {"os.system": {}}}, "no plugin 'os' is installed"),
    "another file": ({"extends": "/etc/passwd"}, "can't extend others"),
    "a name that leads elsewhere": ({"name": "../../evil"}, "can't name a run folder"),
    "an unknown initializer": ({"layers__0__Affine__weights": {"evil": {}}}, "unknown initializer 'evil'"),
    "ten thousand layers": ({"layers": ["Relu"] * 10_001}, "more than 10,000 values"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_spec_inside_is_refused(model: SmallModel, load_and_use: Any, case: str) -> None:
    changes, message = HOSTILE[case]
    save_model(model.path, model.arrays, changed(model.path, **changes)(model.metadata))
    report = campaign(
        load_and_use, [model.path.read_bytes()], model.path, limits=Limits(memory=BEYOND_THE_FILE), names_file=True
    )
    assert report.refused == 1
    with pytest.raises(Exception, match=message):
        load_and_use(model.path)


def test_a_path_inside_is_not_looked_at_before_the_data_is_needed(model: SmallModel, load_and_use: Any) -> None:
    changes = {"data": {"mnist": {"validation": 0, "directory": "/no/such/folder"}}}
    save_model(model.path, model.arrays, changed(model.path, **changes)(model.metadata))
    load_and_use(model.path)


def fill(unit: bytes, before: bytes, after: bytes, most: int = 4_190_000) -> bytes:
    """Return a header full of one thing."""
    return before + unit * min((most - len(before) - len(after)) // len(unit), 199_000) + after


HEADERS = {
    "empty lists": fill(b"[],", b'{"x":[', b"0]}"),
    "few empty lists": fill(b"[],", b'{"x":[', b"0]}", 290_000),
    "empty mappings": fill(b"{},", b'{"x":[', b"0]}", 290_000),
    "mappings of one": fill(b'{"a":0},', b'{"x":[', b"0]}", 790_000),
    "numbers": fill(b"0.5,", b'{"x":[', b"0]}"),
    "texts": fill(b'"abcdef",', b'{"x":[', b"0]}"),
    "keys": b"{" + b",".join(b'"%d":0' % i for i in range(199_000)) + b"}",
    "arrays": b"{"
    + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(30_000))
    + b"}",
    "wide characters": '{"__metadata__":{"mlpkit":"\U0001f600'.encode() + b"a" * 4_190_000 + b'"}}',
    "wide metadata": (
        '{"__metadata__":{"mlpkit":"{\\"format\\":1,\\"metadata\\":{\\"x\\":\\"\U0001f600'.encode()
        + b"a" * 4_190_000
        + b'\\"},\\"sha256\\":\\"'
        + b"0" * 64
        + b'\\"}"}}'
    ),
    "a number of four million digits": b'{"x":' + b"9" * 4_000_000 + b"}",
    "a float of four million digits": b'{"x":' + b"9" * 4_000_000 + b".5}",
    "depth": b'{"x":' + b"[" * 190_000,
    "escapes": b'{"__metadata__":{"mlpkit":"' + b"\\u0041" * 690_000 + b'"}}',
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_large_header_takes_little_memory(model: SmallModel, case: str) -> None:
    content = len(HEADERS[case]).to_bytes(8, "little") + HEADERS[case]
    campaign(load_model_file, [content], model.path, limits=Limits(memory=len(content) + BEYOND_THE_FILE))

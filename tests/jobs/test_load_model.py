"""Getting a trained network back."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.load_model import load_run
from mlpkit.runs.model_file import load_model_file, save_model


def test_a_loaded_network_is_the_trained_one(train, work):
    run = train()
    loaded = mlpkit.load_model("run/model.safetensors")
    x = np.random.default_rng(1).random((20, 784))
    np.testing.assert_array_equal(loaded.predict(x), run.network.predict(x))
    for name, array in run.network.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], array)


def test_the_data_need_not_be_there_any_more(train, work):
    train()
    for path in (work / "digits").iterdir():
        path.unlink()
    model = load_run(work / "run")
    assert model.target == mlpkit.Classes(10)
    assert model.spec.name == "tiny"


def changed(path, *, arrays=lambda arrays: arrays, metadata=lambda metadata: metadata):
    model = load_model_file(path)
    save_model(path, arrays(dict(model.arrays)), metadata(dict(model.metadata)))


def without(key):
    return lambda mapping: {name: value for name, value in mapping.items() if name != key}


def test_arrays_that_the_spec_inside_does_not_declare_are_refused(train, work):
    train()
    path = work / "run/model.safetensors"
    original = path.read_bytes()
    for alter, message in (
        (without("Affine1.b"), r"array 'Affine1\.b' is missing; the spec inside declares float32 of shape \(16,\)"),
        (lambda arrays: arrays | {"extra": np.zeros(3)}, r"'extra' is float64 of shape \(3,\).*declares no such array"),
        (lambda arrays: arrays | {"Affine1.b": np.zeros(7, "f4")}, r"is float32 of shape \(7,\).*of shape \(16,\)"),
        (lambda arrays: arrays | {"Affine1.b": np.zeros(16)}, r"is float64 of shape \(16,\).*declares float32 of"),
    ):
        path.write_bytes(original)
        changed(path, arrays=alter)
        with pytest.raises(mlpkit.ModelFileError, match=message):
            mlpkit.load_model(path)


@pytest.mark.parametrize("key", ["spec", "encoder", "input_shape", "target"])
def test_metadata_that_lacks_or_garbles_something_is_refused(train, work, key):
    train()
    path = work / "run/model.safetensors"
    original = path.read_bytes()
    for alter in (without(key), lambda m: m | {key: None}, lambda m: m | {key: 7}):
        path.write_bytes(original)
        changed(path, metadata=alter)
        with pytest.raises(mlpkit.ModelFileError, match=f"has no valid '{key}'"):
            mlpkit.load_model(path)


@pytest.mark.parametrize("shape", [[0], [-784], ["784"], [784.0], [True], [[784]], {"0": 784}])
def test_an_invalid_input_shape_is_refused(train, work, shape):
    train()
    path = work / "run/model.safetensors"
    changed(path, metadata=lambda m: m | {"input_shape": shape})
    with pytest.raises(mlpkit.ModelFileError, match="has no valid 'input_shape'"):
        mlpkit.load_model(path)


def test_a_name_that_would_command_a_terminal_is_shown_escaped(train, work):
    train()
    path = work / "run/model.safetensors"
    changed(path, arrays=lambda arrays: arrays | {"\x1b[2J": np.zeros(1)})
    with pytest.raises(mlpkit.ModelFileError) as caught:
        mlpkit.load_model(path)
    assert "array '\\x1b[2J' is" in str(caught.value)


@pytest.mark.parametrize("shape", [[], [28, 28], [785]])
def test_an_input_shape_that_does_not_fit_the_spec_inside_is_refused(train, work, shape):
    train()
    path = work / "run/model.safetensors"
    changed(path, metadata=lambda m: m | {"input_shape": shape})
    with pytest.raises(mlpkit.ModelFileError, match="the spec inside"):
        mlpkit.load_model(path)


@pytest.mark.parametrize(
    ("altered", "error", "message"),
    [
        pytest.param(
            lambda m: {"encoder": {"image_shape": "28 by 28"}},
            mlpkit.ModelFileError,
            "28 by 28",
            id="an encoder that the data set doesn't know",
        ),
        pytest.param(
            lambda m: {"spec": m["spec"].replace("- Relu", "- Rellu")},
            mlpkit.SpecError,
            "Rellu",
            id="a wrong spec",
        ),
        pytest.param(
            lambda m: {"spec": m["spec"].replace("units: 16", "units: 1000000000")},
            mlpkit.ModelFileError,
            "1000000000",
            id="a spec that asks for a billion units",
        ),
        pytest.param(
            lambda m: {"target": {"type": "Colours"}},
            mlpkit.ModelFileError,
            "Colours",
            id="not a target",
        ),
    ],
)
def test_metadata_that_can_not_be_right_is_refused(train, work, altered, error, message):
    train()
    path = work / "run/model.safetensors"
    changed(path, metadata=lambda m: m | altered(m))
    with pytest.raises(error, match=message):
        mlpkit.load_model(path)

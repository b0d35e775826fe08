"""Twelve models: the plain endpoint and Triton's client give the labels and bits of the model in Python."""

from __future__ import annotations

import warnings

import numpy as np
from requirements import require_package
from served import serving

import mlpkit
from mlpkit.jobs.explanations import background_of
from mlpkit.jobs.inputs import inputs_of
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.predict import predictions
from mlpkit.specfile.shipped_specs import shipped_specs

TABLES = ("loans", "flowers", "houses", "weather", "realmlp_td_s_classes", "realmlp_td_s", "mlp_plr", "tabm")
ARRAYS = ("shapes_npy", "shapes_npz", "shapes_idx", "quick")
LENGTHS = {"training.epochs": 1, "training.iterations": 5}


def test_each_model_gives_the_labels_and_bits_of_python(tmp_path, environment):
    http = require_package("tritonclient.http")
    for name in (*TABLES, *ARRAYS):
        training = mlpkit.load_spec(shipped_specs()[name]).training
        key = "training.epochs" if training.iterations is None else "training.iterations"
        spec = mlpkit.load_spec(shipped_specs()[name], overrides={key: LENGTHS[key]})
        mlpkit.run(spec, directory=tmp_path / name, quiet=True)
    with serving(*(f"{name}={name}" for name in (*TABLES, *ARRAYS)), cwd=tmp_path, env=environment) as server:
        client = http.InferenceServerClient(f"127.0.0.1:{server.port}")
        for name in (*TABLES, *ARRAYS):
            model = load_run(tmp_path / name)
            rows = background_of(tmp_path / name, model)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = predictions(model, inputs_of(model, rows))
            described = client.get_model_metadata(name)["inputs"]
            columns = _columns(rows, described)
            plain = server.post(f"/models/{name}/predict", _objects(columns) if name in TABLES else rows.tolist()).json
            inputs = []
            for each in described:
                values = columns[each["name"]]
                datatype = "UINT8" if values.dtype == np.uint8 else each["datatype"]
                inputs.append(http.InferInput(each["name"], values.shape, datatype))
                inputs[-1].set_data_from_numpy(values)
            found = client.infer(name, inputs)
            output = "values" if expected.classes is None and not expected.are_labels else "probabilities"
            assert np.array_equal(found.as_numpy(output), expected.values), name
            assert [_numbers(each) for each in plain["predictions"]] == expected.values.reshape(
                len(expected.values), -1
            ).tolist(), name
            if expected.classes is not None:
                labels = [expected.label(row) for row in range(len(expected.values))]
                assert [each["class"] for each in plain["predictions"]] == labels
                assert [each.decode() for each in found.as_numpy("class")] == labels
        client.close()


def _columns(rows, described):
    """Return the inputs by name, as Triton's client takes them."""
    if isinstance(rows, np.ndarray):
        return {"input": rows}
    return {
        each["name"]: np.array(rows[each["name"]], object)
        if each["datatype"] == "BYTES"
        else np.array([float(value or "nan") for value in rows[each["name"]]])
        for each in described
    }


def _objects(columns):
    names = [*columns]
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [
        {name: None if value != value else value for name, value in zip(names, row, strict=True)}  # noqa: PLR0124
        for row in rows
    ]


def _numbers(prediction):
    values = prediction.get("probabilities", prediction.get("values"))
    return [*(values.values() if isinstance(values, dict) else np.ravel(values).tolist())]

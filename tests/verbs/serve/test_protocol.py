"""The Open Inference Protocol, version 2, with Triton's own client."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from requirements import require_package

LOANS = {
    "amount": np.array([4.3, 9.0, 1.5]),
    "income": np.array([10.5, 2.5, 4.0]),
    "years_in_job": np.array([13, 1, 7], np.int64),
    "purpose": np.array(["car", "kitchen", "travel, gifts"], object),
}
NAMES = [*LOANS]


@pytest.fixture(scope="module")
def expected(server):
    """Return the answer of the plain endpoint to the same rows."""
    rows = [dict(zip(NAMES, map(_plain, row), strict=True)) for row in zip(*LOANS.values(), strict=True)]
    return server.post("/models/loans/predict", rows).json["predictions"]


def _plain(value):
    return value if isinstance(value, str) else value.item()


def tensor(name, values, **more):
    datatype = {"f": "FP64", "i": "INT64", "O": "BYTES"}[values.dtype.kind]
    return {"name": name, "datatype": datatype, "shape": list(values.shape), **({"data": values.tolist()} | more)}


REQUEST = {"inputs": [tensor(name, values) for name, values in LOANS.items()]}


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_gets_the_labels_and_bits_of_the_plain_endpoint(binary, server, expected):
    http = require_package("tritonclient.http")
    client = http.InferenceServerClient(f"127.0.0.1:{server.port}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("loans")
    assert client.is_model_ready("loans", "2")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    described = client.get_model_metadata("loans")
    inputs = []
    for name, values in LOANS.items():
        inputs.append(http.InferInput(name, [3], {"f": "FP64", "i": "INT64", "O": "BYTES"}[values.dtype.kind]))
        inputs[-1].set_data_from_numpy(values, binary_data=binary)
    names = [each["name"] for each in described["outputs"]]
    assert names == ["class", "probabilities"]
    for outputs in (None, [http.InferRequestedOutput(name, binary_data=binary) for name in names]):
        found = client.infer("loans", inputs, outputs=outputs, request_id="seven")
        assert found.get_response()["id"] == "seven"
        labels = [label.decode() if isinstance(label, bytes) else label for label in found.as_numpy("class")]
        assert labels == [each["class"] for each in expected]
        probabilities = found.as_numpy("probabilities")
        assert probabilities.dtype == np.float32
        assert np.array_equal(probabilities, np.float32([each["probabilities"] for each in expected]))
    client.close()


def test_metadata_tells_what_each_model_takes_and_gives(server):
    assert server.get("/v2/models/loans").json["versions"] == ["1", "2"]
    assert [each["datatype"] for each in server.get("/v2/models/loans").json["inputs"]] == ["FP64"] * 3 + ["BYTES"]
    outputs = {each["name"]: each for each in server.get("/v2/models/houses").json["outputs"]}
    assert outputs["values"] == {"name": "values", "datatype": "FP32", "shape": [-1, 1]}
    assert {"low", "high"} <= outputs.keys()
    assert [each["name"] for each in server.get("/v2/models/weather").json["outputs"]] == ["labels", "probabilities"]
    (image,) = server.get("/v2/models/shapes_npz").json["inputs"]
    assert (image["name"], image["shape"][0]) == ("input", -1)


def test_columns_may_be_one_tensor_or_come_in_any_order(server):
    rows = np.array([[1013.0, 82, -0.9], [990, 95, 12]])
    named = [tensor(name, rows[:, i]) for i, name in enumerate(("pressure", "humidity", "temperature"))]
    first = server.post("/v2/models/weather/infer", {"inputs": named[::-1]}).json["outputs"]
    assert server.post("/v2/models/weather/infer", {"inputs": [tensor("x", rows)]}).json["outputs"] == first
    assert first[1]["shape"] == [2, 3]


def test_an_image_is_one_tensor_as_json_and_as_bytes(server):
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8), np.uint8)
    plain = server.post("/models/shapes_npz/predict", images.tolist()).json["predictions"]
    head = {"name": "input", "datatype": "UINT8", "shape": [2, 8, 8]}
    found = server.post("/v2/models/shapes_npz/infer", {"inputs": [{**head, "data": images.tolist()}]}).json
    assert found["outputs"][0]["data"] == [each["class"] for each in plain]
    text = json.dumps({"inputs": [{**head, "parameters": {"binary_data_size": 128}}]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text)), "Content-Type": "application/octet-stream"}
    assert server.post("/v2/models/shapes_npz/infer", text + images.tobytes(), headers).json == found


def changed(**changes):
    return {"inputs": [{**REQUEST["inputs"][0], **changes}, *REQUEST["inputs"][1:]]}


WRONG = {
    "no object": ([], "$"),
    "no inputs": ({}, "$.inputs"),
    "one input is missing": ({"inputs": REQUEST["inputs"][:3]}, "$.inputs"),
    "another name": (changed(name="amuont"), "$.inputs[0].name"),
    "a name twice": ({"inputs": [*REQUEST["inputs"], REQUEST["inputs"][0]]}, "$.inputs[4].name"),
    "another datatype": (changed(datatype="FP65"), "$.inputs[0].datatype"),
    "shape and data differ": (changed(shape=[4]), "$.inputs[0].shape"),
    "a huge shape": (changed(shape=[2**39, 2**39]), "$.inputs[0].shape"),
    "a shape with too many axes": (changed(shape=[3, *[1] * 99]), "$.inputs[0].shape"),
    "the least integer": (changed(datatype="INT64", data=[4, -(2**63), 1]), "$.inputs[0].data"),
    "an infinite half": (changed(datatype="FP16", data=[4, 1e9, 1]), "$.inputs[0].data"),
    "a negative shape": (changed(shape=[-1]), "$.inputs[0].shape"),
    "rows differ": (changed(shape=[1], data=[4.3]), "$.inputs[1].shape"),
    "a text among numbers": (changed(data=[4.3, "9", 1.5]), "$.inputs[0].data[1]"),
    "a large number": (changed(data=[4.3, 1e300, 1.5]), "$.inputs[0].data"),
    "no integer of 8 bits": (changed(datatype="INT8", data=[4, 900, 1]), "$.inputs[0].data"),
    "uneven lists": (changed(data=[[4.3], 9, 1.5]), "$.inputs[0].data"),
    "no bytes": (changed(parameters={"binary_data_size": 24}), "$.inputs[0].parameters.binary_data_size"),
    "another output": ({**REQUEST, "outputs": [{"name": "clas"}]}, "$.outputs[0].name"),
    "a list of names": ({**REQUEST, "outputs": ["class"]}, "$.outputs"),
    "another extension": (
        {**REQUEST, "outputs": [{"name": "class", "parameters": {"classification": 2}}]},
        "$.outputs[0].parameters.classification",
    ),
    "no id": ({**REQUEST, "id": 3}, "$.id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_request_is_told_with_its_place(name, server):
    body, path = WRONG[name]
    found = server.post("/v2/models/loans/infer", body)
    assert (found.status, found.json["problems"][0]["path"]) == (422, path)
    assert found.json["error"]


def test_an_error_about_a_value_has_its_place(server):
    values = ["car", "boat", "car"]
    body = {"inputs": [*REQUEST["inputs"][:3], {**REQUEST["inputs"][3], "data": values}]}
    status, problem = server.problem("/v2/models/loans/infer", body)
    assert (status, problem["path"]) == (422, "$.inputs[3].data[1]")
    assert "boat" in problem["message"]


@pytest.mark.parametrize(
    ("texts", "path"),
    [
        (struct.pack("<I", 3) + b"car" + struct.pack("<I", 900) + b"car", "$.inputs[3]"),
        (struct.pack("<I", 3) + b"c\xffr", "$.inputs[3].data[0]"),
    ],
)
def test_damaged_texts_are_told_with_their_place(texts, path, server):
    last = {"name": "purpose", "datatype": "BYTES", "shape": [3], "parameters": {"binary_data_size": len(texts)}}
    text = json.dumps({"inputs": [*REQUEST["inputs"][:3], last]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text)), "Content-Type": "application/octet-stream"}
    status, problem = server.problem("/v2/models/loans/infer", text + texts, headers)
    assert (status, problem["path"]) == (422, path)
    assert server.problem("/v2/models/loans/infer", text + texts + b"more", headers)[0] == 422


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "9" * 5000])
def test_a_wrong_length_of_the_json_is_a_problem(length, server):
    assert server.problem("/v2/models/loans/infer", b"{}", {"Inference-Header-Content-Length": length})[0] == 400

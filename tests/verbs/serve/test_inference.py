"""Tensors of the Open Inference Protocol, without a server: what requests hold, and what answers hold."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from requirements import require_package

from mlpkit.jobs.predict import Predictions
from mlpkit.registry.registry import Registry

require_package("starlette")
from mlpkit.verbs.serve import inference
from mlpkit.verbs.serve.batch import Predicted
from mlpkit.verbs.serve.models import Version
from mlpkit.verbs.serve.refusals import Refusal
from mlpkit.verbs.serve.rows import Column

LENGTH = Column("length", is_number=True, optional=False, categories=())
COLOUR = Column("colour", is_number=False, optional=True, categories=("red", "green"))
WIDTH = Column("width", is_number=True, optional=False, categories=())
TABLE, ARRAY = SimpleNamespace(columns=(LENGTH, COLOUR, WIDTH)), SimpleNamespace(columns=None)
DATATYPES = "BYTES, BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64"


def tensor(name="length", datatype="FP32", shape=(2,), data=(1.5, 2.5), **more):
    return {"name": name, "datatype": datatype, "shape": [*shape], "data": data, **more}


def in_bytes(name, datatype, shape, size):
    head = {"name": name, "datatype": datatype, "shape": shape}
    return {**head, "parameters": {"binary_data_size": size}}


def asked(document, loaded, binary=b"", headers=None):
    text = json.dumps(document).encode()
    length = {"inference-header-content-length": str(len(text))} if binary else {}
    return inference.asked(text + binary, headers or length, loaded)[1]


SIZES = "the shape is wrong; expected a list of up to 32 whole numbers from 1 up"
DEPTHS = "the lists have several depths, or are empty"
NO_DATA = "an input has no data; expected a list, or binary_data_size in parameters"
ONE_COLUMN = "an input has another shape; expected [2] or [2, 1]"
WRONG_TENSORS = [
    (3, "", "an input is not an object; expected name, datatype, shape and data"),
    ({"datatype": "FP32"}, ".name", "an input has no name; expected a text"),
    (tensor(datatype="FP23"), ".datatype", f"no datatype 'FP23'; expected one of {DATATYPES}; did you mean 'FP32'?"),
    (tensor(datatype="xyz"), ".datatype", f"there is no datatype 'xyz'; expected one of {DATATYPES}"),
    (tensor(shape=[0]), ".shape", SIZES),
    (tensor(shape=[2.0]), ".shape", SIZES),
    (tensor(shape=[]), ".shape", SIZES),
    (tensor(shape=[2] + [1] * 32), ".shape", SIZES),
    (tensor(shape=[2**40]), ".shape", SIZES),
    (tensor(shape=[3, 1000]), ".shape", "the shape [3, 1000] has 3,000 elements, and the data 2"),
    (tensor(shape=[2**40 - 1]), ".shape", "the shape [1099511627775] has 1,099,511,627,775 elements, and the data 2"),
    (tensor(data=[]), ".data", NO_DATA),
    (tensor(data=None), ".data", NO_DATA),
    (tensor(data=[[1], 2]), ".data", DEPTHS),
    (tensor(data=[[1], []]), ".data", DEPTHS),
    (tensor(data=[1.5, True]), ".data[1]", "an element has another type; expected a value of FP32"),
    (tensor(datatype="BOOL", data=[True, 1]), ".data[1]", "an element has another type; expected a value of BOOL"),
    (tensor(datatype="INT16", data=[1.5, 2]), ".data[0]", "an element has another type; expected a value of INT16"),
    (tensor(datatype="BYTES", data=["a", 2]), ".data[1]", "an element has another type; expected a text"),
    (tensor(datatype="UINT8", data=[255, 256]), ".data", "a number is not in the range of UINT8"),
    (tensor(datatype="FP64", data=[1e15, -1.1e15]), ".data", "is too large; expected numbers from -1e+15 to 1e+15"),
    (tensor(datatype="INT64", data=[10**15, 10**15 + 1]), ".data", "expected numbers from -1e+15 to 1e+15"),
    (tensor(datatype="BYTES", data=["a", "b"]), ".datatype", "the model takes an array of numbers"),
    (tensor(datatype="BOOL", data=[True, False]), ".datatype", "the model takes an array of numbers"),
    (in_bytes("x", "FP32", [2], 9), ".parameters.binary_data_size", "binary_data_size is 9, and fewer bytes are left"),
    (in_bytes("x", "FP32", [2], -1), ".parameters.binary_data_size", "is -1, and fewer bytes are left"),
    (in_bytes("x", "FP32", [2], True), ".parameters.binary_data_size", "is True, and fewer bytes are left"),
    (in_bytes("x", "FP32", [2], 7), "", "7 bytes are no whole number of elements of FP32"),
]


@pytest.mark.parametrize(("wrong", "path", "text"), WRONG_TENSORS, ids=lambda value: str(value)[:30])
def test_an_error_about_a_tensor_has_its_place(wrong, path, text):
    with pytest.raises(Refusal) as caught:
        asked({"inputs": [wrong]}, ARRAY, b"12345678" if "binary_data_size" in str(wrong) else b"")
    assert (caught.value.status, caught.value.problem.path) == (422, f"$.inputs[0]{path}")
    assert str(caught.value).endswith(text)


@pytest.mark.parametrize(
    ("inputs", "path", "text"),
    [
        ([tensor("lenght"), tensor("width")], "[0].name", "the model has no input 'lenght'; did you mean 'length'?"),
        ([tensor(), tensor("q")], "[1].name", "the model has no input 'q'; expected one of length, colour, width"),
        ([tensor(), tensor("width"), tensor()], "[2].name", "the input 'length' is there twice"),
        ([tensor(shape=[1, 2])], "", "there is no input 'colour'; expected inputs length, colour, width"),
        ([tensor()], "", "there is no input 'colour'; expected inputs length, colour, width"),
        (
            [tensor("all", shape=[1, 3, 1], data=[1, 2, 3])],
            *("[0].name", "the model has no input 'all'; expected one of length, colour, width"),
        ),
        ([tensor(), tensor("colour", shape=[1, 2]), tensor("width")], "[1].shape", ONE_COLUMN),
        ([tensor(shape=[2, 1]), tensor("width"), tensor("colour", shape=[1], data=[3])], "[2].shape", ONE_COLUMN),
    ],
)
def test_an_error_about_inputs_that_do_not_fit_the_columns_has_their_place(inputs, path, text):
    with pytest.raises(Refusal) as caught:
        asked({"inputs": inputs}, TABLE)
    assert (caught.value.status, caught.value.problem.path, str(caught.value)) == (422, f"$.inputs{path}", text)


LEFT = "a text is longer than the bytes that are left"


@pytest.mark.parametrize(
    ("datatype", "content", "path", "text"),
    [
        ("BYTES", b"\2\0\0\0ab\3\0\0", "", LEFT),
        ("BYTES", b"\2\0\0\0ab\3\0\0\0cd", "", LEFT),
        ("BYTES", b"\1\0\0\0a\2\0\0\0\xc3\xff", ".data[1]", "a text is not UTF-8"),
        ("BYTES", b"\1\0\0\0a\0\0\0\0\1\0\0\0b", ".shape", "the shape [2] has 2 elements, and the data 3"),
        ("FP16", np.float16([2, np.inf]).tobytes(), ".data", "expected numbers from -1e+15 to 1e+15"),
        ("INT64", np.int64([2, -(2**63)]).tobytes(), ".data", "expected numbers from -1e+15 to 1e+15"),
    ],
)
def test_an_error_about_bytes_has_its_place(datatype, content, path, text):
    with pytest.raises(Refusal) as caught:
        asked({"inputs": [in_bytes("x", datatype, [2], len(content))]}, ARRAY, content)
    assert (caught.value.status, caught.value.problem.path) == (422, f"$.inputs[0]{path}")
    assert str(caught.value).endswith(text)


def test_a_tensor_may_have_32_axes_and_missing_numbers():
    shape = [2] + [1] * 31
    numbers = np.float32([np.nan, 2.5])
    rows = asked({"inputs": [in_bytes("x", "FP32", shape, numbers.nbytes)]}, ARRAY, numbers.tobytes())
    np.testing.assert_array_equal(rows.content, numbers.reshape(shape))


JSON_LENGTH = "Inference-Header-Content-Length"
KINDS = "application/json, or application/octet-stream for the binary extension"
BEGINNING = "the number of bytes of JSON at the beginning of the body"


@pytest.mark.parametrize(
    ("document", "headers", "status", "path", "text"),
    [
        ({}, {"content-type": "Text/XML; q=1"}, 415, "", f"the Content-Type is 'text/xml'; expected {KINDS}"),
        ({}, {JSON_LENGTH.lower(): "-1"}, 400, "", f"{JSON_LENGTH} is '-1'; expected {BEGINNING}"),
        ({}, {JSON_LENGTH.lower(): "3"}, 400, "", f"{JSON_LENGTH} is '3'; expected {BEGINNING}"),
        ({}, {JSON_LENGTH.lower(): 20 * "0"}, 400, "", f"{JSON_LENGTH} is '{20 * '0'}'; expected {BEGINNING}"),
        ({}, {JSON_LENGTH.lower(): 5000 * "0"}, 400, "", f"{JSON_LENGTH} is '{5000 * '0'}'; expected {BEGINNING}"),
        ([], {}, 422, "$", "the request is not an object; expected an object with inputs"),
        ({"id": 3}, {}, 422, "$.id", "the id is not a text"),
        ({"parameters": []}, {}, 422, "$.parameters", "the parameters are not an object"),
        ({"inputs": []}, {}, 422, "$.inputs", "the request has no inputs; expected a list of tensors"),
        ({"inputs": {"a": 1}}, {}, 422, "$.inputs", "the request has no inputs; expected a list of tensors"),
        ({"inputs": [tensor(), tensor()]}, {}, 422, "$.inputs", "the model takes one input"),
    ],
)
def test_a_wrong_request_is_an_error(document, headers, status, path, text):
    with pytest.raises(Refusal) as caught:
        asked(document, ARRAY, headers=headers)
    assert (caught.value.status, caught.value.problem.path, str(caught.value)) == (status, path, text)


def test_all_of_a_body_may_be_json_and_bytes_after_it_belong_to_inputs():
    text = json.dumps({"inputs": [tensor()]}).encode()
    kind = {"content-type": "application/OCTET-stream; x=1", JSON_LENGTH.lower(): str(len(text))}
    assert inference.asked(text, kind, ARRAY)[1].content.tolist() == [1.5, 2.5]
    with pytest.raises(Refusal, match=r"^1,234 bytes belong to no input$"):
        inference.asked(text + b"x" * 1234, kind, ARRAY)


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        *((f"INT{bits}", [-(2 ** min(bits - 1, 49)), 2 ** min(bits - 1, 49) - 1]) for bits in (8, 16, 32, 64)),
        *((f"UINT{bits}", [0, 2 ** min(bits, 49) - 1]) for bits in (8, 16, 32, 64)),
        *((f"FP{bits}", [0.5, -3.25]) for bits in (16, 32, 64)),
    ],
)
def test_numbers_of_each_type_come_as_json_and_as_bytes(datatype, values):
    bits = int(datatype.lstrip("UINTFP"))
    letter = {"I": "i", "U": "u", "F": "f"}[datatype[0]]
    array = np.array([values], f"<{letter}{bits // 8}")
    plain = asked({"inputs": [tensor("x", datatype, [1, 2], [values])]}, ARRAY)
    binary = asked({"inputs": [in_bytes("x", datatype, [1, 2], 2 * bits // 8)]}, ARRAY, array.tobytes())
    for rows in (plain, binary):
        assert (rows.content.dtype, rows.content.tolist()) == (array.dtype, [values])
        assert rows.path(1, None) == "$.inputs[0].data[1]"
    found = inference.Tensor("x", inference.datatype_of(array), array)
    assert (found.datatype, found.as_bytes()) == (datatype, array.tobytes())
    assert found.as_json() == {"name": "x", "datatype": datatype, "shape": [1, 2], "data": values}


def test_columns_come_in_any_order_and_shape_or_in_one_tensor():
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"red", b"", "gr\u00fcn".encode()))
    width, length = tensor("width", "INT8", [3, 1], [[7], [8], [9]]), tensor(shape=[3], data=[1.5, 2.5, 3.5])
    rows = asked({"inputs": [width, in_bytes("colour", "BYTES", [3], len(texts)), length]}, TABLE, texts)
    assert list(rows.content.items()) == [
        ("length", [1.5, 2.5, 3.5]),
        ("colour", ["red", "", "gr\u00fcn"]),
        ("width", [7, 8, 9]),
    ]
    assert rows.path(2, "colour") == "$.inputs[1].data[2]"
    assert rows.path(2, None) == "$.inputs[0].data[2]"
    whole = asked({"inputs": [tensor("any", "FP64", [2, 3], [[1, 2, 3], [4, 5, 6]])]}, TABLE)
    assert whole.content == {"length": [1, 4], "colour": [2, 5], "width": [3, 6]}
    assert [whole.path(1, name) for name in ("width", None)] == ["$.inputs[0].data[5]", "$.inputs[0].data[3]"]
    one = asked({"inputs": [tensor(shape=[2, 1])]}, SimpleNamespace(columns=(LENGTH,)))
    assert one.content == {"length": [1.5, 2.5]}


FOUND = Predicted(
    Predictions(np.float32([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 0]), ("no", "s\u00ed")), ["a", "b", "a"]
)
CLASS = {"name": "class", "datatype": "BYTES", "shape": [2]}
PROBABILITIES = {"name": "probabilities", "datatype": "FP32", "shape": [2, 2]}
CLASS_IN_BYTES = b"\x03\0\0\0s\xc3\xad\x02\0\0\0no"
NUMBERS_IN_BYTES = struct.pack("<4f", 0.25, 0.75, 0.5, 0.5)


def answered(document, found=FOUND):
    content, headers = inference.answer(SimpleNamespace(model="spam", version="7"), document, found)
    end = int(headers.get(JSON_LENGTH, len(content)))
    kind = "application/octet-stream" if JSON_LENGTH in headers else "application/json"
    assert headers["Content-Type"] == kind
    return json.loads(content[:end]), content[end:]


def test_an_answer_has_all_outputs_as_json():
    plain = {**CLASS, "data": ["s\u00ed", "no"]}, {**PROBABILITIES, "data": [0.25, 0.75, 0.5, 0.5]}
    head = {"model_name": "spam", "model_version": "7"}
    noted = {**head, "id": "", "parameters": {"warnings": "a; b"}, "outputs": [*plain]}
    assert answered({"id": ""}) == (noted, b"")
    assert answered({}, FOUND._replace(warnings=[])) == ({**head, "outputs": [*plain]}, b"")
    assert answered({"parameters": {"binary_data_output": "yes"}})[1] == b""


@pytest.mark.parametrize(
    ("document", "names", "sizes", "binary"),
    [
        ({"parameters": {"binary_data_output": True}}, "cp", [13, 16], CLASS_IN_BYTES + NUMBERS_IN_BYTES),
        ({"outputs": [("probabilities", True), ("class", False)]}, "pc", [16, None], NUMBERS_IN_BYTES),
        (
            {"parameters": {"binary_data_output": True}, "outputs": [("probabilities", False), ("class", None)]},
            *("pc", [None, 13], CLASS_IN_BYTES),
        ),
        ({"outputs": [("class", True)]}, "c", [13], CLASS_IN_BYTES),
    ],
)
def test_outputs_come_as_bytes_where_asked_for(document, names, sizes, binary):
    wanted = [
        {"name": name} if flag is None else {"name": name, "parameters": {"binary_data": flag}}
        for name, flag in document.get("outputs", ())
    ]
    found, rest = answered({**document, "outputs": wanted} if wanted else document)
    assert [each["name"][0] for each in found["outputs"]] == [*names]
    assert [each.get("parameters", {}).get("binary_data_size") for each in found["outputs"]] == sizes
    assert ["data" in each for each in found["outputs"]] == [size is None for size in sizes]
    assert rest == binary


@pytest.mark.parametrize(
    ("outputs", "path", "text"),
    [
        ([{"name": "clas"}], "$.outputs[0].name", "the model has no output 'clas'; did you mean 'class'?"),
        ([{"name": "q"}], "$.outputs[0].name", "the model has no output 'q'; expected one of class, probabilities"),
        (["class"], "$.outputs", "the outputs are wrong; expected a list of objects with a name"),
        ([{"name": 7}], "$.outputs", "the outputs are wrong; expected a list of objects with a name"),
        ([{"name": "class"}, {}], "$.outputs", "the outputs are wrong; expected a list of objects with a name"),
        ({}, "$.outputs", "the outputs are wrong; expected a list of objects with a name"),
        (
            [{"name": "class", "parameters": []}],
            *("$.outputs", "the outputs are wrong; expected a list of objects with a name"),
        ),
        (
            [{"name": "probabilities"}, {"name": "class", "parameters": {"classification": 1}}],
            "$.outputs[1].parameters.classification",
            "the classification extension isn't supported; ask for class",
        ),
    ],
)
def test_an_error_about_outputs_has_their_place(outputs, path, text):
    with pytest.raises(Refusal) as caught:
        answered({"outputs": outputs})
    assert (caught.value.problem.path, str(caught.value)) == (path, text)


def test_labels_values_and_regions_are_outputs_of_their_own():
    values = np.array([[0.75, 0.25, 0.5]])
    labels = inference.outputs_of(Predictions(values, None, None, are_labels=True))
    assert [(each.name, each.datatype, each.values.tolist()) for each in labels] == [
        ("labels", "INT64", [[1, 0, 1]]),
        ("probabilities", "FP64", [[0.75, 0.25, 0.5]]),
    ]
    ends = inference.outputs_of(Predictions(values, None, None, regions={"low": values - 1, "high": values + 1}))
    assert [each.name for each in ends] == ["values", "low", "high"]
    sets = Predictions(values, np.array([0]), None, regions={"set": values > 0.25})
    assert [(each.name, each.datatype) for each in inference.outputs_of(sets)] == [
        ("class", "BYTES"),
        ("probabilities", "FP64"),
        ("set", "BOOL"),
    ]


def test_the_metadata_of_a_model_have_the_shapes_and_types_of_its_inputs_and_outputs(runs):
    registry = Registry.discover()
    found = {}
    for name in ("houses", "weather", "shapes_npz"):
        plain = inference.metadata(Version(name, "2", runs / name, registry), ["1", "2"])
        head = {"name": name, "versions": ["1", "2"], "platform": "mlpkit"}
        assert {key: value for key, value in plain.items() if key not in ("inputs", "outputs")} == head
        found[name] = [
            [(each["name"], each["datatype"], each["shape"]) for each in plain[key]] for key in ("inputs", "outputs")
        ]
    assert found == {
        "houses": [
            [*((column, "FP64", [-1]) for column in ("area", "rooms", "age")), ("district", "BYTES", [-1])],
            [(output, "FP32", [-1, 1]) for output in ("values", "low", "high")],
        ],
        "weather": [
            [(column, "FP64", [-1]) for column in ("pressure", "humidity", "temperature")],
            [("labels", "INT64", [-1, 3]), ("probabilities", "FP32", [-1, 3])],
        ],
        "shapes_npz": [[("input", "FP64", [-1, 64])], [("class", "BYTES", [-1]), ("probabilities", "FP32", [-1, 3])]],
    }

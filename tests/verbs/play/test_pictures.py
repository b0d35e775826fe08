"""What the playground draws, against the same numbers from NumPy."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from mlpkit.registry.registry import Registry
from mlpkit.verbs.play.session import Session
from mlpkit.verbs.play.text import SpecText

RNG = np.random.default_rng(3)
RAW = RNG.normal(size=(30, 2)) * [3, 0.5] + [1, -2]
CLASSES = np.array([2, 0, 1] * 10)
SPEC = """\
mlpkit: 1
dtype: float64
data: {npy: {inputs: x.npy, targets: t.npy, validation: 0, test: 0, DATA}}
layers: [LAYERS]
training: {optimizer: {sgd: {learning_rate: 0.3}}, batch_size: 30, iterations: 9, checkpoint: {every: 100}}
"""
NETWORK = "{Affine: {units: 10}}, Tanh, {Affine: {units: 3}}, SoftmaxWithLoss"
DRAWN = [0, 1, 2, 3, 5, 6, 7, 9]
"""Eight of ten units."""


@pytest.fixture
def play(cwd):
    """Return a function that begins to play with arrays, and returns the session."""

    def begin(layers=NETWORK, x=RAW, t=CLASSES, data="divide_by: 2.0, standardize: true"):
        np.save("x.npy", x)
        np.save("t.npy", t)
        text = SPEC.replace("LAYERS", layers).replace("DATA", data)
        return Session(SpecText(Path("spec.yaml"), text, Registry.discover()))

    return begin


def ask(session, do="state", **keywords):
    """Return the answer to a message, which has no problems."""
    answer = json.loads(json.dumps(session.handle({"do": do, **keywords}), allow_nan=False))
    assert answer["problems"] == []
    return answer["now"]


def numbers(picture):
    return np.frombuffer(base64.b64decode(picture["data"]), np.int8).reshape(picture["shape"]) * picture["scale"] / 127


def assert_drawn(picture, expected):
    expected = np.atleast_2d(expected)
    assert picture["scale"] == pytest.approx(np.abs(expected).max())
    np.testing.assert_allclose(numbers(picture), expected, rtol=0, atol=picture["scale"] / 253)


def affine(session, name):
    parameters = session._training.network.parameters
    return np.array(parameters[f"{name}.W"]), np.array(parameters[f"{name}.b"])


def softmax(z):
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def test_a_network_of_two_inputs_and_three_classes(play):
    session = play()
    ask(session, "train", steps=2, seconds=60)
    now = ask(session, "look", across="x1", up="x0", example=26, unit=["Affine2", 1])
    (w1, b1), (w2, b2) = affine(session, "Affine1"), affine(session, "Affine2")
    mean, std = (RAW / 2).mean(axis=0), (RAW / 2).std(axis=0)

    def activations(raw):
        x = (raw / 2 - mean) / std
        h = np.tanh(x @ w1 + b1)
        return x, x @ w1 + b1, h, h @ w2 + b2

    shown = slice(0, 24)  # the first examples are drawn; of the others, the plane has points
    x, a, h, z = activations(RAW[shown])
    p, one_hot = softmax(z), np.eye(3)[CLASSES[shown]]
    dz = (p - one_hot) / 24
    gradients = {"Affine2": dz, "Tanh1": dz @ w2.T, "Affine1": dz @ w2.T * (1 - h**2)}
    columns = {column["path"]: column for column in now["columns"]}
    assert [(path, each["count"], each["shape"]) for path, each in columns.items()] == [
        *(("", 2, [2]), ("Affine1", 10, [10]), ("Tanh1", 10, [10]), ("Affine2", 3, [3]))
    ]
    assert [[each["unit"] for each in column["units"]] for column in now["columns"]] == [
        [0, 1],
        DRAWN,
        DRAWN,
        [0, 1, 2],
    ]
    for path, values in {"Affine1": a, "Tanh1": h, "Affine2": z}.items():
        assert_drawn(columns[path]["activations"], values)
        assert_drawn(columns[path]["gradients"], gradients[path])
    for path, weights in {"Affine1": w1.T[DRAWN], "Affine2": w2.T[:, DRAWN]}.items():
        lines, whole = columns[path]["lines"], (w1 if path == "Affine1" else w2)
        np.testing.assert_allclose(numbers(lines), weights / np.abs(whole).max(), atol=0.005)
        assert lines["parameter"] == f"{path}.W"
    assert columns["Tanh1"]["lines"] is None
    assert now["unit"] == {
        "path": "Affine2",
        "unit": 1,
        "weights": [
            *({"parameter": "Affine2.W", "index": [k, 1], "label": f"W[{k}, 1]", "value": w2[k, 1]} for k in range(10)),
            {"parameter": "Affine2.b", "index": [1], "label": "b[1]", "value": b2[1]},
        ],
        "image": [],
    }

    assert now["example"] == 2  # the page counts on
    names = [str(each) for each in p.argmax(axis=1)]
    assert [each["predicted"] for each in now["examples"]] == names
    assert [each["target"] for each in now["examples"]] == [str(each) for each in CLASSES[shown]]
    assert [each["share"] for each in now["examples"]] == pytest.approx(p.max(axis=1).round(3).tolist())
    for each, row in zip(now["examples"], x, strict=True):
        assert_drawn(each["picture"], row)

    plane, ends = now["plane"], []
    for column in (1, 0):
        low, high = RAW[:, column].min(), RAW[:, column].max()
        ends += [low - 0.06 * (high - low), high + 0.06 * (high - low)]
    assert (plane["across"], plane["up"], plane["corners"]) == (["x1"], ["x0"], [])
    assert plane["ends"] == pytest.approx(ends)
    np.testing.assert_allclose(plane["points"], np.column_stack([RAW[:, 1], RAW[:, 0], CLASSES]))
    across, up = np.meshgrid(np.linspace(*ends[:2], 40), np.linspace(*reversed(ends[2:]), 40))
    on_plane = activations(np.stack([up, across], axis=-1))
    p = softmax(on_plane[-1])
    assert plane["classes"] == p.argmax(axis=-1).tolist()
    np.testing.assert_allclose(plane["shares"], p.max(axis=-1), atol=0.0051)
    for column, values in zip(now["columns"], on_plane, strict=True):
        for unit in column["units"]:
            assert_drawn(unit["picture"], values[::2, ::2, unit["unit"]])


def test_columns_that_are_not_on_the_axes_have_their_median(play):
    raw = np.column_stack([RAW, RNG.exponential(size=30) * 9 + 4])
    session = play(x=raw)
    now = ask(session, "look", across="x2", up="x0")
    w, b = affine(session, "Affine1")
    left, right, bottom, top = now["plane"]["ends"]
    across, up = np.meshgrid(np.linspace(left, right, 40), np.linspace(top, bottom, 40))
    rows = np.stack([up, np.full_like(up, np.median(raw[:, 1])), across], axis=-1)
    expected = ((rows - raw.mean(axis=0)) / raw.std(axis=0)) @ w + b
    for unit in now["columns"][1]["units"]:
        assert_drawn(unit["picture"], expected[::2, ::2, unit["unit"]])


def test_values_are_drawn_between_the_farthest_targets_on_both_sides_of_their_mean(play):
    targets = RAW[:, 0] * 2 + RAW[:, 1] ** 3
    session = play("{Affine: {units: 1}}, MeanSquaredError", t=targets, data="split: in_order, predict: values")
    now = ask(session, "train", steps=3, seconds=60)
    w, b = affine(session, "Affine1")
    ends = now["plane"]["ends"]
    grid = np.stack(np.meshgrid(np.linspace(*ends[:2], 40), np.linspace(*reversed(ends[2:]), 40)), axis=-1)
    middle, deviation = targets.mean(), targets.std()  # the network scales its targets
    predicted = deviation * (grid @ w[:, 0] + b[0]) / np.abs(targets - middle).max()
    assert predicted.max() > 1
    np.testing.assert_allclose(now["plane"]["values"], np.clip(predicted, -1, 1), atol=0.0051)
    assert now["plane"]["values"] == np.round(now["plane"]["values"], 2).tolist()  # a page is sent no more digits
    assert [(each["target"], each["predicted"], each["share"]) for each in now["examples"]] == [
        (f"{target:.4g}", f"{deviation * (row @ w[:, 0] + b[0]) + middle:.4g}", None)
        for row, target in zip(RAW[:24], targets[:24], strict=True)
    ]


def test_if_all_targets_are_equal_values_are_drawn_at_their_distance_from_them(play):
    data = "divide_by: 20.0, split: in_order, predict: values"
    session = play("{Affine: {units: 1}}, MeanSquaredError", t=np.full(30, 0.25), data=data)
    plane = ask(session)["plane"]
    w, b = affine(session, "Affine1")
    left, right, bottom, top = plane["ends"]
    corners = np.array([[left, top], [right, top], [left, bottom]]) / 20
    values = np.array(plane["values"])[[0, 0, -1], [0, -1, 0]]
    np.testing.assert_allclose(values, np.clip(corners @ w[:, 0] + b[0], -1, 1), atol=0.0051)  # scaled targets
    assert (np.abs(values) < 1).any()


def test_two_classes_of_one_logit_are_drawn_as_classes(play):
    session = play("{Affine: {units: 1}}, SigmoidWithLoss", t=(CLASSES > 0).astype(int))
    now = ask(session, "train", steps=3, seconds=60)
    (w, b), x = affine(session, "Affine1"), (RAW - RAW.mean(axis=0)) / RAW.std(axis=0)
    p = 1 / (1 + np.exp(-(x[:24] @ w[:, 0] + b[0])))
    assert [each["predicted"] for each in now["examples"]] == [str(int(each > 0.5)) for each in p]
    assert [each["share"] for each in now["examples"]] == pytest.approx(np.maximum(p, 1 - p).round(3).tolist())
    assert {share >= 0.5 for row in now["plane"]["shares"] for share in row} == {True}


@pytest.mark.parametrize(("count", "has_axes"), [(1, True), (300, True), (301, False)])
def test_rows_of_many_numbers_have_no_axes(play, count, has_axes):
    session = play("{Affine: {units: 70}}, {Affine: {units: auto}}, SoftmaxWithLoss", RNG.normal(size=(30, count)))
    now = ask(session)
    plane = now["plane"]
    assert (plane["across"], plane["up"]) == ((["x0"], [f"x{min(1, count - 1)}"]) if has_axes else ([], []))
    assert len(plane["corners"]) == (0 if has_axes else 3)
    assert now["columns"][1]["activations"]["shape"] == [24, 64]
    assert len(now["columns"][0]["units"]) == min(count, 8)


def test_a_unit_of_very_many_weights_has_the_first_of_them(play):
    session = play("{Affine: {units: auto}}, SoftmaxWithLoss", RNG.normal(size=(30, 1030)))
    weights = ask(session, "look", unit=["Affine1", 2])["unit"]["weights"]
    assert [each["index"] for each in weights] == [[place, 2] for place in range(1024)]
    for unit in (["Affine1", 3], ["Affine1", -1], ["Affine7", 0]):
        assert ask(session, "look", unit=unit)["unit"]["weights"] == []


IMAGES = RNG.integers(0, 256, (30, 2, 34, 5)).astype(np.uint8)
PIXELS = np.unique(np.linspace(0, 33, 32).astype(int))
"""Rows of an image that are drawn."""


def test_a_plane_through_two_classes_has_a_third_example_of_any(play):
    session = play("{Affine: {units: 2}}, SoftmaxWithLoss", IMAGES[:, 0], (CLASSES > 0).astype(int), "flatten: true")
    corners = ask(session)["plane"]["corners"]
    for shown, place in zip(corners, (1, 0, 2), strict=True):
        assert_drawn(shown, IMAGES[place, 0].astype(float))


@pytest.mark.parametrize("flat", [False, True])
def test_images_are_drawn_with_the_plane_through_three_of_them(play, flat):
    images = IMAGES[:, 0] if flat else IMAGES
    first = "" if flat else "{Conv2d: {filters: 9, size: 3}}, Flatten, "
    data = f"divide_by: 255.0, flatten: {str(flat).lower()}"
    session = play(f"{first}{{Affine: {{units: 3}}}}, SoftmaxWithLoss", images, data=data)
    network, x = session._training.network, (images / 255).reshape(30, *((170,) if flat else (2, 34, 5)))
    now = ask(session, "look", example=4, unit=["Affine1", 1])
    plane, columns = now["plane"], now["columns"]
    grey = images / 255 if flat else images.mean(axis=1) / 255
    corners = [1, 2, 0]  # the first of each class
    assert plane["ends"] == [-0.25, 1.25, -0.25, 1.25]
    assert plane["points"] == [[0, 0, 0], [1, 0, 1], [0, 1, 2]]
    for shown, corner in zip(plane["corners"], corners, strict=True):
        assert_drawn(shown, grey[corner])
    across, up = np.meshgrid(np.linspace(-0.25, 1.25, 40), np.linspace(1.25, -0.25, 40))
    origin, right, top = x[corners]
    mixed = origin + np.multiply.outer(across, right - origin) + np.multiply.outer(up, top - origin)
    p = network.predict(mixed.reshape(-1, *x.shape[1:])).reshape(40, 40, 3)
    assert plane["classes"] == p.argmax(axis=-1).tolist()
    assert (columns[0]["count"], len(columns[0]["units"]), columns[1]["lines"]) == (1, 1, None)
    assert_drawn(columns[0]["units"][0]["picture"], grey[4][PIXELS])
    assert now["unit"]["image"] == [34, 5]
    if flat:
        for unit, column in zip(columns[1]["units"], affine(session, "Affine1")[0].T, strict=True):
            assert_drawn(unit["picture"], column.reshape(34, 5)[PIXELS])
    else:
        convolved = network.activations(x)["Conv2d1"]
        assert (columns[1]["count"], columns[1]["shape"]) == (9, [9, 32, 3])
        assert_drawn(columns[1]["activations"], convolved[:24].mean(axis=(2, 3)))
        assert [unit["unit"] for unit in columns[1]["units"]] == [0, 1, 2, 3, 4, 5, 6, 8]
        for unit in columns[1]["units"]:
            assert_drawn(unit["picture"], convolved[4, unit["unit"]])
        assert columns[3]["units"][0]["picture"]["shape"] == [1, 1]
        label = now["unit"]["weights"][0]["label"]
        assert label == "W[0, 1]"

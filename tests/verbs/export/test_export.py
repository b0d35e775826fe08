"""Exporting a run's model: every kind of data set, proved on test rows; and all that can stand in the way."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from built_in_exporters import EXPORTERS
from requirements import Optional, require_components_of, require_package

import mlpkit
from mlpkit import Exporter, NotExportableError, StorageError, UsageError
from mlpkit.errors import ComponentFailure, ExportError
from mlpkit.layers import SoftmaxWithLoss
from mlpkit.verbs.export.export import export
from mlpkit_plugins.datasets.image_folder import ImageFolder
from mlpkit_plugins.datasets.mnist import Mnist
from mlpkit_plugins.layers.relu import Relu

onnxruntime = require_package("onnxruntime")
pd = Optional("pandas")

SHAPES = [{"Affine": {"units": "auto"}}, "SoftmaxWithLoss"]

KINDS = {
    "csv": (
        {"file": "example:flowers.csv", "target": "species", "categorical": ["soil"], "missing": "fill"},
        SHAPES,
        ["label", "probabilities"],
    ),
    "csv of labels": (
        {"file": "example:weather.csv", "target": ["rain", "wind", "fog"], "predict": "labels", "ignore": ["day"]},
        [{"Affine": {"units": 3}}, "SigmoidWithLoss"],
        ["label", "probabilities"],
    ),
    "csv of values": (
        {"file": "example:houses.csv", "target": "price", "predict": "values", "categorical": ["district"]},
        [{"Affine": {"units": 1}}, "MeanSquaredError"],
        ["value"],
    ),
    "csv of values and logarithms": (
        {"file": "example:houses.csv", "target": "price", "predict": "values", "scale_target": "log",
         "categorical": ["district"]},
        [{"Affine": {"units": 1}}, "Huber"],
        ["value"],
    ),
    "parquet": (
        {"file": "example:machines.parquet", "target": "fails", "categorical": ["site"], "missing": "indicate",
         "dates": ["measured_at"]},
        [{"Affine": {"units": 1}}, "SigmoidWithLoss"],
        ["label", "probabilities"],
    ),
    "idx": (
        {"images": "example:shapes-images-idx3-ubyte", "labels": "example:shapes-labels-idx1-ubyte"},
        SHAPES,
        ["label", "probabilities"],
    ),
    "npy": ({"inputs": "example:shapes_x.npy", "targets": "example:shapes_t.npy", "flatten": True, "divide_by": 255.0},
            SHAPES, ["label", "probabilities"]),
    "npz": ({"file": "example:shapes.npz", "flatten": True, "standardize": True}, SHAPES, ["label", "probabilities"]),
    "image_folder": ({"folder": "example:shapes"}, SHAPES, ["label", "probabilities"]),
}  # fmt: skip


QUICK = {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 2}


def trained(folder, name, data, layers, **others):
    spec = {
        "mlpkit": 1,
        "name": "model",
        "data": {name: data},
        "layers": layers,
        "training": QUICK,
    }
    mlpkit.run(mlpkit.load_spec({**spec, **others}), directory=folder)
    return folder


def predicted(file, feeds):
    """Return what onnxruntime computes."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_set(tmp_path, kind, dtype):
    require_components_of(kind)
    data, layers, outputs = KINDS[kind]
    run = trained(tmp_path / "run", kind.partition(" ")[0], data, layers, dtype=dtype)

    found = export(run, tmp_path / "model.onnx")

    assert found.outputs == tuple(outputs)
    assert (found.split, found.warning) == ("the test split", "")
    assert found.rows >= 10


@pytest.mark.parametrize(("numbers", "ending"), [("quantile", "c"), ("robust_smooth_clip", "c"), ("min_max", "onnx")])
def test_encoded_arrays_leave_with_all_digits_that_predict_reads(tmp_path, numbers, ending):
    rng = np.random.default_rng(0)
    seconds = 1.7e9 + rng.uniform(0, 300, 200)  # float32 has steps of 128 there
    np.savez(tmp_path / "times.npz", x=np.stack([seconds, rng.normal(size=200)], axis=1), t=(seconds > 1.7e9 + 150) + 0)
    data = {"file": str(tmp_path / "times.npz"), "test": 0.25, "numbers": numbers}
    layers = [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    run = trained(tmp_path / "run", "npz", data, layers)

    found = export(run, tmp_path / f"model.{ending}")

    assert (found.rows, found.warning) == (50, "")
    assert found.exact == 50 or ending != "c"


def test_a_digit_gives_the_class_that_predict_gives(train, work):
    train("run")
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)

    export(work / "run", work / "digits.onnx")

    found, model = predicted("digits.onnx", {"image": images}), mlpkit.load("run")
    np.testing.assert_array_equal(found["label"], model.predict(images))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(images), atol=1e-5)


def test_a_network_alone_takes_encoded_inputs(train, work):
    run = train("run")
    x = np.random.default_rng(0).random((5, 784), np.float32)

    found = export(work / "run", work / "digits.onnx", network_only=True)

    assert (found.outputs, found.rows) == (("logits", "prediction"), 60)
    np.testing.assert_allclose(predicted("digits.onnx", {"x": x})["prediction"], run.network.predict(x), atol=1e-5)


def test_large_inputs_are_proved_on_fewer_rows(train, work, monkeypatch):
    train("run")
    monkeypatch.setattr("mlpkit.jobs.spec_data.MOST_NUMBERS", 7 * 784)

    assert export(work / "run", work / "digits.onnx").rows == 7


def test_the_network_of_a_weighted_table_leaves_alone(tmp_path):
    data = {"file": "example:weather.csv", "target": ["rain", "wind", "fog"], "predict": "labels", "weight": "day"}
    run = trained(tmp_path / "run", "csv", data, [{"Affine": {"units": 3}}, "SigmoidWithLoss"])

    assert export(run, tmp_path / "model.onnx", network_only=True).rows > 20


def test_the_same_run_gives_the_same_bytes(train, work):
    train("run")

    for name in ("a.onnx", "b.onnx"):
        export(work / "run", work / name)

    assert (work / "a.onnx").read_bytes() == (work / "b.onnx").read_bytes()


def test_arrays_given_in_python_are_gone_so_made_up_rows_prove(tmp_path):
    frame = pd.DataFrame({"a": np.arange(40.0), "b": ["u", "v"] * 20})
    mlpkit.fit(frame, ["p", "q"] * 20, layers=SHAPES, epochs=1, directory=tmp_path / "run", quiet=True)

    found = export(tmp_path / "run", tmp_path / "model.onnx")

    assert (found.rows, found.outputs) == (0, ("label", "probabilities"))
    assert found.warning.startswith("proved on made-up rows only, since the run's data can't be read: frame: the ")
    rows = {"a": np.array([3.0, 4.0]), "b": np.array(["u", "v"], object)}
    model = mlpkit.load(tmp_path / "run")
    assert predicted(tmp_path / "model.onnx", rows)["label"].tolist() == model.predict(pd.DataFrame(rows)).tolist()


def test_without_the_data_a_model_still_leaves(train, work):
    train("run")
    (work / "digits").rename(work / "elsewhere")

    found = export(work / "run", work / "model.onnx")

    assert found.rows == 0
    assert "the run's data can't be read" in found.warning
    assert (work / "model.onnx").exists()


def test_without_an_engine_the_file_is_written_with_a_warning(train, work, monkeypatch):
    train("run")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    found = export(work / "run", work / "model.onnx")

    assert found.rows == 0
    assert found.warning == (
        'not proved to compute what the model does: onnxruntime is missing; install it with: pip install "mlpkit[onnx]"'
    )
    assert (work / "model.onnx").exists()


def test_without_the_package_onnx_nothing_is_written(train, work, monkeypatch):
    train("run")
    monkeypatch.setitem(sys.modules, "onnx", None)

    with pytest.raises(UsageError, match=r'needs the package onnx; install it with: pip install "mlpkit\[onnx\]"$'):
        export(work / "run", work / "model.onnx")

    assert not (work / "model.onnx").exists()


class Careless(Exporter):
    """Writes a file, and computes what a test sets."""

    found = None

    def write(self, model, file):
        if self.found is not Ellipsis:
            file.write_text("written")

    def compute(self, file, model, feeds, names):
        return self.found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (..., "exporter Careless wrote no file; expected one at the given path"),
        (None, "exporter Careless returned None from compute; expected a mapping from names to arrays"),
        ({}, "exporter Careless returned None from compute for label; expected a NumPy array"),
        ({"label": [1]}, "exporter Careless returned something of type list from compute for label; expected a NumPy"),
    ],
)
def test_what_compute_returns_must_be_arrays(train, work, found, message):
    train("run")
    careless = Careless()
    careless.found = found
    with pytest.raises(ComponentFailure) as caught:
        export(work / "run", work / "model.txt", exporter=careless)
    assert str(caught.value).startswith(message)
    assert not (work / "model.txt").exists()


def test_outputs_must_have_the_shape_of_the_prediction(train, work):
    train("run")
    careless = Careless()
    careless.found = {"label": np.zeros(1), "probabilities": np.zeros(1)}
    with pytest.raises(ExportError, match=r"was not kept: \w+ has the shape \(1,\); expected \("):
        export(work / "run", work / "model.txt", exporter=careless)


@pytest.mark.parametrize("name", ["model", "model.xyz"])
def test_the_ending_says_the_format(train, work, name):
    train("run")

    with pytest.raises(UsageError) as caught:
        export(work / "run", work.joinpath(name).relative_to(work))

    said, endings = str(caught.value).partition("; to write .xyz")[0].split(" a name that ends in ")
    assert said == f"the format of '{name}' is unknown; expected"
    assert set(endings.removesuffix(", such as model.onnx").split(", ")) == {*EXPORTERS}


def test_a_folder_that_is_not_there(train, work):
    train("run")

    with pytest.raises(StorageError, match=r"model\.onnx: can't be written: .*; check that its folder still exists"):
        export(work / "run", work / "nowhere" / "model.onnx")


def test_a_layer_that_describes_itself_wrongly_is_named(train, work, monkeypatch):
    train("run")
    monkeypatch.setattr(Relu, "onnx", lambda self, graph: graph.op("Abs", graph.input))

    with pytest.raises(
        ExportError, match=r"row \d+ of the test split, counted from 0, differs from Relu1 on: the file"
    ):
        export(work / "run", work / "model.onnx")

    assert not (work / "model.onnx").exists()


def test_a_loss_that_describes_itself_wrongly_is_named(train, work, monkeypatch):
    train("run")
    monkeypatch.setattr(SoftmaxWithLoss, "onnx", lambda self, graph: graph.op("Sigmoid", graph.input))

    with pytest.raises(
        ExportError, match=r"row 0 of the test split, counted from 0, differs from SoftmaxWithLoss1 on: "
    ):
        export(work / "run", work / "model.onnx", network_only=True)


def test_a_data_set_that_describes_itself_wrongly_is_named(train, work, monkeypatch):
    train("run")
    as_it_is = Mnist.onnx
    monkeypatch.setattr(Mnist, "onnx", lambda self, graph: graph.op("Mul", as_it_is(self, graph), 1.01))

    with pytest.raises(ExportError, match=r"differs from mnist on: the file gives"):
        export(work / "run", work / "model.onnx")


def test_a_data_set_of_one_wrong_operator_is_named(tmp_path, monkeypatch):
    run = trained(tmp_path / "run", "image_folder", KINDS["image_folder"][0] | {"flatten": False}, ["Flatten", *SHAPES])
    monkeypatch.setattr(
        ImageFolder, "onnx", lambda self, graph: graph.cast(graph.feed("image", "uint8", self.image_shape), graph.dtype)
    )

    with pytest.raises(ExportError, match=r"not kept: row 0 of the test split, .* differs from image_folder on: the"):
        export(run, tmp_path / "model.onnx")


def rounded(model):
    """Round a model's matrices to eight bits, unit by unit, and return it."""
    for name, W in model.network.parameters.items():
        if name.endswith(".W"):
            scale = np.abs(W).max(axis=0) / 127
            W[...] = np.rint(W / scale) * scale
    return model


def test_what_rounding_changes_is_said(tmp_path):
    run = trained(tmp_path / "run", "idx", *KINDS["idx"][:2], training={**QUICK, "metrics": ["accuracy"]})

    found = mlpkit.export(str(run), str(tmp_path / "model.c"), quantize="int8").rounding

    x, t = mlpkit.load_data(mlpkit.load_spec(run / "resolved.yaml"), "test")
    before, after = (model.network.predict(x) for model in (mlpkit.load(run), rounded(mlpkit.load(run))))
    assert (found.weights, found.rows) == (("Affine1.W",), len(x))
    assert found.relabelled == np.sum(before.argmax(axis=1) != after.argmax(axis=1))
    for said, prediction in ((found.before, before), (found.after, after)):
        assert said["accuracy"] == np.mean(prediction.argmax(axis=1) == t)
        assert said["loss"] == pytest.approx(-np.log(prediction[np.arange(len(t)), t]).mean(), rel=1e-3)


def test_rows_with_another_label_are_counted(tmp_path, monkeypatch):
    data, layers, _ = KINDS["csv of labels"]
    run = trained(tmp_path / "run", "csv", data, layers)
    monkeypatch.setattr("mlpkit.graph.quantization.LARGEST", 1)

    found = export(run, tmp_path / "model.c", quantize="int8").rounding

    model = mlpkit.load(run)
    x, _ = mlpkit.load_data(mlpkit.load_spec(run / "resolved.yaml"), "test")
    before = model.network.predict(x) >= 0.5
    for name, W in model.network.parameters.items():
        if name.endswith(".W"):
            scale = np.abs(W).max(axis=0)
            W[...] = np.rint(W / scale) * scale
    changed = (before != (model.network.predict(x) >= 0.5)).any(axis=1)
    assert 0 < found.relabelled == changed.sum()


def test_values_have_no_labels_that_change(tmp_path):
    data, layers, _ = KINDS["csv of values"]
    run = trained(tmp_path / "run", "csv", data, layers)

    found = export(run, tmp_path / "model.c", quantize="int8").rounding

    assert found.relabelled is None
    assert found.before["loss"] != found.after["loss"]


def test_without_the_data_it_is_not_known_what_rounding_changes(train, work):
    train("run")
    (work / "digits").rename(work / "elsewhere")

    found = export(work / "run", work / "model.c", quantize="int8")

    assert (found.rounding.before, found.rounding.after) == ({}, {})
    assert (found.rounding.rows, found.rounding.relabelled) == (0, None)
    assert "the run's data can't be read" in found.warning


@pytest.mark.parametrize("name", ["model.onnx", "model.js", "model.html"])
def test_other_formats_refuse_rounded_weights(train, work, name):
    train("run")

    with pytest.raises(UsageError) as caught:
        export(work / "run", name, quantize="int8")

    expected = "expected a name that ends in .c, such as model.c; or leave out quantize"
    assert str(caught.value) == f"'{name}' can't hold rounded weights; {expected}"
    assert not (work / name).exists()


def test_weights_are_rounded_to_nothing_else(train, work):
    train("run")

    with pytest.raises(UsageError, match=r"^weights can't be rounded to 'int4'; expected int8$"):
        export(work / "run", work / "model.c", quantize="int4")


PLUGIN = """\
import numpy as np
from mlpkit import Classes, Dataset, Description, component, hookimpl

class Points(Dataset):
    def describe(self):
        return Description((2,), Classes(2), {"train": 40, "test": 20})

    def open(self, seed):
        return {"train": Part(40), "test": Part(20)}

class Part:
    def __init__(self, rows):
        self.x = np.random.default_rng(rows).normal(size=(rows, 2))

    def __len__(self):
        return len(self.x)

    def take(self, indices, out):
        out[0][...] = self.x[indices]
        out[1][...] = self.x[indices].sum(axis=1) > 0

class Doubled(Points):
    def encode(self, raw):
        return 2 * raw

class Described(Doubled):
    def onnx(self, graph):
        return graph.op("Mul", graph.feed("points", "float32", (2,)), 2.0)

class Forgetful(Described):
    def onnx(self, graph):
        graph.feed("points", "float32", (2,))

@hookimpl
def mlpkit_components():
    kinds = {"points": Points, "doubled": Doubled, "described": Described, "forgetful": Forgetful}
    return [component("dataset", name, kind) for name, kind in kinds.items()]
"""


@pytest.fixture
def guest(tmp_path):
    """Return a function that trains on a plugin's data set and exports."""
    (tmp_path / "acme.py").write_text(PLUGIN)

    def exported(name, **options):
        spec = {
            "mlpkit": 1,
            "data": f"acme.{name}",
            "layers": SHAPES,
            "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "epochs": 1},
        }
        loaded = mlpkit.load_spec(spec, plugins=[tmp_path / "acme.py"])
        mlpkit.run(loaded, directory=tmp_path / name)
        return export(tmp_path / name, tmp_path / f"{name}.onnx", plugins=[tmp_path / "acme.py"], **options)

    return exported


def test_a_data_set_without_an_encoder_takes_inputs_as_they_are(guest):
    found = guest("points")

    assert (found.rows, found.warning) == (20, "")
    assert {"label", "probabilities"} == predicted(found.file, {"x": np.ones((3, 2), np.float32)}).keys()


def test_a_data_set_with_an_encoder_must_describe_it(guest):
    with pytest.raises(
        NotExportableError,
        match=r"^dataset acme\.doubled can't be exported: it has a method encode, but no method onnx; "
        "export the network alone with --network-only$",
    ):
        guest("doubled")


def test_the_network_of_a_data_set_that_does_not_describe_itself_leaves_alone(guest):
    assert guest("doubled", network_only=True).rows == 20


def test_a_data_set_without_raw_rows_has_its_network_proved_on_encoded_ones(guest):
    found = guest("described")

    assert found.rows == 20
    assert found.warning == (
        "the network is proved on encoded rows, and the encoder on made-up rows only: acme.described keeps no raw rows"
    )


def test_a_data_set_that_returns_nothing_from_onnx_is_named(guest):
    with pytest.raises(
        mlpkit.ComponentFailure, match=r"^dataset acme\.forgetful returned NoneType from onnx; expected"
    ):
        guest("forgetful")

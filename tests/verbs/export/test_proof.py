"""A file that computes anything else than the model is refused, and what was there before stays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from requirements import require_package

from mlpkit import Classes, Labels
from mlpkit.errors import ExportError
from mlpkit.graph.probes import UNKNOWN
from mlpkit.verbs.export.export import export
from mlpkit.verbs.export.proof import _agrees, _are_ties, _differing, _largest, _made_up, _same_bits, _shown, outputs_of
from mlpkit_plugins.exporters.onnx_file import OnnxFile

require_package("onnxruntime")


def node(proto, operator, *, index=0):
    """Return a node by its operator."""
    return [each for each in proto.graph.node if each.op_type == operator][index]


def attribute(of, name):
    """Return an attribute of a node."""
    return next(each for each in of.attribute if each.name == name)


def encoder_of(proto, text):
    """Return the node that gives texts numbers, or numbers texts, this text among them."""
    nodes = [each for each in proto.graph.node if each.op_type == "LabelEncoder"]
    return next(each for each in nodes if any(text.encode() in found.strings for found in each.attribute))


def in_constant(name, change):
    """Return a mutation of a constant: of a parameter by its path, or of the n-th that is an input of an operator."""

    def mutate(proto):
        wanted = name if isinstance(name, str) else node(proto, name[0], index=name[2]).input[name[1]]
        (tensor,) = (each for each in proto.graph.initializer if each.name == wanted)
        changed = np.array(change(onnx.numpy_helper.to_array(tensor).copy()))
        tensor.CopyFrom(onnx.numpy_helper.from_array(changed, wanted))

    return mutate


def at(place, add):
    """Return a change of one element."""

    def change(array):
        array[place] += array.dtype.type(add)
        return array

    return change


def other_operator(operator, other, *, index=0, domain=None):
    """Return a mutation that exchanges an operator, and drops its attributes."""

    def mutate(proto):
        found = node(proto, operator, index=index)
        found.op_type = other
        del found.attribute[:]

    return mutate


def other_text(text, other):
    """Return a mutation that renames a category, or a class."""

    def mutate(proto):
        for found in encoder_of(proto, text).attribute:
            found.strings[:] = [other.encode() if each == text.encode() else each for each in found.strings]

    return mutate


def swapped(text, other):
    """Return a mutation that exchanges two categories, or two classes."""

    def mutate(proto):
        renamed = {text.encode(): other.encode(), other.encode(): text.encode()}
        for found in encoder_of(proto, text).attribute:
            found.strings[:] = [renamed.get(each, each) for each in found.strings]

    return mutate


def in_attribute(operator, name, value, *, index=0):
    """Return a mutation of an attribute of an operator, which it may lack."""

    def mutate(proto):
        found = node(proto, operator, index=index)
        kept = [each for each in found.attribute if each.name != name]
        del found.attribute[:]
        found.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])

    return mutate


def swapped_inputs(operator, left, right, *, index=0):
    """Return a mutation that exchanges two inputs of an operator."""

    def mutate(proto):
        inputs = node(proto, operator, index=index).input
        inputs[left], inputs[right] = inputs[right], inputs[left]

    return mutate


def unknown_as(text, code):
    """Return a mutation of the number that unknown texts have."""

    def mutate(proto):
        attribute(encoder_of(proto, text), "default_int64").i = code

    return mutate


def missing_as(text, code):
    """Return a mutation of the number that a missing text has."""

    def mutate(proto):
        found = encoder_of(proto, text)
        position = list(attribute(found, "keys_strings").strings).index(b"")
        attribute(found, "values_int64s").ints[position] = code

    return mutate


def swapped_feeds(proto):
    """Give two columns of numbers each other's names."""
    renamed = {"age": "price", "price": "age"}
    for each in proto.graph.node:
        each.input[:] = [renamed.get(name, name) for name in each.input]


def without(operator):
    """Return a mutation that leaves an operator out."""

    def mutate(proto):
        found = node(proto, operator)
        for each in proto.graph.node:
            each.input[:] = [found.input[0] if name == found.output[0] else name for name in each.input]

    return mutate


def rounded(array):
    return array.astype(np.float16).astype(array.dtype)


MUTATIONS = {
    "a weight, a little": in_constant("Affine1.W", at((0, 0), 0.01)),
    "the last weight": in_constant("Affine2.W", at((-1, -1), 0.01)),
    "a weight behind an indicator": in_constant("Affine1.W", at((-1, 3), 0.01)),
    "the sign of a weight": in_constant("Affine2.W", lambda w: w * np.where(np.arange(3) == 1, -1, 1).astype(w.dtype)),
    "a weight that is gone": in_constant("Affine1.W", lambda w: w * (w != w[2, 2])),
    "two rows of weights": in_constant("Affine1.W", lambda w: w[[1, 0, *range(2, len(w))]]),
    "two columns of weights": in_constant("Affine2.W", lambda w: w[:, [1, 0, 2]]),
    "weights in half precision": in_constant("Affine1.W", rounded),
    "a bias": in_constant("Affine1.b", at(0, 0.01)),
    "the bias of a class": in_constant("Affine2.b", at(2, 0.01)),
    "no bias": in_constant("Affine2.b", np.zeros_like),
    "another nonlinearity": other_operator("Relu", "Sigmoid"),
    "a leaky nonlinearity": other_operator("Relu", "LeakyRelu"),
    "no nonlinearity": without("Relu"),
    "a product with a factor": in_attribute("Gemm", "alpha", 1.001),
    "a product without a bias": in_attribute("Gemm", "beta", 0.0, index=1),
    "probabilities along the batch": in_attribute("Softmax", "axis", 0),
    "logarithms of probabilities": other_operator("Softmax", "LogSoftmax"),
    "no probabilities": without("Softmax"),
    "the least probable class": lambda proto: setattr(node(proto, "ArgMax"), "op_type", "ArgMin"),
    "a mean": in_constant(("Sub", 1, -1), at(0, 0.1)),
    "a standard deviation": in_constant(("Div", 1, -1), at(1, 0.1)),
    "what fills a gap": in_constant(("Where", 1, -1), at(0, 1)),
    "scaling the other way round": lambda proto: (
        setattr(node(proto, "Sub", index=-1), "op_type", "Div"),
        setattr(node(proto, "Div", index=-1), "op_type", "Sub"),
    ),
    "numbers in gaps alone": swapped_inputs("Where", 1, 2, index=-1),
    "gaps that aren't seen": other_operator("IsNaN", "IsInf", index=-1),
    "a category's name": other_text("town 1", "town one"),
    "a rare category": unknown_as("other", -1),
    "the last category's name": other_text("grocer", "Grocer"),
    "two categories": swapped("town 0", "town 1"),
    "two ordered categories": swapped("small", "large"),
    "a number that means a gap": in_constant(("Equal", 1, 0), at((), 1)),
    "an unknown category": unknown_as("town 1", 0),
    "an unknown category instead of zeros": unknown_as("baker", 0),
    "a missing category": missing_as("town 1", 0),
    "a missing ordered category": missing_as("small", 2),
    "the length of a day": in_constant(("Div", 1, 0), lambda seconds: seconds - 1),
    "the months of a year": in_constant(("Mul", 0, -2), at((), 1)),
    "the next day": other_operator("Floor", "Ceil"),
    "the order of columns": swapped_inputs("Concat", 0, 1),
    "one column twice": lambda proto: node(proto, "Concat").input.__setitem__(0, node(proto, "Concat").input[1]),
    "the names of two columns": swapped_feeds,
    "a class's name": other_text("north", "North"),
    "the name of a class that is never predicted": other_text("never predicted", "always predicted"),
    "two classes": swapped("north", "south"),
    "an operator that no engine has": other_operator("Relu", "Rilu"),
    "an input of another type": lambda proto: setattr(proto.graph.input[0].type.tensor_type, "elem_type", 1),
}


def mutated(name):
    """Return what does one of the mutations to a file."""

    def spoil(file):
        proto = onnx.load(file)
        MUTATIONS[name](proto)
        file.write_bytes(proto.SerializeToString(deterministic=True))

    return spoil


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_export_is_refused(expect_refusal, name):
    expect_refusal(".onnx", mutated(name))


def test_the_error_names_row_and_layer(expect_refusal):
    expect_refusal(
        ".onnx",
        mutated("the bias of a class"),
        r"^towns\.onnx doesn't compute what the model does, and was not kept: row \d+ of the test split, "
        r"counted from 0, differs from Affine2 on: the file gives \[.*\] for probabilities, and the model \[.*\]$",
    )


def opaque(change):
    """Return an exporter whose files show nothing of what happens inside; what they compute is changed."""

    class Opaque(OnnxFile):
        shows_values = False

        def compute(self, file, model, feeds, names):
            assert set(feeds) == set(model.graph.feeds)
            assert set(names) <= set(model.graph.outputs)
            return change(feeds, super().compute(file, model, feeds, names))

    return Opaque()


def of_unknown_towns(feeds, found):
    """Return another probability where the town is one that no training row has."""
    towns = feeds["town"] == UNKNOWN
    return {**found, "probabilities": np.where(towns[:, None], 0.5, found["probabilities"]).astype(np.float32)}


def one_more(feeds, found):
    return {**found, "probabilities": found["probabilities"] + np.float32(2e-5)}


def other_labels(feeds, found):
    return {**found, "label": found["label"][::-1]}


@pytest.mark.parametrize("change", [of_unknown_towns, one_more, other_labels])
def test_what_shows_outputs_alone_is_refused_by_row(towns, tmp_path, change):
    with pytest.raises(
        ExportError, match=r"not kept: (row 0 of the test split, counted.*|a made-up row .*), differs: the"
    ):
        export(towns, tmp_path / "model.onnx", exporter=opaque(change))


def test_what_shows_outputs_alone_is_kept_if_they_are_right(towns, tmp_path):
    exporter = opaque(lambda feeds, found: found)

    assert export(towns, tmp_path / "model.onnx", exporter=exporter).rows > 40


@pytest.mark.parametrize(("most", "compared"), [(9, 3), (6, 2), (1, 1)])
def test_of_many_classes_not_all_names_are_compared(towns, tmp_path, monkeypatch, most, compared):
    """All would take a probability of each class for each class."""
    sound, rows = OnnxFile.compute, []

    def compute(self, file, model, feeds, names):
        rows.append(len(next(iter(feeds.values()))))
        return sound(self, file, model, feeds, names)

    monkeypatch.setattr("mlpkit.verbs.export.proof.MOST_PROBABILITIES", most)
    monkeypatch.setattr(OnnxFile, "compute", compute)
    export(towns, tmp_path / "model.onnx")

    assert rows[-1] == compared


def test_what_is_not_mutated_is_kept(towns, tmp_path):
    found = export(towns, tmp_path / "model.onnx")

    assert (found.split, found.warning) == ("the test split", "")
    assert found.rows > 40
    onnx.checker.check_model(onnx.load(found.file), full_check=True)


NAN, INF = np.nan, np.inf
FOUR = np.array([[1.0, 2.0], [3.0, 4.0], [NAN, -INF], [0.0, 8.0]])


@pytest.mark.parametrize(
    ("place", "value", "allowed", "row"),
    [
        ((1, 0), 3.0, 0.0, None),
        ((1, 0), 3.25, 0.25, None),
        ((1, 1), 3.75, 0.25, None),
        ((1, 1), 3.75, 0.125, 1),
        ((3, 1), 8.5, np.array([1.0, 0.5]), None),
        ((3, 1), 8.5, np.array([0.5, 0.25]), 3),
        ((2, 0), 0.0, 1.0, 2),
        ((0, 0), NAN, 1.0, 0),
        ((2, 1), INF, 1.0, 2),
    ],
)
def test_a_row_differs_if_a_number_is_off_by_more_than_is_allowed(place, value, allowed, row):
    found = FOUR.copy()
    found[place] = value
    with np.errstate(invalid="ignore"):
        assert _differing(found, FOUR, allowed) == row


def test_the_first_row_that_differs_is_named_unless_it_is_a_tie():
    found, expected = np.array(["a", "b", "c", "d"], object), np.array(["a", "x", "c", "y"], object)
    assert _differing(found, expected) == 1
    assert _differing(found, expected, but=np.array([True, True, False, False])) == 3
    assert _differing(found, expected, but=np.array([False, True, False, True])) is None
    assert _differing(found[:2], expected) == 0
    assert _differing(np.array([3, 4]), np.array([3, 5]), 9.0) == 1  # whole numbers are equal or not


def test_rows_have_the_same_bits_if_zeros_have_their_signs_and_what_is_no_number_is_none():
    found = np.array([[1.0, 0.0], [1.0, -0.0], [NAN, 2.0], [NAN, 0.0], [1.0, 2.0]])
    expected = np.array([[1.0, 0.0], [1.0, 0.0], [-NAN, 2.0], [1.0, 0.0], [1.0, np.nextafter(2.0, 3)]])
    assert _same_bits(found, expected).tolist() == [True, False, True, False, False]
    assert _same_bits(np.array([1, 2]), np.array([1, 3])).tolist() == [True, False]


def test_labels_hang_on_rounding_if_two_are_as_probable_or_one_as_probable_as_not():
    classes = np.array([[0.5, 0.25, 0.25], [0.5, 0.375, 0.125], [0.125, 0.5, 0.375], [0.25, 0.5, 0.25]])
    assert _are_ties(SimpleNamespace(target=Classes(3)), classes, 0.0625).tolist() == [False, True, True, False]
    labels = np.array([[0.5625, 0.0], [0.4375, 1.0], [0.59375, 0.25], [0.40625, 0.75], [0.0, 0.5]])
    assert _are_ties(SimpleNamespace(target=Labels(2)), labels, 0.0625).tolist() == [True, True, False, False, True]


def test_differences_are_shares_of_the_largest_finite_number_of_a_column_or_of_all():
    numbers = np.array([[0.5, -0.25, NAN], [-0.125, 0.0, INF], [-INF, NAN, 0.0625]])
    assert _largest(numbers, axis=0).tolist() == [0.5, 0.25, 0.0625]
    assert _largest(numbers) == 0.5
    assert _largest(np.array([NAN, INF])) == _largest(np.zeros((0, 3))) == _largest(np.array([-3, 5])) == 0
    assert _largest(np.zeros((0, 2)), axis=0).tolist() == [0, 0]
    expected = np.array([0.25, -0.015625])
    for off, agrees in ((2.4e-5, True), (2.6e-5, False)):
        for shift in (np.array([0, off]), np.array([-off, 0])):
            assert _agrees(expected + shift, expected) is agrees


def test_eight_numbers_are_shown_with_seven_digits_and_of_more_those_at_the_ends():
    eight = np.arange(8) / 3
    numbers = "0. 0.3333333 0.6666667 1. 1.3333333 1.6666667 2. 2.3333333"
    assert " ".join(_shown(eight).split()) == f"[{numbers}]"
    assert _shown(np.arange(9)) == "[0 1 2 ... 6 7 8]"
    assert (_shown("a b"), _shown(np.int64(3))) == ("a b", "3")


@pytest.mark.parametrize(
    ("names", "said"),
    [("", ""), ("a", " (a=7)"), ("abcd", " (a=7, b=7, c=7, d=7)"), ("abcde", " (a=7, b=7, c=7, d=7, ...)")],
)
def test_a_made_up_row_is_described_by_its_first_values(names, said):
    feeds = {"pixels": np.zeros((2, 3)), **{name: np.array([0, 7]) for name in names}}
    assert _made_up(feeds, 1) == f"a made-up row{said}"


def test_outputs_are_known_from_the_prediction():
    network = SimpleNamespace(adjustments=SimpleNamespace(coverage=None))
    outputs = {"predicted_label": "a", "probabilities": "p", "logits": "l"}

    def found(prediction, target, names=None):
        graph = SimpleNamespace(outputs=outputs)
        model = SimpleNamespace(graph=graph, prediction="p", target=target, class_names=names)
        return {name: of.tolist() for name, of in outputs_of(model, np.array(prediction), network).items()}

    rows = [[0.25, 0.75], [0.5, 0.5], [0.5, 0.25]]
    assert found(rows, Labels(2)) == {"predicted_label": [[0, 1], [1, 1], [1, 0]], "probabilities": rows}
    assert found(rows, Classes(2))["predicted_label"] == [1, 0, 0]
    assert found(rows, Classes(2), ("no", "yes"))["predicted_label"] == ["yes", "no", "no"]

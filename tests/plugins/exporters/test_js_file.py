"""A model as an ES module of JavaScript: its operators, its layers, what its function takes, and its types."""

import json
import re
import shutil
import subprocess
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from built_in_exporters import EXPORTERS
from hypothesis import given, settings
from operator_cases import CASES, graph_of_cases
from random_networks import random_inputs, random_networks
from requirements import require_components_of, requires

import mlpkit
from mlpkit import ML_DOMAIN, Graph, Layer, NotExportableError, Sequential, Values
from mlpkit.errors import ExportError
from mlpkit.graph import ModelGraph
from mlpkit.graph.evaluator import OPERATORS, evaluate
from mlpkit.graph.model_graph import bare_network
from mlpkit.graph.provenance import find_provenance
from mlpkit.layers import Affine, MeanSquaredError, Relu
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters import js_engines
from mlpkit_plugins.exporters.js_engines import find_program, source
from mlpkit_plugins.exporters.js_file import JsFile

NODE = find_program(js_engines.NODE)
needs_node = requires("node", NODE is not None, "there is no Node")
needs_compiler = pytest.mark.skipif(shutil.which("tsc") is None, reason="there is no compiler of TypeScript, tsc")


def run_in_node(file, expression):
    """Return the value of an expression in which the names that a module exports stand."""
    program = f"const {{model, predict}} = await import({json.dumps(file.as_uri())}); "
    program += f"console.log(JSON.stringify({expression}))"
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", program], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """What the evaluator and the engine of JavaScript compute for all cases."""
    graph, names = graph_of_cases()
    x = graph.feed("x", "float32")
    file = tmp_path_factory.mktemp("js") / "operators.js"
    model = ModelGraph(graph, Values(()), x, x, x, None, None, {})
    JsFile().write(model, file)
    feeds = {"x": np.zeros(1, np.float32)}
    known, found = evaluate(graph, feeds), JsFile().compute(file, model, feeds, names)
    return [(known[name], found[name]) for name in names]


@needs_node
@pytest.mark.parametrize("number", range(len(CASES)), ids=map(str, CASES))
def test_an_operator_computes_what_the_evaluator_does(values, number):
    expected, found = values[number]

    assert found.shape == expected.shape
    assert expected.dtype.kind in {found.dtype.kind, "U"}
    if expected.dtype.kind == "f":
        largest = np.abs(np.where(np.isfinite(expected), expected, 0)).max()
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6 * max(1, min(largest, 100)))
    else:
        np.testing.assert_array_equal(found, expected)


def test_the_engine_knows_every_operator_that_mlpkit_knows():
    table = source("operators.js").partition("const OPERATORS = {\n")[2].partition("\n};")[0]
    assert sorted(re.findall(r"^  (\w+):", table, re.MULTILINE)) == sorted(name for _, name in OPERATORS)


def test_every_operator_has_a_case():
    assert {case.operator for case in CASES} == {name for _, name in OPERATORS}


def random_network_is_computed(network, folder):
    model = bare_network(network, {})
    x = random_inputs(network)
    JsFile().write(model, folder / "network.js")

    found = JsFile().compute(folder / "network.js", model, {"x": x}, ["prediction"])["prediction"]

    expected = network.predict(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1, np.abs(expected).max()))


@needs_node
@settings(max_examples=15, deadline=None)
@given(random_networks())
def test_random_networks(tmp_path_factory, network):
    random_network_is_computed(network, tmp_path_factory.mktemp("network"))


@needs_node
@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(random_networks())
def test_two_hundred_random_networks(tmp_path_factory, network):
    random_network_is_computed(network, tmp_path_factory.mktemp("network"))


SPECS = Path(mlpkit.__file__).parent / "shipped_specs"


@needs_node
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.name, marks=pytest.mark.long if path.name.startswith("mnist") else ())
        for path in sorted(SPECS.glob("*.yaml"))
    ],
)
def test_every_shipped_spec_leaves(tmp_path, monkeypatch, name):
    require_components_of((SPECS / name).read_text("utf-8"))
    monkeypatch.setattr("mlpkit.jobs.spec_data.MOST_ROWS", 1000)
    changes = {"training.iterations": 20, "training.evaluate_every": 20}
    mlpkit.run(mlpkit.load_spec(SPECS / name, overrides=changes), directory=tmp_path / "run")

    found = export(tmp_path / "run", tmp_path / "model.js")

    assert (found.warning, found.split) == ("", "the test split")
    assert found.rows > 10


@needs_node
def test_columns_may_have_the_names_of_what_every_object_has(tmp_path):
    names = ["__proto__", "toString", "constructor", "__defineGetter__", "plain"]
    graph = Graph(np.dtype(np.float32))
    columns = [graph.op("Unsqueeze", graph.feed(name, "float32"), np.array([1])) for name in names]
    y = graph.op("Concat", *columns, axis=1)
    graph.outputs["value"] = y
    model = ModelGraph(graph, Values((5,)), y, y, y, None, None, {})
    file = tmp_path / "model.js"
    JsFile().write(model, file)

    found = JsFile().compute(file, model, {name: np.float32([i]) for i, name in enumerate(names)}, ["value"])["value"]
    row = json.dumps(dict(zip(names, range(5), strict=True)))
    predicted = run_in_node(file, f"predict([JSON.parse({json.dumps(row)})])")
    refused = run_in_node(file, "(() => { try { predict([{}]) } catch (error) { return error.message } })()")

    assert found.tolist() == [[0, 1, 2, 3, 4]]
    assert predicted == [{"value": [0, 1, 2, 3, 4]}]
    assert refused == 'row 0, input "__proto__": nothing is given; give a value, or null if it is missing'


def graph_in(file):
    """Return a module's graph as plain data."""
    return json.loads(re.search(r"^const GRAPH = (.*);$", file.read_text("utf-8"), re.MULTILINE)[1])


def test_a_module_has_the_graph_as_plain_data_with_its_layers_and_constants(tmp_path):
    graph = Graph(np.dtype(np.float32))
    age, town = (
        graph.feed("age", "float64", meaning="years", extent=(1.0, 9.0)),
        graph.feed("town", "str", choices=["U"]),
    )
    named = {"keys_strings": ["U", "V"], "values_int64s": np.array([2, 3]), "default_int64": np.int64(-1)}
    code = graph.op("LabelEncoder", town, domain=ML_DOMAIN, **named)
    same = graph.op("Equal", town, np.array(["U", "<b>", "é"]))
    x = graph.op("Cast", graph.op("Mul", age, np.array([2.0, 4.0])), to=1)
    graph.constant("unused", np.ones(5))

    def added(graph):
        return graph.op("Add", graph.input, np.arange(3))

    def padded(graph):
        return graph.op("Pad", added(graph), np.array([0, 1], np.uint8), 0.5)

    y = x
    for path, onnx in {"Odd1": added, "Odd2.Inner1": padded}.items():
        y = graph.describe(SimpleNamespace(kind="layer", path=path, registered_name="Odd", onnx=onnx), y)
    graph.outputs |= {"predicted_label": code, "probabilities": y, "same": same}
    model = ModelGraph(graph, mlpkit.Classes(3), x, y, y, None, ("a", "b"), {"name": "by hand", "coverage": 0.9})
    JsFile().write(model, tmp_path / "m.js")

    found, nodes = graph_in(tmp_path / "m.js"), graph.nodes
    assert [found[key] for key in ("name", "classes", "targets", "coverage")] == ["by hand", [0, 1, 2], ["a", "b"], 0.9]
    feed = {"name": "town", "dtype": "str", "shape": [], "kind": "number", "meaning": "", "typical": None}
    assert found["inputs"][1] == {**feed, "choices": ["U"], "extent": None}
    assert found["inputs"][0] | {"extent": [1.0, 9.0], "meaning": "years"} == found["inputs"][0]
    assert found["outputs"] == {"label": code.name, "probabilities": y.name, "same": same.name}
    assert found["layers"] == [["input", x.name], ["Odd1", nodes[4].outputs[0]], ["Odd2.Inner1", y.name]]
    assert [found["constants"][name] for name in [nodes[2].inputs[1], nodes[1].inputs[1], *nodes[6].inputs[1:]]] == [
        {"dtype": "float64", "shape": [2], "offset": 0},
        {"dtype": "str", "shape": [3], "elements": ["U", "<b>", "é"]},
        {"dtype": "int64", "shape": [2], "offset": 16 + 24 + 24},
        {"dtype": "float32", "shape": [], "offset": 16 + 24 + 24 + 16},
    ]
    assert "unused" not in found["constants"]
    attributes = {"keys_strings": ["U", "V"], "values_int64s": [2, 3], "default_int64": -1}
    assert found["nodes"][0] == {
        "operator": "LabelEncoder",
        "inputs": ["town"],
        "output": code.name,
        "attributes": attributes,
    }
    assert "<b>" not in (tmp_path / "m.js").read_text("utf-8").partition("const GRAPH")[2].partition("\n")[0]


def test_a_bare_network_has_its_input_and_layers_and_the_names_of_its_classes(tmp_path):
    stack = [Affine(4), Relu(), Affine(2), MeanSquaredError()]
    model = bare_network(Sequential(stack, (3,), target=Values((2,)), seed=0), {})
    JsFile().write(model, tmp_path / "m.js")
    found = graph_in(tmp_path / "m.js")
    assert found["layers"][:2] == [["input", "x"], ["Affine1", found["nodes"][0]["output"]]]
    assert [name for name, _ in found["layers"][2:4]] == ["Relu1", "Affine2"]
    assert [found["name"], found["classes"], "coverage" in found] == ["", None, False]
    JsFile().write(replace(model, target=mlpkit.Classes(2), class_names=("no", "yes")), tmp_path / "m.js")
    assert graph_in(tmp_path / "m.js")["classes"] == ["no", "yes"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"__proto__": 1, "a": "</b>"}, '{["__proto__"]: 1, "a": "\\u003c/b>"}'),
        ([1.5, None, "é"], '[1.5, null, "\\u00e9"]'),
    ],
)
def test_plain_data_is_an_expression_that_ends_no_script(value, text):
    assert js_engines.js_literal(value) == text


def test_a_program_is_the_first_that_is_on_the_path_or_next_to_python(tmp_path, monkeypatch):
    for folder, name in (("path", "b"), ("python", "a"), ("python", "b")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch(0o700)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python/python3"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_program(["b", "a"]) == str(tmp_path / "path/b")
    assert find_program(["a", "b"]) == str(tmp_path / "python/a")
    assert find_program(["c"]) is find_program([]) is None


class Odd(Layer):
    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

    def onnx(self, graph):
        return graph.op("Odd", graph.input)


class Halved(Odd):
    def onnx(self, graph):
        return graph.op("Mul", graph.input, np.array(0.5, np.float16))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Odd(), r"^Odd1 uses the operator Odd, which mlpkit doesn't know; "),
        (Halved(), r"^Halved1/Constant_1 is of float16, which JavaScript's engine doesn't know; it knows float32, "),
    ],
)
def test_what_the_engine_lacks_is_refused_by_name(tmp_path, layer, message):
    network = Sequential([layer, Affine(2), MeanSquaredError()], input_shape=(3,), target=Values((2,)))

    with pytest.raises(NotExportableError, match=message):
        JsFile().write(bare_network(network, {}), tmp_path / "model.js")


def test_an_operator_of_another_domain_is_refused(tmp_path):
    graph = Graph(np.dtype(np.float32))
    y = graph.op("Add", graph.feed("x", "float32"), 1.0, domain="com.example")

    with pytest.raises(NotExportableError, match="uses the operator Add"):
        JsFile().write(ModelGraph(graph, Values(()), y, y, y, None, None, {}), tmp_path / "model.js")


@pytest.fixture(scope="module")
def towns_js(towns, tmp_path_factory):
    """The model of a table as a module, proved."""
    file = tmp_path_factory.mktemp("towns_js") / "towns.js"
    export(towns, file)
    return file


ROW = {"age": 31.5, "price": 120, "town": "town 1", "shop": "baker", "size": "large", "when": "2021-03-04"}


@needs_node
def test_rows_are_objects_or_arrays_and_dates_are_texts_dates_or_seconds(towns, towns_js):
    names = run_in_node(towns_js, "model.inputs.map((input) => input.name)")
    assert sorted(names) == sorted(ROW)
    seconds = 1614816000  # of 2021-03-04, in UTC
    rows = [ROW, {**ROW, "when": seconds, "unused": 1}, [{**ROW, "when": "2021-03-04 00:00"}[name] for name in names]]

    found = run_in_node(
        towns_js, f"predict([...{json.dumps(rows)}, {{...{json.dumps(ROW)}, when: new Date('2021-03-04')}}])"
    )

    model = mlpkit.load(towns)
    assert [each["label"] for each in found] == [model.predict([ROW])[0]] * 4
    for each in found:
        np.testing.assert_allclose(each["probabilities"], model.predict_proba([ROW])[0], rtol=1e-5)
    assert run_in_node(towns_js, "model.classes") == list(model.classes)


@needs_node
def test_missing_values_are_null_and_unknown_categories_are_taken(towns, towns_js):
    rows = [{**ROW, "age": None}, {**ROW, "town": None, "size": ""}, {**ROW, "shop": "florist"}]
    known = [{name: "" if value is None else value for name, value in row.items()} for row in rows]

    found = run_in_node(towns_js, f"predict({json.dumps(rows)}).map((each) => each.probabilities)")

    with pytest.warns(UserWarning, match="'florist'"):
        expected = mlpkit.load(towns).predict_proba(known)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@needs_node
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[{age: 3}]", 'row 0, input "price": nothing is given; give a value, or null if it is missing'),
        (json.dumps(ROW), "expected a list of rows, such as predict([row])"),
        (f"[{json.dumps(ROW)}, [1, 2]]", 'row 1, input "size": nothing is given'),
        (f"[{json.dumps({**ROW, 'age': 'old'})}]", 'row 0, input "age": "old" is given; expected a number, or null'),
        (f"[{json.dumps({**ROW, 'when': 'soon'})}]", 'row 0, input "when": "soon" is given; expected a date, or null'),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_place(towns_js, rows, message):
    found = run_in_node(towns_js, f"(() => {{ try {{ predict({rows}) }} catch (error) {{ return error.message }} }})()")

    assert message in found


@needs_node
def test_no_rows_give_no_predictions(towns_js):
    assert run_in_node(towns_js, "predict([])") == []


@needs_node
def test_arrays_may_be_flat_nested_or_typed(tmp_path):
    network = Sequential([mlpkit.layers.Flatten(), Affine(2), MeanSquaredError()], (2, 2), target=Values((2,)), seed=0)
    file = tmp_path / "network.js"
    JsFile().write(bare_network(network, {}), file)
    rows = (
        "[1, 2, 3, 4], [[1, 2], [3, 4]], {x: [1, 2, 3, 4]}, Float32Array.of(1, 2, 3, 4), [Int8Array.of(1, 2), [3, 4]]"
    )

    found = run_in_node(file, f"predict([{rows}]).map((each) => each.prediction)")

    expected = network.predict(np.array([[[1, 2], [3, 4]]], np.float32))
    np.testing.assert_allclose(found, np.repeat(expected, 5, axis=0), rtol=1e-6)
    wrong = run_in_node(file, "(() => { try { predict([[1, 2, 3]]) } catch (error) { return error.message } })()")
    assert wrong == 'row 0, input "x": 3 elements are given; expected numbers of shape (2,2)'


def test_the_file_says_what_it_came_from(towns, towns_js):
    found = find_provenance(towns_js.read_bytes())

    assert found["name"] == "towns"
    assert set(found) >= {"run", "spec", "data", "weights"}


def test_the_engine_is_shipped_as_it_is(towns_js):
    assert source("operators.js") in towns_js.read_text()
    assert source("engine.js") in towns_js.read_text()


USE = """
import { model, predict } from "./towns.js";
const found = predict([{ age: 3 }, [1, 2]]);
const label: string = found[0].label;
const shares: number[] | undefined = found[0].probabilities;
const kinds: ("number" | "category" | "date" | "pixels")[] = model.inputs.map((input) => input.kind);
// @ts-expect-error: predict takes rows
predict(3);
// @ts-expect-error: there is no such property
found[0].lable satisfies number;
"""


@needs_compiler
def test_typescript_knows_the_types(towns_js, tmp_path):
    shutil.copy(towns_js, tmp_path)
    (tmp_path / "use.ts").write_text(USE)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = ["--noEmit", "--allowJs", "--strict", "--target", "es2022", "--module", "nodenext"]

    for files in (["use.ts"], ["--checkJs", "--noImplicitAny", "false", "towns.js"]):
        done = subprocess.run(["tsc", *options, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def constant(path, place, by):
    """Return a mutation that adds to an element of a constant."""

    def mutate(graph):
        graph.constants[path] = graph.constants[path].copy()
        graph.constants[path][place] += by

    return mutate


def node(operator, number=0, /, **changes):
    """Return a mutation of a use of an operator."""

    def mutate(graph):
        places = [i for i, each in enumerate(graph.nodes) if each.operator == operator]
        place = places[number]
        attributes = {**graph.nodes[place].attributes, **changes.get("attributes", {})}
        graph.nodes[place] = graph.nodes[place]._replace(**{**changes, "attributes": attributes})

    return mutate


def inputs_swapped(operator, left, right, number=0):
    def mutate(graph):
        places = [i for i, each in enumerate(graph.nodes) if each.operator == operator]
        inputs = list(graph.nodes[places[number]].inputs)
        inputs[left], inputs[right] = inputs[right], inputs[left]
        graph.nodes[places[number]] = graph.nodes[places[number]]._replace(inputs=tuple(inputs))

    return mutate


def gaps_unseen(graph):
    place = max(i for i, each in enumerate(graph.nodes) if each.operator == "IsNaN")
    graph.nodes[place] = graph.nodes[place]._replace(operator="Less", inputs=graph.nodes[place].inputs * 2)


def least_probable(graph):
    place = next(i for i, each in enumerate(graph.nodes) if each.operator == "ArgMax")
    best = graph.nodes[place]
    negated = best._replace(operator="Neg", outputs=("negated",), attributes={})
    graph.nodes[place : place + 1] = [negated, best._replace(inputs=("negated",))]


def texts(old, new):
    """Return a mutation of a category's or a class's name."""

    def mutate(graph):
        for each in graph.nodes:
            for name in ("keys_strings", "values_strings"):
                if old in each.attributes.get(name, ()):
                    each.attributes[name] = [new if text == old else text for text in each.attributes[name]]

    return mutate


def feeds_swapped(graph):
    names = {"age": "price", "price": "age"}
    graph.nodes[:] = [each._replace(inputs=tuple(names.get(i, i) for i in each.inputs)) for each in graph.nodes]


MUTATIONS = {
    "a weight": constant("Affine1.W", (0, 0), 0.01),
    "the last weight": constant("Affine2.W", (-1, -1), 0.01),
    "a bias": constant("Affine1.b", 0, 0.01),
    "the bias of a class": constant("Affine2.b", 2, 0.01),
    "another nonlinearity": node("Relu", operator="Sigmoid"),
    "a leaky nonlinearity": node("Relu", operator="LeakyRelu"),
    "no nonlinearity": node("Relu", operator="Identity"),
    "a product with a factor": node("Gemm", attributes={"alpha": 1.001}),
    "a product without its bias": node("Gemm", 1, attributes={"beta": 0.0}),
    "probabilities along the batch": node("Softmax", attributes={"axis": 0}),
    "the least probable class": least_probable,
    "numbers in gaps alone": inputs_swapped("Where", 1, 2, -1),
    "gaps that aren't seen": gaps_unseen,
    "the other way round": inputs_swapped("Sub", 0, 1, -1),
    "a category's name": texts("town 1", "town one"),
    "the last category's name": texts("grocer", "Grocer"),
    "an ordered category's name": texts("small", "tiny"),
    "a missing text": texts("", "none"),
    "a class's name": texts("north", "North"),
    "the name of a class that is never predicted": texts("never predicted", "always predicted"),
    "an unknown category": node("LabelEncoder", 1, attributes={"default_int64": 0}),
    "the order of columns": inputs_swapped("Concat", 0, 1),
    "the names of two columns": feeds_swapped,
    "the next day": node("Floor", operator="Ceil"),
}


IN_PAGES = ("a weight", "another nonlinearity", "a category's name", "a class's name")
"""The ways that the normal tests change pages, whose script is checked as modules are."""


@needs_node
@pytest.mark.parametrize(
    ("name", "ending"),
    [
        *((name, ".js") for name in MUTATIONS),
        *(pytest.param(name, ".html", marks=() if name in IN_PAGES else pytest.mark.long) for name in MUTATIONS),
    ],
)
def test_a_mutated_export_is_refused(towns, tmp_path, monkeypatch, name, ending):
    exporter = EXPORTERS[ending]
    write_sound = exporter.write

    def write(self, model, file):
        wrong = deepcopy(model)
        MUTATIONS[name](wrong.graph)
        write_sound(self, wrong, file)

    monkeypatch.setattr(exporter, "write", write)

    with pytest.raises(ExportError):
        export(towns, tmp_path / f"model{ending}")

    assert not list(tmp_path.iterdir())

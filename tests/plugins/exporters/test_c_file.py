"""A model as one file in C99."""

import re
import subprocess
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest
from c_models import MACHINES, bits, compiles, logits_of, machine, model_of, model_with
from hypothesis import HealthCheck, given, settings
from random_networks import random_inputs, random_networks
from requirements import requires

from mlpkit import ML_DOMAIN, Classes, Graph, Labels, NotExportableError, Sequential, Values, ValuesScaling
from mlpkit.errors import EngineMissingError, ExportError
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import LOGITS, PREDICTION, add_network
from mlpkit.graph.provenance import find_provenance
from mlpkit.layers import (
    Affine,
    BatchNorm,
    Conv2d,
    Flatten,
    Gelu,
    LayerNorm,
    MaxPool2d,
    MeanSquaredError,
    Parallel,
    Relu,
    Reshape,
    Residual,
    Sigmoid,
    Silu,
    SoftmaxWithLoss,
    Tanh,
)
from mlpkit.registry.registry import installed
from mlpkit_plugins.exporters.c_file import CFile, Machine, compute_c
from mlpkit_plugins.kernels import COMPILED

needs_kernels = requires("kernels", COMPILED, "without compiled kernels, predict computes in another order")


def network_of(*layers, features=4, classes=3, seed=0):
    stack = [*layers, Affine(classes), SoftmaxWithLoss()]
    return Sequential(stack, input_shape=(features,), target=Classes(classes), seed=seed)


def inputs_for(network, rows=8):
    return np.random.default_rng(1).normal(size=(rows, *network.input_shape)).astype(np.float32)


def written(network, file):
    model = model_of(network)
    CFile().write(model, file)
    return file, model


def run(*sources, machine=MACHINES["gcc"], options=()):
    """Compile files to a program and run it; return its status and what it says."""
    assert compiles(machine, *sources, options=tuple(options))
    done = subprocess.run([sources[0].parent / "program"], capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


def within_two_ulp(found, expected):
    return np.all(np.abs(found - expected) <= 2 * np.spacing(np.abs(expected)))


def expect_the_bits_of_predict(network, folder, x=None, machine=None):
    x = inputs_for(network) if x is None else x
    file, model = written(network, folder / "model.c")

    found = compute_c(file, model, {"x": x}, ["logits", "prediction"], machine)

    assert bits(found["logits"]) == bits(logits_of(network, x))
    assert within_two_ulp(found["prediction"], network.predict(x))


@needs_kernels
@settings(max_examples=8, deadline=None)
@given(random_networks(dtypes=("float32",)))
def test_logits_have_the_bits_of_predict(tmp_path_factory, network):
    expect_the_bits_of_predict(network, tmp_path_factory.mktemp("model"), random_inputs(network))


@needs_kernels
@pytest.mark.long
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_networks(dtypes=("float32",)))
def test_logits_of_many_networks_have_the_bits_of_predict(tmp_path_factory, network):
    expect_the_bits_of_predict(network, tmp_path_factory.mktemp("model"), random_inputs(network))


@needs_kernels
@pytest.mark.parametrize("join", ["concat", "sum"])
def test_branches_have_the_bits_of_predict(join, tmp_path):
    inside = Parallel([[Relu()], [Sigmoid()]], join="sum")
    network = network_of(Parallel([[], [], [Affine(4), Relu()], [inside]], join=join))
    expect_the_bits_of_predict(network, tmp_path, inputs_for(network))


@needs_kernels
def test_clipped_values_trained_as_logarithms_have_the_bits_of_predict(tmp_path):
    bounds = (0.5, 0.01, 0.1), (6.0, 1.0, 2.0)
    target = Values((3,), ValuesScaling((1.0, -2.0, 0.25), (0.5, 1.5, 0.125), log=True, bounds=bounds))
    network = Sequential([Affine(3), MeanSquaredError()], input_shape=(4,), target=target)
    file, model = written(network, tmp_path / "model.c")
    x = inputs_for(network, rows=1000)

    found = compute_c(file, model, {"x": x}, ["prediction"])

    assert bits(found["prediction"]) == bits(network.predict(x))


def examples_of(kind):
    """Return the examples of the built-in components of a kind: name, parameters, shape of what they take."""
    return {
        f"{each.name} {parameters}": (each.name, parameters, shape)
        for each in installed().components((kind,))
        if "." not in each.name
        for parameters, shape in each.component.examples()
    }


LAYERS, LOSSES = examples_of("layer"), examples_of("loss")
CONVOLUTIONS = {
    f"{convolution} of {shape}": (shape, convolution)
    for shape in [(1, 5, 300), (3, 40, 41), (2, 70, 4), (30, 6, 7)]
    for convolution in (
        {"size": 3},
        {"size": 1},
        {"size": 3, "padding": 1},
        {"size": 2, "stride": 2},
        {"size": 4, "padding": 3},
    )
}


def with_layer(name, parameters, shape):
    stack = [installed().create("layer", {name: parameters}), Flatten(), Affine(3), SoftmaxWithLoss()]
    return Sequential(stack, input_shape=shape, target=Classes(3))


def with_convolution(shape, convolution):
    return Sequential(
        [Conv2d(2, **convolution), Flatten(), Affine(2), SoftmaxWithLoss()], input_shape=shape, target=Classes(2)
    )


def with_loss(name, parameters, shape):
    loss = installed().create("loss", {name: parameters})
    stack = [Flatten(), Affine(prod(shape)), Reshape(shape) if len(shape) > 1 else Relu(), loss]
    if "loss" in parameters:  # of each member of an ensemble
        of_member = parameters["loss"]
        name, shape = of_member if isinstance(of_member, str) else next(iter(of_member)), shape[1:]
    classes = 2 if shape == (1,) else prod(shape)
    target = {
        "SoftmaxWithLoss": Classes(classes),
        "SigmoidWithLoss": Labels(classes) if classes > 2 else Classes(2),
        "Ordinal": Classes(4),
    }
    values = Values(shape) if loss.prediction_names() is None else Values((1,))

    return Sequential(stack, input_shape=(4,), target=target.get(name, values))


class ManyNetworks(Graph):
    """A graph of networks whose parameters may have the same names."""

    def constant(self, name, value):
        return super().constant(f"of {len(self.feeds)}: {name}", value)


@pytest.fixture(scope="module")
def in_one_program(tmp_path_factory):
    """Networks by the name of their case, what they take, and what one program computes of all of them."""
    networks = {case: with_layer(*example) for case, example in LAYERS.items()}
    networks |= {case: with_loss(*example) for case, example in LOSSES.items()}
    networks |= {case: with_convolution(*example) for case, example in CONVOLUTIONS.items()}
    graph, x, outputs = ManyNetworks(np.dtype(np.float32)), {}, {}
    for number, network in enumerate(networks.values()):
        graph.input_shape = network.input_shape
        add_network(graph, network, graph.feed(f"x{number}", "float32", network.input_shape))
        outputs[f"logits{number}"] = graph.outputs.pop(LOGITS)
        outputs[f"prediction{number}"] = graph.outputs.pop(PREDICTION)
        x[f"x{number}"] = inputs_for(network)
    file, model = tmp_path_factory.mktemp("networks") / "networks.c", model_with(graph, outputs)
    CFile().write(model, file)
    found = compute_c(file, model, x, list(outputs))
    return {
        case: (network, x[f"x{number}"], found[f"logits{number}"], found[f"prediction{number}"])
        for number, (case, network) in enumerate(networks.items())
    }


@needs_kernels
@pytest.mark.parametrize("case", [*LAYERS, *LOSSES, *CONVOLUTIONS])
def test_layers_and_losses_have_the_bits_of_predict(case, in_one_program):
    network, x, logits, prediction = in_one_program[case]

    assert bits(logits) == bits(logits_of(network, x))
    assert within_two_ulp(prediction, network.predict(x))


@needs_kernels
@pytest.mark.parametrize("features", [1, 255, 256, 257, 600, 1025])
def test_long_sums_are_added_up_in_the_same_order(features, tmp_path):
    expect_the_bits_of_predict(network_of(Affine(70), Relu(), features=features), tmp_path)


@needs_kernels
@pytest.mark.long
@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_gives_the_bits_of_predict(name, tmp_path):
    network = network_of(Affine(300), Gelu(), Affine(300), Tanh(), LayerNorm(), Affine(20), Sigmoid(), features=300)

    expect_the_bits_of_predict(network, tmp_path, machine=machine(name, tmp_path))


def test_a_file_tests_itself(tmp_path):
    file, _ = written(network_of(Affine(5), Relu()), tmp_path / "model.c")

    assert run(file, options=["-DMODEL_TEST"]) == (0, "model: right results\n")


def test_a_file_with_another_weight_fails_its_own_test(tmp_path):
    file, _ = written(network_of(Affine(5), Relu()), tmp_path / "model.c")
    before, begin, after = file.read_text("ascii").partition("Affine2_W[15] = {\n    ")
    file.write_text(f"{before}{begin}0.5f, {after.partition(', ')[2]}", "ascii")

    assert run(file, options=["-DMODEL_TEST"]) == (1, "model: wrong results\n")


PROGRAM = """\
#include <stdio.h>
#define FIRST_DECLARATIONS
#include "first.c"
#define SECOND_DECLARATIONS
#include "second.c"

int main(void)
{
    float work[FIRST_WORK > SECOND_WORK ? FIRST_WORK : SECOND_WORK];
    first_inputs a = {{1.0f, 2.0f, 3.0f, 4.0f}};
    second_inputs b = {{1.0f, 2.0f}};
    first_outputs y;
    second_outputs z;
    first_predict(&a, &y, work);
    second_predict(&b, &z, work);
    printf("%a %a\\n", y.logits[2], z.logits[1]);
    return 0;
}
"""


@needs_kernels
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_several_models_link_into_one_program(compiler, tmp_path):
    networks = {"first": network_of(Affine(6), Relu()), "second": network_of(Relu(), features=2, classes=2)}
    for name, network in networks.items():
        written(network, tmp_path / f"{name}.c")
    (tmp_path / "main.c").write_text(PROGRAM, "ascii")

    status, said = run(
        *(tmp_path / f"{name}.c" for name in ("main", "first", "second")), machine=machine(compiler, tmp_path)
    )

    x = np.array([[1, 2, 3, 4]], np.float32)
    expected = [logits_of(networks["first"], x)[0, 2], logits_of(networks["second"], x[:, :2])[0, 1]]
    assert (status, [float.fromhex(word) for word in said.split()]) == (0, expected)


def test_only_the_functions_of_the_model_are_visible(tmp_path):
    file, _ = written(network_of(Affine(5), Relu()), tmp_path / "model.c")
    subprocess.run(["cc", "-std=c99", "-c", file, "-o", tmp_path / "model.o"], check=True)

    symbols = subprocess.run(["nm", "-g", "--defined-only", tmp_path / "model.o"], capture_output=True, check=True)

    assert [line.split()[-1] for line in symbols.stdout.decode().splitlines()] == ["model_predict"]


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [
        ([Affine(5), Relu()], 5),
        ([Affine(50), Relu(), Affine(20), Relu(), Affine(30), Relu(), Affine(40), Relu()], 70),
        ([Affine(50), Residual([Affine(50), Relu(), Affine(50)])], 150),
        ([], 1),
    ],
    ids=["one layer", "memory is used again", "an input that is needed later", "none"],
)
def test_the_work_memory_is_as_small_as_the_layers_allow(layers, numbers, tmp_path):
    file, _ = written(network_of(*layers), tmp_path / "model.c")

    assert f"#define MODEL_WORK {numbers}\n" in file.read_text("ascii")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, tmp_path):
    stack = [
        Reshape((1, 6, 5)),
        Conv2d(3, 3, padding=1),
        BatchNorm(),
        Relu(),
        MaxPool2d(2),
        Flatten(),
        LayerNorm(),
        Silu(),
    ]
    file, model = written(network_of(*stack, features=30), tmp_path / "model.c")
    found = machine(compiler, tmp_path)
    options = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
    checked = found._replace(compiler=(*found.compiler, *options))
    (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n", "ascii")
    if not compiles(checked, tmp_path / "probe.c"):
        pytest.skip(f"{compiler} has no sanitizers here")
    x = np.random.default_rng(0).normal(size=(3, 30)).astype(np.float32)

    outputs = compute_c(file, model, {"x": x}, ["prediction"], checked)

    np.testing.assert_allclose(outputs["prediction"].sum(axis=1), 1, rtol=1e-5)


def test_values_inside_a_file_can_be_read_and_set(tmp_path):
    file, model = written(network_of(Affine(5), Relu(), Affine(4), Relu()), tmp_path / "model.c")
    x = inputs_for(network_of())
    names = [node.outputs[0] for node in model.graph.nodes]

    values = compute_c(file, model, {"x": x}, names)
    later = compute_c(file, model, {names[2]: values[names[2]]}, ["prediction"])

    expected = evaluate(model.graph, {"x": x})
    assert values.keys() == set(names)
    for name in names:
        np.testing.assert_allclose(values[name], expected[name], rtol=0, atol=1e-5)
    np.testing.assert_allclose(later["prediction"], expected["prediction"], rtol=0, atol=1e-5)


def test_values_that_a_file_leaves_out_are_those_of_the_graph(tmp_path):
    graph, x = Graph(np.dtype(np.float32)), np.float32([[1, -2], [3, 0.5]])
    feed = graph.feed("x", "float32", (2,))
    used, unused = graph.op("Relu", feed), graph.op("Neg", feed)
    model = model_with(graph, {"prediction": graph.op("Add", used, np.float32([4, 8]))})
    CFile().write(model, tmp_path / "model.c")

    found = compute_c(tmp_path / "model.c", model, {"x": x}, ["prediction", unused.name, used.name])

    assert list(found) == ["prediction", unused.name, used.name]
    assert found["prediction"].tolist() == [[5, 8], [7, 8.5]]
    assert found[unused.name].tolist() == [[-1, 2], [-3, -0.5]]
    assert found[used.name].tolist() == [[1, 0], [3, 0.5]]


def test_names_are_made_fit_for_c(tmp_path):
    graph = Graph(np.dtype(np.float32))
    feeds = ["int", "größe (cm)", "größe [cm]", "2nd", "in", "exp", "least", "*/ x"]
    columns = [graph.op("Unsqueeze", graph.feed(name, "float32"), np.array([1])) for name in feeds]
    y = graph.op("Concat", *columns, axis=1)
    model = model_with(graph, {"double": graph.op("Exp", y)})
    file = tmp_path / "my-model 2.c"
    CFile().write(model, file)

    found = compute_c(file, model, {name: np.float32([0, 1]) for name in feeds}, ["double"], machine("gcc", tmp_path))

    np.testing.assert_allclose(found["double"], np.exp([[0] * 8, [1] * 8]), rtol=1e-6)
    structure = file.read_text("ascii").partition("} my_model_2_inputs;")[0]
    declared = re.findall(r"^    float (\w+);", structure, re.MULTILINE)
    assert declared == ["int_", "gr_e_cm", "gr_e_cm_2", "_2nd", "in_", "exp", "least", "x"]


HEADERS = (
    *(
        "assert",
        "complex",
        "ctype",
        "errno",
        "fenv",
        "float",
        "inttypes",
        "iso646",
        "limits",
        "locale",
        "math",
        "setjmp",
    ),
    *(
        "signal",
        "stdarg",
        "stdbool",
        "stddef",
        "stdint",
        "stdio",
        "stdlib",
        "string",
        "tgmath",
        "time",
        "wchar",
        "wctype",
    ),
)
CPLUSPLUS = "class new delete this template namespace operator private typename constexpr co_await and xor_eq nullptr"


def test_columns_may_have_the_names_of_macros_and_keywords(tmp_path, monkeypatch):
    machine("gcc", tmp_path)
    includes = "".join(f"#include <{header}.h>\n" for header in HEADERS)
    macros = set(CPLUSPLUS.split())
    for standard, text in {"-std=c99": includes, "-std=gnu99": ""}.items():
        command = ["gcc", standard, "-x", "c", "-dM", "-E", "-"]
        defined = subprocess.run(command, input=text, capture_output=True, check=True, text=True).stdout
        macros |= set(re.findall(r"^#define (\w+) ", defined, re.MULTILINE))
    assert {"NULL", "NAN", "INFINITY", "INT64_MIN", "linux", "I", "PRId64", "bool"} <= macros
    graph = Graph(np.dtype(np.float32))
    columns = [graph.op("Unsqueeze", graph.feed(name, "float32"), np.array([1])) for name in sorted(macros)]
    monkeypatch.setenv("CC", "no-such-compiler")
    file = tmp_path / "model.c"
    CFile().write(model_with(graph, {"auto": graph.op("Concat", *columns, axis=1)}), file)
    (tmp_path / "all.h").write_text(includes, "ascii")
    (tmp_path / "all.hpp").write_text("#include <cmath>\n#include <string>\n#define MODEL_DECLARATIONS\n", "ascii")

    for command in (
        ["gcc", "-std=c99", "-include", tmp_path / "all.h"],
        ["gcc", "-std=gnu99"],
        ["g++", "-x", "c++", "-include", tmp_path / "all.hpp"],
    ):
        subprocess.run([*command, "-fsyntax-only", file], check=True)

    assert "float NULL_; /* NULL */" in file.read_text("ascii")


def test_the_first_comment_gives_sizes(tmp_path):
    file, _ = written(network_of(Affine(5), Relu()), tmp_path / "model.c")

    text = file.read_text("ascii")

    assert " * Flash, without code: 172 bytes.\n" in text
    assert " * RAM: 20 bytes of work memory, 16 of inputs, 24 of outputs, 2,048 of stack.\n" in text
    assert " * Multiplications by weights: 35.\n" in text


def test_the_part_of_a_file_that_serves_as_its_header(tmp_path, golden, monkeypatch):
    graph = Graph(np.dtype(np.float32))
    meaning = "metres above the sea; NaN if it is missing"
    x = graph.feed("x", "float32", (2, 3), meaning="grey values")
    height = graph.feed("height (m)", "float32", meaning=meaning)
    long = graph.feed("l" * 60, "float32", meaning=meaning)
    graph.feed("m" * 60, "float32", meaning=f"{meaning}!")
    graph.feed("words", "float32", meaning=" ".join(f"word{i}" for i in range(30)))
    town = graph.feed("int", "str", meaning="as in the file", choices=["Ulm", "Köln"])
    graph.feed("plain", "float64")
    columns = [graph.op("Unsqueeze", each, np.array([1])) for each in (height, long)]
    together = graph.op("Concat", graph.op("Flatten", x), *columns, axis=1)
    y = graph.op("Exp", graph.op("Gemm", together, np.arange(-4, 12, dtype=np.float32).reshape(8, 2)))
    keys = {"keys_strings": ["Ulm"], "values_int64s": [3]}
    outputs = {"values": y, "number": graph.op("LabelEncoder", town, domain=ML_DOMAIN, **keys)}
    monkeypatch.setenv("CC", "no-such-compiler")
    for quantized, names in ((False, ["price", "größe"]), (True, ["price"])):
        model = replace(model_with(graph, outputs), target_names=names, quantized=quantized)
        CFile().write(model, tmp_path / "my model.c")
        text = (tmp_path / "my model.c").read_text("ascii").partition("#ifndef MY_MODEL_DECLARATIONS")[0]
        golden(Path(__file__).with_name("quantized_header.txt" if quantized else "header.txt"), text)
    written = (tmp_path / "my model.c").read_text("ascii")
    assert "price" not in written.partition("*/")[2]


def test_a_file_says_what_it_came_from(tmp_path):
    file, _ = written(network_of(), tmp_path / "model.c")

    assert find_provenance(file.read_bytes())["name"] == "network"


def test_fast_mathematics_is_refused_by_the_file(tmp_path):
    file, _ = written(network_of(), tmp_path / "model.c")

    assert not compiles(Machine(("cc", "-std=c99", "-ffast-math", "-c")), file)


def test_float64_is_refused(tmp_path):
    network = Sequential([Affine(3), SoftmaxWithLoss()], input_shape=(4,), target=Classes(3), dtype="float64")

    with pytest.raises(
        NotExportableError, match=r"^the network computes in float64; C files compute in float32 alone$"
    ):
        CFile().write(model_of(network), tmp_path / "model.c")


def test_without_a_compiler_a_file_is_written_but_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    file, model = written(network_of(), tmp_path / "model.c")

    assert "MODEL_TEST" not in file.read_text("ascii")
    with pytest.raises(
        EngineMissingError, match="there is no C compiler no-such-compiler; install one, or name it in CC"
    ):
        compute_c(file, model, {"x": np.zeros((1, 4), np.float32)}, ["logits"])


def test_a_file_that_does_not_compile_is_refused(tmp_path):
    file, model = written(network_of(), tmp_path / "model.c")
    file.write_text(file.read_text("ascii").replace("static void dense(", "static void thick("), "ascii")

    with pytest.raises(ExportError, match="cc can't compile the file: "):
        compute_c(file, model, {"x": np.zeros((1, 4), np.float32)}, ["logits"])


@pytest.mark.parametrize(
    ("works", "script", "message", "error"),
    [
        ("no", "echo In function a >&2; echo Fatal Error: b >&2; echo error: c >&2; exit 3", "Fatal Error: b", None),
        ("no", "echo In function a >&2; exit 3", "it ended with 3", None),
        ("yes", "echo In function a >&2; echo error: b >&2; exit 3", "error: b", ExportError),
    ],
)
def test_a_failing_compiler_is_quoted_and_one_that_always_fails_is_refused(tmp_path, works, script, message, error):
    compiler = tmp_path / "compiler"
    fails = f'if [ {works} = no ] || grep -q model_predict "$1"; then {script}; fi'
    compiler.write_text(f"#!/bin/sh\n{fails}\necho '#!/bin/sh' > $3\n")
    compiler.chmod(0o700)
    file, model = written(network_of(), tmp_path / "model.c")

    with pytest.raises(error or EngineMissingError) as refused:
        compute_c(file, model, {"x": np.zeros((1, 4), np.float32)}, ["logits"], Machine((str(compiler),)))

    nor = ", and it can't compile and run an empty program either; name another compiler in CC"
    assert str(refused.value) == f"{compiler} can't compile the file: {message}{'' if error else nor}"


@pytest.mark.parametrize(
    ("old", "new", "names", "message"),
    [
        ("\n}\n", "\n\n    ;\n}\n", ["Relu1"], "model_predict computes different steps from the graph"),
        ("\n\n    /* Relu1", "\n    /* Relu1", ["Relu1"], "model_predict computes different steps from the graph"),
        ("(void)work;", "exit(0);", ["logits"], "the file gives 0 bytes for 3 rows; expected 36"),
        ("(void)work;", "exit(7);", ["logits"], "can't run the file: it ended with 7"),
    ],
)
def test_a_file_of_other_steps_is_refused(tmp_path, old, new, names, message):
    file, model = written(network_of(*([Affine(5), Relu()] if names == ["Relu1"] else [])), tmp_path / "model.c")
    before, begin, function = file.read_text("ascii").partition("out, float *work)\n{")
    file.write_text(before + begin + function.replace(old, new, 1), "ascii")
    inside = [node.outputs[0] for node in model.graph.nodes if node.made_by in names]

    with pytest.raises(ExportError, match=f"{re.escape(message)}$"):
        compute_c(file, model, {"x": np.zeros((3, 4), np.float32)}, inside or names)

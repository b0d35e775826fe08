"""A file in C that computes anything else than the model is refused; what mlpkit writes is kept."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_models import STRICT, logits_of

import mlpkit
from mlpkit.errors import ExportError
from mlpkit.graph.model_graph import model_graph
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters.c_file import compute_c
from mlpkit_plugins.kernels import COMPILED

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
SHORT = {"training.iterations": 3, "training.evaluate_every": 3}


def at(array, place, change):
    """Return a mutation of the element at a place of an array, by its name or by a pattern with it in the function."""

    def mutate(text):
        name = re.search(array, text)[1] if "(" in array else array
        before, begin, rest = text.partition(f" {name}[")
        head, brace, rest = rest.partition("{\n")
        elements, end, after = rest.partition("\n};")
        words = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s,]+', elements)
        words[place] = change(words[place])
        return "".join([before, begin, head, brace, ", ".join(words), end, after])

    return mutate


def swapped(array, one, other):
    """Return a mutation that exchanges two elements of an array."""

    def mutate(text):
        words = []
        at(array, one, lambda word: words.append(word) or word)(text)
        at(array, other, lambda word: words.append(word) or word)(text)
        return at(array, one, lambda _: words[1])(at(array, other, lambda _: words[0])(text))

    return mutate


def instead(pattern, other):
    """Return a mutation that puts something else in the place of what is written once in the function, or first."""

    def mutate(text):
        before, begin, function = text.rpartition("void towns_predict")
        return before + begin + re.sub(pattern, other, function, count=1)

    return mutate


def in_functions(old, new):
    """Return a mutation of a shared function."""
    return lambda text: text.replace(old, new, 1)


def plus(number):
    return lambda word: f"{word.rstrip('f')} + {number}"


MEANS, STDS = r"- (csv_\w+)\[i\];", r"/ (csv_\w+)\[i\];"
TOWNS, CODES_OF_TOWNS = r"text_at\(in->town, (\w+),", r" (\w+)\[text_at\(in->town"
CODES_OF_SIZES = r" (\w+)\[text_at\(in->size"

MUTATIONS = {
    "a weight, a little": at("Affine1_W", 0, plus(0.01)),
    "the last weight": at("Affine2_W", -1, plus(0.01)),
    "the sign of a weight": at("Affine2_W", 4, lambda word: f"-({word})"),
    "a weight that is gone": at("Affine1_W", 33, lambda _: "0.0f"),
    "two weights": swapped("Affine1_W", 0, 9),
    "a bias": at("Affine1_b", 0, plus(0.01)),
    "the bias of a class": at("Affine2_b", 2, plus(0.01)),
    "no bias": instead(r"\n    add_bias\(out->logits.*", ""),
    "another nonlinearity": instead(r"(Affine1\[i\]) <= 0.0f \? 0.0f", r"\1 <= 0.0f ? -\1"),
    "a leaky nonlinearity": instead(r"(Affine1\[i\]) <= 0.0f \? 0.0f", r"\1 <= 0.0f ? 0.01f * \1"),
    "no nonlinearity": instead(r"(Affine1\[i\]) <= 0.0f", r"\1 > 0.0f && 0"),
    "a nonlinearity that is gone": instead(r"\n    /\* Relu1(.|\n)*?\n    }\n", ""),
    "a product of fewer inputs": instead(r"20, 8\);", "19, 8);"),
    "a product of other inputs": instead(r"dense\(csv,", "dense(csv + 1,"),
    "sums that begin with something": in_functions("float sum[AT_ONCE] = {0}", "float sum[AT_ONCE] = {1}"),
    "inputs that are left out": in_functions("if (factor != 0.0f)", "if (factor > 0.0f)"),
    "a constant of the exponential": in_functions("0x1.123994p-7f", "0x1.2p-5f"),
    "no probabilities": in_functions("y[i] = y[i] / sum", "y[i] = y[i] / 2.0f"),
    "the least probable class": in_functions("(x[i] > x[largest] ||", "(x[i] < x[largest] ||"),
    "a mean": at(MEANS, 0, plus(0.5)),
    "a standard deviation": at(STDS, 1, plus(1)),
    "a standard deviation of a date": at(STDS, 3, plus(100)),
    "another sign": instead(r"(csv_\w+\[i\]) - ", r"\1 + "),
    "gaps that aren't filled": instead(r"csv_IsNaN_\d+\[i\] \?", "0 ?"),
    "numbers in gaps alone": instead(r"(csv_IsNaN_\d+\[i\]) \?", r"!\1 ?"),
    "indicators the other way round": instead(r"= \(float\)(csv_IsNaN)", r"= (float)!\1"),
    "two columns": instead(r"in->age;((.|\n)*)in->price;", r"in->price;\1in->age;"),
    "another column": instead(r"in->price;", "in->age;"),
    "a category": at(TOWNS, 2, lambda _: '"town zero"'),
    "a category that is rare": at(TOWNS, 7, lambda _: '"town 77"'),
    "two categories": swapped(TOWNS, 2, 3),
    "two categories of an order": swapped(CODES_OF_SIZES, 2, 4),
    "an unknown category": at(CODES_OF_TOWNS, -1, lambda _: "0"),
    "a missing category": at(CODES_OF_TOWNS, 0, lambda _: "0"),
    "a text that means a gap": at(TOWNS, 1, lambda _: '"N/A"'),
    "the name of a class": at("values", 1, lambda _: '"North"'),
    "the name of a class that is never predicted": at("values", 0, lambda _: '"never"'),
    "two classes": swapped("values", 1, 2),
    "days of a week": instead(r" / 7;", " / 8;"),
    "seconds of a day": instead(r" / 86400;", " / 86401;"),
    "a file that doesn't compile": instead(r"dense\(", "dens("),
}


def mutated(name):
    """Return what does one of the mutations to a file."""
    return lambda file: file.write_text(MUTATIONS[name](file.read_text("ascii")), "ascii")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if i % 4 else ()) for i, name in enumerate(MUTATIONS)]
)
def test_a_mutated_export_is_refused(expect_refusal, name):
    expect_refusal(".c", mutated(name))


MUTATIONS_OF_INT8 = {
    "a weight": at("Affine1_int8", 0, lambda word: str(int(word) + 9)),
    "a weight of the last layer": at("Affine2_int8", -1, lambda word: str(-int(word))),
    "a scale": at("Affine1_scales", 3, plus(0.001)),
    "the scale of a class": at("Affine2_scales", 0, lambda word: f"2 * {word}"),
    "products without scales": in_functions("(float)row[j] * scales[first + j]", "(float)row[j]"),
    "inputs that are left out": in_functions("if (factor != 0.0f)", "if (factor > 0.0f)"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if i % 3 else ()) for i, name in enumerate(MUTATIONS_OF_INT8)]
)
def test_a_mutated_export_with_rounded_weights_is_refused(expect_refusal, name):
    def spoil(file):
        file.write_text(MUTATIONS_OF_INT8[name](file.read_text("ascii")), "ascii")

    expect_refusal(".c", spoil, quantize="int8")


def test_a_refusal_names_row_and_layer(expect_refusal):
    expect_refusal(
        ".c",
        mutated("the sign of a weight"),
        r"row \d+ of the test split, counted from 0, differs from Affine2 on: the file",
    )


def test_without_a_compiler_an_export_is_kept_with_a_warning(towns, tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")

    found = export(towns, tmp_path / "towns.c")

    assert found.rows == 0
    assert found.warning.startswith(
        "not proved to compute what the model does: there is no C compiler no-such-compiler"
    )


COMPILERS_THAT_FAIL = {
    "compiles nothing": ("echo sorry >&2; echo 'Error: no licence' >&2; exit 1", "compile the file: Error: no licence"),
    "says nothing": ("exit 3", "compile the file: it ended with 3"),
    "compiles for another processor": (
        'while [ "$1" != -o ]; do shift; done; echo "no program" > "$2"',
        "run the file: Exec format error",
    ),
}


@pytest.fixture
def compiled_by(tmp_path, monkeypatch):
    """Return a function that has a script for a compiler."""

    def take(script):
        compiler = tmp_path / "compiler"
        compiler.write_text(f"#!/bin/sh\n{script}\n")
        compiler.chmod(0o700)
        monkeypatch.setenv("CC", str(compiler))

    return take


@pytest.mark.parametrize(("script", "reason"), COMPILERS_THAT_FAIL.values(), ids=COMPILERS_THAT_FAIL)
def test_with_a_compiler_that_fails_an_export_is_kept_with_a_warning(towns, tmp_path, compiled_by, script, reason):
    compiled_by(script)

    found = export(towns, tmp_path / "towns.c")

    assert found.file.exists()
    assert found.rows == 0
    assert found.warning.startswith("not proved to compute what the model does: ")
    assert found.warning.endswith("it can't compile and run an empty program either; name another compiler in CC")
    assert f" can't {reason}, and" in found.warning


def test_with_a_compiler_that_gives_other_numbers_an_export_is_refused(towns, tmp_path, compiled_by):
    compiled_by(
        """for each; do case "$each" in *.c) sed -i 's/ <= 0.0f ?/ > 0.0f ?/' "$each"; esac; done; exec cc "$@" """
    )

    with pytest.raises(ExportError, match="doesn't compute what the model does"):
        export(towns, tmp_path / "towns.c")


@pytest.mark.parametrize(
    "spec", [pytest.param(path, id=path.stem, marks=pytest.mark.long if "mnist" in path.stem else ()) for path in SPECS]
)
def test_shipped_specs_leave_with_the_bits_of_predict(spec, tmp_path):
    run = tmp_path / "run"
    mlpkit.run(mlpkit.load_spec(spec, overrides=SHORT), directory=run)

    found = export(run, tmp_path / "model.c")

    assert (found.split, found.warning) == ("the test split", "")
    command = ["cc", *STRICT, "-DMODEL_TEST", str(found.file), "-o", str(tmp_path / "program"), "-lm"]
    subprocess.run(command, check=True)
    assert subprocess.run([tmp_path / "program"], check=False, capture_output=True).returncode == 0
    if COMPILED:
        assert found.exact == found.rows
        expect_the_bits_of_predict(load_run(run), found.file)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in {"flowers", "shapes_npz"} else pytest.mark.long)
        for path in SPECS
    ],
)
def test_shipped_specs_leave_with_rounded_weights(spec, tmp_path):
    run = tmp_path / "run"
    mlpkit.run(mlpkit.load_spec(spec, overrides=SHORT), directory=run)

    found = export(run, tmp_path / "model.c", quantize="int8")

    command = ["cc", *STRICT, "-DMODEL_TEST", str(found.file), "-o", str(tmp_path / "program"), "-lm"]
    subprocess.run(command, check=True)
    assert subprocess.run([tmp_path / "program"], check=False, capture_output=True).returncode == 0
    if COMPILED:
        assert found.exact == found.rows > 0


def expect_the_bits_of_predict(model, file):
    """Compare logits of the network inside a file, which is given encoded rows."""
    graph = model_graph(model.network, model.dataset, {})
    x = np.random.default_rng(0).normal(size=(1000, *model.network.input_shape)).astype(np.float32)

    logits = compute_c(file, graph, {graph.encoded.name: x}, ["logits"])["logits"]

    assert logits.tobytes() == logits_of(model.network, x).tobytes()

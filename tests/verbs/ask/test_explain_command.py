"""``mlpkit explain``."""

from __future__ import annotations

import json

import pytest


def test_a_key_is_explained_with_its_origin(mlpkit):
    done = mlpkit("explain", "tiny.yaml", "training.batch_size")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "training.batch_size: 50\n"
        "  meaning  examples of a minibatch; by default no more than the training data has.\n"
        "  type     an integer, at least 1\n"
        "  default  32\n"
        "  place    tiny.yaml:12:15\n"
    )


def test_an_overridden_value_names_what_it_replaces(invoke):
    done = invoke("explain", "tiny.yaml", "layers.Affine1.units", "--set", "layers.Affine1.units=7")
    assert done.out.startswith("layers.Affine1.units: 7\n")
    assert "  default  required\n" in done.out
    (note,) = [line for line in done.out.splitlines() if line.startswith("  note")]
    assert "tiny.yaml:6:21" in note


def test_a_variable_is_explained_and_extends_is_not(cwd, invoke):
    text = (cwd / "tiny.yaml").read_text()
    (cwd / "varied.yaml").write_text(text.replace("mlpkit: 1\n", "mlpkit: 1\nvars: {size: 7}\n"))
    done = invoke("explain", "varied.yaml", "vars.size")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("vars.size: 7\n  meaning  a value, used elsewhere as $size.\n")
    assert done.out.endswith("  place    varied.yaml:2:14\n")
    assert invoke("explain", "varied.yaml", "vars").out.endswith("  place    varied.yaml:2:7\n")
    assert invoke("explain", "varied.yaml", "vars.sise").err.endswith("; did you mean 'vars.size'?\n")
    assert "not in the spec" in invoke("explain", "tiny.yaml", "vars").out
    (cwd / "base.yaml").write_text("extends: tiny.yaml\n")
    done = invoke("explain", "base.yaml", "extends")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: the files that extends names are merged into the spec")


def test_a_default_has_no_place(invoke):
    assert "  place    not in the spec: this is the default\n" in invoke("explain", "tiny.yaml", "seed").out


def test_a_component_is_written_as_in_a_spec(invoke):
    done = invoke("explain", "tiny.yaml", "layers.Affine1")
    assert done.out.startswith(
        "layers.Affine1: {Affine: {units: 5, weights: he_normal, bias: true, biases: zeros, ntk: false, "
        "name: Affine1}}\n"
    )


SCHEDULE = '''\
import mlpkit

class Held(mlpkit.Schedule):
    """The same value in every step.

    Args:
        rate: the value.
    """

    rate: float = 0.1

    def __call__(self, progress):
        return self.rate

@mlpkit.hookimpl
def mlpkit_components():
    return [mlpkit.component("schedule", "held", Held)]
'''


@pytest.mark.parametrize("key", ["learning_rate.mine.held.rate", "learning_rate.rate"])
def test_a_component_of_a_plugin_may_be_named_in_a_key(key, cwd, invoke):
    (cwd / "mine.py").write_text(SCHEDULE)
    given = ("--plugin", "mine.py", "--set", "training.optimizer.learning_rate=mine.held")
    done = invoke("explain", "tiny.yaml", f"training.optimizer.{key}", *given)
    assert done.out.startswith(f"training.optimizer.{key}: 0.1\n  meaning  the value.\n")
    wrong = invoke("explain", "tiny.yaml", "training.optimizer.learning_rate.mine.other.rate", *given)
    assert "unknown key 'mine'" in wrong.err


RESIDUAL = ("--set", "layers.Relu1={Residual: {layers: [Relu, {Affine: {units: 5, name: last}}]}}")


@pytest.mark.parametrize("key", ["layers.Residual1.last.units", "layers.Residual1.layers.last.units"])
def test_a_parameter_of_a_layer_inside_a_layer_is_explained(key, invoke):
    done = invoke("explain", "tiny.yaml", key, *RESIDUAL)
    assert done.out.startswith(f"{key}: 5\n  meaning  number of outputs, or auto for the number that the loss takes ")
    assert "  place    --set:1:58\n" in done.out
    of_the_layer = invoke("explain", "tiny.yaml", key.removesuffix(".units"), *RESIDUAL)
    assert (
        "{Affine: {units: 5, weights: he_normal, bias: true, biases: zeros, ntk: false, name: last}}\n"
        in of_the_layer.out
    )
    missing = invoke("explain", "tiny.yaml", "layers.Residual1.Affine1", *RESIDUAL)
    assert "unknown key 'Affine1' in 'layers.Residual1'" in missing.err
    missing = invoke("explain", "tiny.yaml", "layers.Residual1.layers.lst", *RESIDUAL)
    assert (
        missing.err
        == "error: unknown key 'lst' in 'layers.Residual1.layers'; did you mean 'layers.Residual1.layers.last'?\n"
    )


def test_a_metric_has_a_meaning(invoke):
    out = invoke("explain", "tiny.yaml", "training.metrics.accuracy").out
    assert "not documented" not in out
    assert out.startswith("training.metrics.accuracy: accuracy\n")


def test_a_misspelt_key_is_answered_with_the_nearest(invoke):
    done = invoke("explain", "tiny.yaml", "training.batchsize")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: unknown key 'batchsize' in 'training'; did you mean 'training.batch_size'?\n"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("epochs", "training.epochs"),
        ("Affine1", "layers.Affine1"),
        ("training.momentum", "training.optimizer.sgd.momentum"),
    ],
)
def test_a_key_further_below_is_answered_with_the_whole_key(key, meant, invoke):
    done = invoke("explain", "tiny.yaml", key)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"; did you mean '{meant}'?\n")


@pytest.mark.parametrize("key", ["training", "training.metrics", "data", "layers", "layers.Relu1", "vars", "seed"])
def test_json_is_one_document(key, invoke):
    document = json.loads(invoke("explain", "tiny.yaml", key, "--json").out)
    assert set(document) == {"key", "value", "place", "type", "default", "required", "meaning", "notes"}
    assert document["key"] == key


def test_long_meanings_are_wrapped_on_a_terminal(terminal):
    layers = "layers=[acme.Slow: {seconds: 0}, Affine: {units: 10}, SoftmaxWithLoss]"
    screen = terminal("explain", "tiny.yaml", "layers.Slow1.note", "--plugin", "acme.py", "--set", layers, columns=36)
    assert screen.wait_for_end() == 0
    assert screen.lines()[:3] == [
        "layers.Slow1.note: not set",
        "  meaning  something to say, in two",
        "           lines.",
    ]


def test_without_a_key_all_keys_are_listed(invoke):
    done = invoke("explain", "tiny.yaml", "--set", "seed=7")
    assert (done.code, done.err) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines()}
    assert rows["key"] == ["value", "place"]
    assert rows["training.batch_size"] == ["50", "line", "12"]
    assert rows["layers.Affine1.units"] == ["5", "line", "6"]
    assert rows["training.optimizer.sgd.momentum"] == ["0.0", "default"]
    assert rows["seed"] == ["7", "--set:1:6"]
    assert "training" not in rows
    assert "layers.Affine1" not in rows
    assert all(invoke("explain", "tiny.yaml", key).code == 0 for key in list(rows)[1::7])


def test_the_list_of_keys_as_json_is_an_explanation_a_line(invoke):
    listed = [json.loads(line) for line in invoke("explain", "tiny.yaml", "--json").out.splitlines()]
    one = json.loads(invoke("explain", "tiny.yaml", "training.batch_size", "--json").out)
    assert one in listed


def test_variables_are_listed(cwd, invoke):
    text = (cwd / "tiny.yaml").read_text()
    (cwd / "varied.yaml").write_text(text.replace("mlpkit: 1\n", "mlpkit: 1\nvars: {size: 7}\n"))
    assert ["vars.size", "7", "line", "2"] in [
        line.split() for line in invoke("explain", "varied.yaml").out.splitlines()
    ]


def test_a_key_without_its_first_parts_is_answered_with_the_whole_key(invoke):
    done = invoke("explain", "tiny.yaml", "learning_rate")
    assert done.err == ("error: unknown key 'learning_rate'; did you mean 'training.optimizer.sgd.learning_rate'?\n")
    assert invoke("explain", "tiny.yaml", "training.optimizer.sgd.learning_rate").code == 0


def test_a_run_that_stands_for_its_section_is_found(cwd, invoke):
    (cwd / "tiny.yaml").write_text((cwd / "tiny.yaml").read_text() + "initialize_from: base\n")
    done = invoke("explain", "tiny.yaml", "initialize_from.run")
    assert (done.code, done.out.splitlines()[0]) == (0, "initialize_from.run: base")
    assert "  place    tiny.yaml:16:18\n" in done.out


WHOLE = """\
mlpkit: 1
data:
  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill, symbols: ["€", "%"]}
layers:
  - Affine: {units: 5}
  - Residual: {layers: [Relu, {Affine: {units: 5, name: last}}]}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: {cosine: {first: 0.1}}}}
  epochs: 2
  metrics: [accuracy]
vars: {rate: 0.25}
requires: {numpy: ">=1"}
"""
COSINE = {"cosine": {"first": 0.1, "last": 0.0}}
ANY = ("any value", None, True)
NUMBER = ("a number, greater than 0", None)


@pytest.mark.parametrize(
    ("key", "value", "place", "type_", "default", "required", "meaning"),
    [
        ("layers.Residual1.Relu1", "Relu", "6:25", "a layer", None, True, "Rectified"),
        (
            "layers.Residual1.last.units",
            5,
            "6:48",
            "an integer, at least 1, or auto",
            None,
            True,
            "number of outputs, ",
        ),
        ("vars", {"rate": 0.25}, "12:7", "a mapping from names, each to any value", None, False, "values to be used "),
        ("vars.rate", 0.25, "12:14", *ANY, "a value, used elsewhere as $rate."),
        ("training.metrics", ["accuracy"], "11:12", "a list, each a metric", [], False, "what to report"),
        ("training.metrics.accuracy", "accuracy", "11:13", "a metric", None, True, "Share of examples whose"),
        ("data.csv.symbols.1", "%", "3:106", "a string", None, True, ""),
        (
            *("training.optimizer.adam.learning_rate", COSINE, "9:37"),
            *("a number, at least 0, or a schedule", 0.001, False, "the step length."),
        ),
        ("training.optimizer.learning_rate.first", 0.1, "9:54", *NUMBER, True, "the value of the first step."),
        ("requires.numpy", ">=1", "13:19", "a string", None, True, "the accepted versions of numpy."),
        ("training.seconds", None, "", *NUMBER, False, "seconds to train for"),
    ],
)
def test_each_kind_of_key_is_explained(key, value, place, type_, default, required, meaning, cwd, invoke):
    (cwd / "whole.yaml").write_text(WHOLE)
    found = json.loads(invoke("explain", "whole.yaml", key, "--json").out)
    assert found.pop("meaning").startswith(meaning)
    place = f"whole.yaml:{place}" if place else ""
    expected = {"key": key, "value": value, "place": place, "type": type_, "default": default, "required": required}
    assert found == expected | {"notes": []}
